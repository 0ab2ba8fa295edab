/** @file The passes in their order, with a check of the graph after each. */

import type { Tensor } from '../tensor.ts'
import { verify } from '../verify.ts'
import { mergeEqual } from './merge.ts'
import { simplify } from './simplify.ts'

/**
 * A smaller graph with the same outputs. Nodes that no output needs drop out by themselves, as every pass walks back
 * from the outputs; merging comes before and after, since it makes patterns equal and simplifying makes new equals.
 */
export function optimise(outputs: readonly Tensor[]): Tensor[] {
  verify(outputs, 'tracing')
  let current = [...outputs]
  for (const [name, pass] of [
    ['merging', mergeEqual],
    ['simplifying', simplify],
    ['merging again', mergeEqual],
  ] as const) {
    current = pass(current)
    verify(current, name)
  }
  return current
}
