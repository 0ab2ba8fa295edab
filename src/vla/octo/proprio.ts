/** @file Proprioception as Octo's finetunes take it: normalised by their statistics, each entry a token. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { InputError } from '../../errors.ts'
import { readJson } from '../../formats/json.ts'
import { parseJson } from '../files.ts'
import type { OctoProprio } from './config.ts'

const FILE = 'dataset_statistics.json'

const Moments = z.object({
  mean: z.array(z.number()),
  std: z.array(z.number().min(0)),
  mask: z.array(z.boolean()).optional(), // entries that are normalised
})

export type Moments = z.infer<typeof Moments>

/** `source`: the data set that was measured, in words. */
export type ProprioStatistics = { moments: Moments; source: string }

/**
 * Those of the data set that a finetune was made on, for `entries` of proprio; undefined if the folder has none.
 * @throws InputError if they are damaged or not finite, of another width, or of several data sets
 */
export async function readProprioStatistics(folder: string, entries: number): Promise<ProprioStatistics | undefined> {
  const path = join(folder, FILE)
  if (!existsSync(path)) return undefined
  const json = parseJson(z.record(z.string(), z.unknown()), await readJson(path, REMEDY), path, REMEDY)
  const sets = 'proprio' in json ? { '': json } : (json as Record<string, { proprio?: unknown } | null>)
  const named = Object.entries(sets).filter(([, set]) => typeof set === 'object' && set !== null && 'proprio' in set)
  const fitting = named.filter(([, set]) => widthOf(set!.proprio) === entries)
  if (fitting.length > 1)
    throw new InputError(
      path,
      `has the proprio of several data sets (${fitting.map(([name]) => name).join(', ')})`,
      'Leave only that of your robot in it',
    )
  const [found] = fitting.length > 0 ? fitting : named
  if (!found) return undefined
  const [name, set] = found
  const where = `${path}: ${name && `${name}.`}proprio`
  const moments = parseJson(Moments, set!.proprio, where, REMEDY)
  for (const [field, values] of Object.entries(moments))
    if (values.length !== entries)
      throw new InputError(`${where}.${field}`, `has ${values.length} entries, the model takes ${entries}`, REMEDY)
  return { moments, source: name ? `${FILE}, ${name}` : FILE }
}

const REMEDY = 'Copy it again from the folder of the finetune'

const widthOf = (proprio: unknown): number | undefined => (proprio as { mean?: unknown[] } | null)?.mean?.length

const LEAST_DEVIATION = 1e-8

/**
 * (x - mean) / (std + 1e-8). An entry that never moved in the data says nothing: it is 0, where the reference divides a
 * robot's difference from it by 1e-8.
 */
export function scaleProprio(values: ArrayLike<number>, { mean, std, mask }: Moments): number[] {
  return Array.from(values, (value, i) => {
    if (mask?.[i] === false) return value
    return std[i] === 0 ? 0 : (value - mean[i]!) / (std[i]! + LEAST_DEVIATION)
  })
}

/** The tokenizer's output: [entries, 1], or one-hot [entries, bins]. */
export function tokensOfProprio(values: readonly number[], { bins }: OctoProprio): Float32Array {
  if (!bins) return Float32Array.from(values)
  const tokens = new Float32Array(values.length * bins.count)
  values.forEach((value, i) => {
    tokens[i * bins.count + binOf(value, bins)] = 1
  })
  return tokens
}

const EDGE = 1e-6 // the reference's: from the ends of a range, and from shares 0 and 1

/**
 * Equal steps from `low` to `high`, or steps that hold equal shares of a normal distribution. Beyond the outermost
 * uniform bins are those bins, beyond the outermost normal ones the reference has the first.
 */
function binOf(value: number, { count, kind, low, high }: NonNullable<OctoProprio['bins']>): number {
  if (kind === 'uniform') {
    const inside = Math.min(high - EDGE, Math.max(low + EDGE, value))
    return Math.floor(((inside - low) / (high - low)) * count)
  }
  const share = (normalShare(value) - EDGE) / (1 - 2 * EDGE)
  return share >= 0 && share < 1 ? Math.floor(share * count) : 0
}

/** The share of a standard normal distribution below x: 1/2 + φ(x) (x + x³/3 + x⁵/15 + ...), which converges for every x. */
function normalShare(x: number): number {
  if (Math.abs(x) > 8) return x > 0 ? 1 : 0
  let sum = x
  for (let term = x, k = 3; Math.abs(term) > 1e-17 * Math.abs(sum); k += 2) sum += term *= (x * x) / k
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI)
}
