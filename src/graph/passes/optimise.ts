/** @file The passes in their order, with a check of the graph after each. */

import type { Tensor } from '../tensor.ts'
import { verify } from '../verify.ts'
import { mergeEqual } from './merge.ts'
import { narrowProducts } from './narrow.ts'
import { shareProducts } from './share.ts'
import { simplify } from './simplify.ts'
import { withoutIdleStops } from './stops.ts'

type Pass = (outputs: readonly Tensor[]) => Tensor[]

/**
 * The same outputs, ready to be differentiated: what several of them compute is one node, so that its gradients are
 * added up before they are sent back through it.
 */
export const prepare = (outputs: readonly Tensor[]): Tensor[] =>
  run(outputs, {
    'dropping stops': withoutIdleStops,
    merging: mergeEqual,
    'sharing products': shareProducts,
    'merging shared products': mergeEqual,
  })

/**
 * A smaller graph with the same outputs. Nodes that no output needs drop out by themselves, as every pass walks back
 * from the outputs; merging comes before and after, since it makes patterns equal and simplifying makes new equals.
 */
export const optimise = (outputs: readonly Tensor[]): Tensor[] =>
  run(outputs, {
    'merging gradients': mergeEqual,
    simplifying: simplify,
    'narrowing products': narrowProducts,
    'merging again': mergeEqual,
  })

function run(outputs: readonly Tensor[], passes: Record<string, Pass>): Tensor[] {
  verify(outputs, 'tracing')
  let current = [...outputs]
  for (const [name, pass] of Object.entries(passes)) {
    current = pass(current)
    verify(current, name)
  }
  return current
}
