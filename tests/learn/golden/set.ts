/** @file A set of golden cases: a manifest and one safetensors file a case, with their hashes and tolerances checked. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSafetensors, type SafeTensor } from '../../../src/formats/safetensors.ts'

export type Tolerance = { rel: number; abs: number; elementwise?: boolean }
export type TensorSpec = { shape: number[]; dtype: 'F32' | 'I32'; tolerance?: Tolerance }
// biome-ignore lint/suspicious/noExplicitAny: each kind of case has its own configuration and expectations
type Json = any

export type GoldenCase = {
  id: string
  file: string
  title: string
  config: Json
  expect?: Json
  losses: Record<string, number>
  sha256: string
  tensors: Record<string, TensorSpec>
}

export type GoldenSet = { folder: string; set: string; tolerance: Tolerance; norm_eps: number; cases: GoldenCase[] }

/** `folder` holds manifest.json and the files that it names. */
export const loadSet = (folder: string): GoldenSet => ({
  ...(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Omit<GoldenSet, 'folder'>),
  folder,
})

/** The case's tensors, after its file's hash and every shape and dtype were found as the manifest says. */
export function loadTensors({ folder }: GoldenSet, golden: GoldenCase): Record<string, SafeTensor> {
  const path = join(folder, golden.file)
  const bytes = readFileSync(path)
  const hash = createHash('sha256').update(bytes).digest('hex')
  if (hash !== golden.sha256) throw new Error(`${path} has sha256 ${hash}, the manifest says ${golden.sha256}`)
  const { tensors } = parseSafetensors(bytes, path)
  const describe = (entries: [string, { shape: readonly number[]; dtype: string }][]) =>
    entries.map(([name, { shape, dtype }]) => `${name} ${dtype} [${shape}]`).sort()
  const [got, want] = [describe(Object.entries(tensors)), describe(Object.entries(golden.tensors))]
  if (got.join() !== want.join())
    throw new Error(`${path} holds ${got.join('; ')}, the manifest says ${want.join('; ')}`)
  return tensors
}

/** Whether a tensor of the file is a result, which the code must reproduce. */
export const isResult = (name: string) => /^(mid|out|grad|grad_in|grad_noise)\//.test(name)

/** Largest error as a share of what is allowed: at most 1 passes. Integers must be equal: 0 or infinity. */
export function errorShare(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  spec: TensorSpec,
  fallback: Tolerance,
): number {
  if (got.length !== want.length) return Number.POSITIVE_INFINITY
  const { rel, abs, elementwise } = spec.tolerance ?? fallback
  const largest = Array.from(want).reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  let share = 0
  for (let i = 0; i < want.length; i++) {
    const error = Math.abs(got[i]! - want[i]!)
    const allowed = spec.dtype === 'I32' ? 0 : rel * (elementwise ? Math.abs(want[i]!) : largest) + abs
    const own = error === 0 ? 0 : error / allowed
    share = Number.isNaN(own) ? Number.POSITIVE_INFINITY : Math.max(share, own)
  }
  return share
}
