/** @file How far products in int8 are from f32: each for itself, and all of them together. */
import {
  abs,
  add,
  compile,
  div,
  type FrozenProduct,
  max,
  mean,
  type Program,
  reshape,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
} from '../../graph/index.ts'
import type { Int8Index } from './file.ts'
import { quantisedOutputs, type Sample, substitute, type Traced, type TriedWay } from './product.ts'

const TINY = 1e-30 // a row of zeros

/** Of the worst output: the least cosine with f32, and the error as a share of what the samples differ in. */
export type Nearness = Pick<Int8Index, 'cosine' | 'ofSpread'>

/**
 * Runs the samples through f32 and notes the errors of the ways. Of each product `reach`: the largest size of each column
 * of x. `wanted`: the outputs, sample by sample.
 */
export async function measureWays(
  traced: Traced,
  products: readonly FrozenProduct[],
  path: string,
  ways: readonly (readonly TriedWay[])[],
  samples: readonly Sample[],
): Promise<{ reach: Float32Array[]; wanted: Record<string, Float32Array>[] }> {
  const measured = products.flatMap(({ product, x }, i): [string, Tensor][] => [
    [`${i} reach`, max(reshape(abs(x), [-1, x.shape.at(-1)!]), 0)],
    ...ways[i]!.map((each): [string, Tensor] => {
      return [`${i} ${each.way}`, relativeError(substitute(path, each, each.way)(x), product)]
    }),
  ])
  const reach = products.map(({ x }) => new Float32Array(x.shape.at(-1)!))
  const outputs = { ...traced.outputs, ...Object.fromEntries(measured) }
  const wanted = await runAll({ ...traced, name: `${traced.name} probe`, outputs }, samples, (program) => {
    for (const [i, each] of ways.entries()) {
      for (const one of each) one.error = Math.max(one.error, program.outputs[`${i} ${one.way}`]![0]!)
      program.outputs[`${i} reach`]!.forEach((value, k) => {
        if (value > reach[i]![k]!) reach[i]![k] = value
      })
    }
    return Object.fromEntries(Object.keys(traced.outputs).map((name) => [name, program.outputs[name]!.slice()]))
  })
  return { reach, wanted }
}

/** Root of the mean square over rows of the error's share of the row's size: a large row hides no small one. */
function relativeError(got: Tensor, wanted: Tensor): Tensor {
  const shares = div(sum(square(sub(got, wanted)), -1), add(sum(square(wanted), -1), TINY))
  return sqrt(mean(shares))
}

export async function compare(
  traced: Traced,
  products: readonly FrozenProduct[],
  held: Parameters<typeof quantisedOutputs>[2],
  samples: readonly Sample[],
  wanted: readonly Record<string, Float32Array>[],
): Promise<Nearness> {
  const outputs = quantisedOutputs(traced.outputs, products, held)
  const names = Object.keys(outputs)
  const got = await runAll({ ...traced, outputs }, samples, (program) =>
    Object.fromEntries(names.map((name) => [name, program.outputs[name]!.slice()])),
  )
  const each = names.map((name) => {
    const [is, was] = [got, wanted].map((runs) => runs.map((run) => run[name]!)) as [Float32Array[], Float32Array[]]
    return { cosine: Math.min(...is.map((values, i) => cosine(values, was[i]!))), ofSpread: shareOfSpread(is, was) }
  })
  return {
    cosine: Math.min(...each.map(({ cosine }) => cosine)),
    ofSpread: Math.max(...each.map(({ ofSpread }) => ofSpread)),
  }
}

/** Root of the errors' squares over those of the differences of what was wanted from its mean. One sample has none: 0. */
export function shareOfSpread(got: readonly Float32Array[], wanted: readonly Float32Array[]): number {
  let [missed, spread] = [0, 0]
  for (let k = 0; k < wanted[0]!.length; k++) {
    const mean = wanted.reduce((sum, values) => sum + values[k]!, 0) / wanted.length
    for (const [i, values] of wanted.entries()) {
      missed += (got[i]![k]! - values[k]!) ** 2
      spread += (values[k]! - mean) ** 2
    }
  }
  return spread > 0 ? Math.sqrt(missed / spread) : 0
}

async function runAll<T>(traced: Traced, samples: readonly Sample[], read: (program: Program) => T): Promise<T[]> {
  const program = await compile(traced)
  try {
    const results: T[] = []
    for (const sample of samples) {
      for (const [name, values] of Object.entries(sample)) program.set(name, values)
      await program.run()
      results.push(read(program))
    }
    return results
  } finally {
    await program.release()
  }
}

/** Of two vectors as they are, not centred. Not finite: -1. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [both, first, second] = [0, 0, 0]
  for (let i = 0; i < a.length; i++) {
    both += a[i]! * b[i]!
    first += a[i]! ** 2
    second += b[i]! ** 2
  }
  const value = both / Math.sqrt(first * second)
  return Number.isFinite(value) ? value : -1
}
