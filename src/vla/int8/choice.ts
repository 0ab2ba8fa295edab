/** @file Which way each product goes: the fastest that is exact enough, for itself and for the encoder as a whole. */
import type { Int8Index } from './file.ts'
import type { Nearness } from './measure.ts'
import type { Chosen, Ways } from './product.ts'

/** The share of its size that the error of a product may be; more comes of x that eight bits do not suit. */
export const LARGEST_ERROR = 0.025
/** The least cosine of an output with what it is in f32. */
const LEAST_COSINE = 0.9995
const ROUNDS = 6 // in which more and more products are given up
const MOST_KEPT = 0.7 // of the squared errors, from one round to the next

/**
 * The fastest ways if they do, else the most exact ones; of these more and more are given up for f32. `work`:
 * multiplications of each product. `nearness` tells how a choice does as a whole.
 */
export async function chooseWays(
  ways: readonly Ways[],
  work: readonly number[],
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
      const given = leastWorth(chosen, work, share)
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
function leastWorth(chosen: readonly Chosen[], work: readonly number[], share: number): Set<number> {
  const squares = chosen.map(({ error }) => error ** 2)
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
