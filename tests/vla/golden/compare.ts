/** @file Golden tensors of the published encoders: how they are read, and how far a result may be off. */
import { expect } from 'vitest'
import { openSafetensors } from '../../../src/formats/safetensors-file.ts'

export type Golden = { shape: readonly number[]; data: Float32Array; bytes: Uint8Array; dtype: string }

/** Every tensor of a safetensors file as numbers; booleans and bytes too. */
export async function readGolden(path: string): Promise<Record<string, Golden>> {
  const file = await openSafetensors(path)
  const result: Record<string, Golden> = {}
  for (const [name, { dtype, shape }] of file.tensors) {
    const bytes = await file.readBytes(name)
    const whole =
      dtype === 'I64' ? Float32Array.from(new BigInt64Array(bytes.buffer), Number) : Float32Array.from(bytes)
    result[name] = { shape, dtype, bytes, data: dtype === 'F32' ? await file.read(name) : whole }
  }
  await file.close()
  return result
}

/** Largest difference where `counts` holds, relative to the golden tensor's largest value. */
export function relativeError(got: ArrayLike<number>, want: Golden, counts: (index: number) => boolean = () => true) {
  expect(got.length).toBe(want.data.length)
  let largest = 0
  let error = 0
  for (let i = 0; i < got.length; i++) {
    if (!counts(i)) continue
    largest = Math.max(largest, Math.abs(want.data[i]!))
    error = Math.max(error, Math.abs(got[i]! - want.data[i]!)) // a NaN stays
  }
  return largest === 0 ? error : error / largest
}
