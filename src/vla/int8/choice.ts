/**
 * @file How each product of a program is computed. In one run all ways work on the activations of f32, so that the error
 * of each is its own; a product takes the fastest whose error is small enough. Then the whole is compared with f32, and
 * as long as it is too far away, smaller errors are asked for.
 */
import {
  abs,
  add,
  compile,
  div,
  type FrozenProduct,
  int8Matmul,
  max,
  maximum,
  mean,
  mul,
  type Program,
  type Runtime,
  replaceProducts,
  reshape,
  type Substitute,
  sqrt,
  square,
  stored,
  sub,
  sum,
  type Tensor,
} from '../../graph/index.ts'
import { quantiseColumns } from './columns.ts'
import { Int8Draft, type Int8Held, type Int8Index, type ProductWay } from './file.ts'

/** What is compiled: outputs by name. */
export type Traced = Runtime & { name: string; outputs: Record<string, Tensor> }

/** What the inputs of a program are, by name: one run. */
export type Sample = Readonly<Record<string, ArrayLike<number>>>

/** The share of its size that the error of a product may be; more comes of x that eight bits do not suit. */
const LARGEST_ERROR = 0.025
/** The least cosine of an output with what it is in f32. */
const LEAST_COSINE = 0.9995
const ROUNDS = 6 // in which more and more products are given up
const MOST_KEPT = 0.7 // of the squared errors, from one round to the next
const TINY = 1e-30 // a row of zeros

type Place = Pick<Int8Index['products'][number], 'shape' | 'codes' | 'scales' | 'factors'>

/** The outputs with products as the index has them. */
export function quantisedOutputs(
  outputs: Traced['outputs'],
  products: readonly FrozenProduct[],
  { path, index }: Pick<Int8Held, 'path'> & { index: Pick<Int8Index, 'products'> },
): Traced['outputs'] {
  const substitutes = new Map<Tensor, Substitute>()
  for (const [i, { product }] of products.entries()) {
    const place = index.products[i]!
    if (place.way !== 'f32') substitutes.set(product, substitute(path, place, place.way))
  }
  const replaced = replaceProducts(Object.values(outputs), substitutes)
  return Object.fromEntries(Object.keys(outputs).map((name, i) => [name, replaced[i]!]))
}

function substitute(
  path: string,
  { shape, codes, scales, factors }: Place,
  way: Exclude<ProductWay, 'f32'>,
): Substitute {
  const weights = stored({ path, offset: codes, dtype: 'I8' }, shape)
  const sizes = stored({ path, offset: scales, dtype: 'F32' }, [shape[1]])
  if (way === 'tensor') return (x, bias) => int8Matmul(x, weights, sizes, bias)
  return (x, bias) => {
    const smooth = factors === undefined ? x : mul(x, stored({ path, offset: factors, dtype: 'F32' }, [shape[0]]))
    const largest = maximum(max(abs(smooth), -1, true), TINY)
    const product = mul(int8Matmul(div(smooth, largest), weights, sizes), largest)
    return bias ? add(product, bias) : product
  }
}

/** Quantises the products and chooses; the result is kept in the cache. The errors are measured on the samples. */
export async function buildInt8(
  key: string,
  traced: Traced,
  products: readonly FrozenProduct[],
  makeSamples: () => Promise<readonly Sample[]>,
): Promise<Int8Held> {
  const draft = await Int8Draft.begin(key)
  try {
    const samples = await makeSamples()
    const ways: Ways[] = []
    for (const { weights } of products) {
      const place = await writeQuantised(draft, await valuesOf(weights, traced))
      ways.push([tried('tensor', place), tried('rows', place)])
    }
    const { reach, wanted } = await probe(traced, products, draft.path, ways, samples)
    const hard = [...ways.keys()].filter((i) => ways[i]!.every(({ error }) => error > LARGEST_ERROR))
    for (const i of hard) {
      const values = await valuesOf(products[i]!.weights, traced)
      ways[i]!.push(tried('smooth', await writeSmoothed(draft, values, reach[i]!)))
    }
    const again = hard.map((i) => ways[i]!.slice(-1))
    const those = hard.map((i) => products[i]!)
    if (hard.length > 0) await probe(traced, those, draft.path, again, samples)
    const nearness = (chosen: Chosen[]) =>
      compare(traced, products, { path: draft.path, index: { products: chosen } }, samples, wanted)
    return await draft.keep(await choose(ways, products, nearness))
  } catch (error) {
    await draft.discard()
    throw error
  }
}

/** Of one product, fastest first. */
type Ways = [Tried, ...Tried[]]

type Chosen = Place & { way: ProductWay; error: number }

/** The fastest ways if they do, else the most exact ones; of these more and more are given up for f32. */
async function choose(
  ways: readonly Ways[],
  products: readonly FrozenProduct[],
  nearness: (chosen: Chosen[]) => Promise<Nearness>,
): Promise<Nearness & Pick<Int8Index, 'products'>> {
  const inF32 = ([{ shape, codes, scales }]: Ways): Chosen => ({
    shape,
    codes,
    scales,
    way: 'f32',
    error: 0,
  })
  let chosen = ways.map((each): Chosen => each.find(({ error }) => error <= LARGEST_ERROR) ?? inF32(each))
  let near = await nearness(chosen)
  for (let round = 0; round < ROUNDS && near.cosine < LEAST_COSINE; round++) {
    if (round === 0) {
      const best = ways.map((each) => each.reduce((a, b) => (b.error < a.error ? b : a)))
      chosen = best.map((each, i): Chosen => (each.error <= LARGEST_ERROR ? each : inF32(ways[i]!)))
    } else {
      const share = Math.min(MOST_KEPT, (1 - LEAST_COSINE) / (1 - near.cosine))
      const given = leastWorth(chosen, products, share)
      chosen = chosen.map((each, i) => (given.has(i) ? inF32(ways[i]!) : each))
    }
    near = await nearness(chosen)
  }
  if (near.cosine < LEAST_COSINE) return { products: ways.map(inF32), cosine: 1, ofSpread: 0 }
  return { products: chosen, ...near }
}

/**
 * Products to give up so that the others' squared errors add up to no more than a share of what they are now, as little
 * work as may be: those with the most error for their work first. Errors of products count as independent.
 */
function leastWorth(chosen: readonly Chosen[], products: readonly FrozenProduct[], share: number): Set<number> {
  const squares = chosen.map(({ error }) => error ** 2)
  const work = products.map(({ product, weights }) => (product.size / product.shape.at(-1)!) * weights.size)
  const order = [...squares.keys()].sort((a, b) => squares[b]! / work[b]! - squares[a]! / work[a]!)
  const given = new Set<number>()
  const allowed = share * squares.reduce((a, b) => a + b, 0)
  let left = squares.reduce((a, b) => a + b, 0)
  for (const i of order) {
    if (left <= allowed) break
    given.add(i)
    left -= squares[i]!
  }
  return given
}

/** A way that a product may go; its error is the largest of a sample. */
type Tried = Place & { way: Exclude<ProductWay, 'f32'>; error: number }
const tried = (way: Tried['way'], place: Place): Tried => ({ ...place, way, error: 0 })

type Values = { values: Float32Array; shape: [number, number] }

/** One product at a time: its weights are computed as the graph has them, and only they are in memory. */
async function valuesOf(weights: Tensor, { threads }: Traced): Promise<Values> {
  const program = await compile({ name: 'weights', outputs: { weights }, threads })
  await program.run()
  const values = program.outputs.weights!
  await program.release()
  return { values, shape: weights.shape as [number, number] }
}

async function writeQuantised(draft: Int8Draft, { values, shape }: Values): Promise<Place> {
  const { codes, scales } = quantiseColumns(values, shape)
  return { shape, codes: await draft.add(codes), scales: await draft.add(scales) }
}

/**
 * Column k of x is divided by the root of its reach over that of the weights it meets, which are multiplied by it: where a
 * few columns are far larger than the others, they no longer take all the steps. `reach` [K].
 */
async function writeSmoothed(draft: Int8Draft, { values, shape }: Values, reach: Float32Array): Promise<Place> {
  const [rows, columns] = shape
  const smoothed = values.slice()
  const factors = new Float32Array(rows).fill(1)
  for (let k = 0; k < rows; k++) {
    const row = smoothed.subarray(k * columns, (k + 1) * columns)
    const largest = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    if (largest === 0 || reach[k] === 0) continue
    const by = Math.sqrt(reach[k]! / largest)
    factors[k] = 1 / by
    for (let n = 0; n < columns; n++) row[n]! *= by
  }
  return { ...(await writeQuantised(draft, { values: smoothed, shape })), factors: await draft.add(factors) }
}

/**
 * Runs the samples through f32 and notes the errors of the ways. Of each product `reach`: the largest size of each column
 * of x. `wanted`: the outputs, sample by sample.
 */
async function probe(
  traced: Traced,
  products: readonly FrozenProduct[],
  path: string,
  ways: readonly (readonly Tried[])[],
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

/** Of the worst output: the least cosine with f32, and the error as a share of what the samples differ in. */
type Nearness = Pick<Int8Index, 'cosine' | 'ofSpread'>

async function compare(
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
