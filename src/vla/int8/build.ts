/** @file Makes an encoder's products in int8: quantises their weights, measures what that does, chooses, and keeps the result. */
import { compile, type FrozenProduct, type Tensor } from '../../graph/index.ts'
import { chooseWays, LARGEST_ERROR } from './choice.ts'
import { quantiseColumns } from './columns.ts'
import { Int8Draft, type Int8Held } from './file.ts'
import { compare, measureWays } from './measure.ts'
import { type Chosen, type QuantisedPlace, type Sample, type Traced, tried, type Ways } from './product.ts'

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
    const { reach, wanted } = await measureWays(traced, products, draft.path, ways, samples)
    const hard = [...ways.keys()].filter((i) => ways[i]!.every(({ error }) => error > LARGEST_ERROR))
    for (const i of hard) {
      const values = await valuesOf(products[i]!.weights, traced)
      ways[i]!.push(tried('smooth', await writeSmoothed(draft, values, reach[i]!)))
    }
    const again = hard.map((i) => ways[i]!.slice(-1))
    const those = hard.map((i) => products[i]!)
    if (hard.length > 0) await measureWays(traced, those, draft.path, again, samples)
    const nearness = (chosen: Chosen[]) =>
      compare(traced, products, { path: draft.path, index: { products: chosen } }, samples, wanted)
    const work = products.map(({ product, weights }) => product.size * weights.shape[0]!)
    return await draft.keep(await chooseWays(ways, work, nearness))
  } catch (error) {
    await draft.discard()
    throw error
  }
}

type Values = { values: Float32Array; shape: [number, number] }

/** One product at a time: its weights are computed as the graph has them, and only they are in memory. */
async function valuesOf(weights: Tensor, { threads }: Traced): Promise<Values> {
  const program = await compile({ name: 'weights', outputs: { weights }, threads })
  await program.run()
  const values = program.outputs.weights!
  await program.release()
  return { values, shape: weights.shape as [number, number] }
}

async function writeQuantised(draft: Int8Draft, { values, shape }: Values): Promise<QuantisedPlace> {
  const { codes, scales } = quantiseColumns(values, shape)
  return { shape, codes: await draft.add(codes), scales: await draft.add(scales) }
}

/**
 * Column k of x is divided by the root of its reach over that of the weights it meets, which are multiplied by it: where a
 * few columns are far larger than the others, they no longer take all the steps. `reach` [K].
 */
async function writeSmoothed(
  draft: Int8Draft,
  { values, shape }: Values,
  reach: Float32Array,
): Promise<QuantisedPlace> {
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
