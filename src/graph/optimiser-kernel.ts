/** @file The optimiser as a WebAssembly SIMD kernel over the memory of a parameter store. */

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { InputError } from '../errors.ts'
import type { Optimiser } from './optimiser.ts'

interface KernelExports {
  sumOfSquares(values: number, count: number): number
  adam(...pointersAndNumbers: number[]): void
  polyak(value: number, target: number, count: number, rate: number): void
}

const binary = fileURLToPath(new URL('../../build/kernels/adam.wasm', import.meta.url))
let compiled: WebAssembly.Module | undefined

function kernelModule(): WebAssembly.Module {
  if (compiled) return compiled
  let bytes: Uint8Array<ArrayBuffer>
  try {
    bytes = new Uint8Array(readFileSync(binary))
  } catch (cause) {
    throw new InputError('build/kernels/adam.wasm', 'cannot be read', 'Run `node scripts/setup.mjs`.', { cause })
  }
  return (compiled = new WebAssembly.Module(bytes))
}

/** An optimiser for views of `memory`; they must be views of this memory and not begin at byte 0. */
export function kernelOptimiser(memory: WebAssembly.Memory): Optimiser {
  const exports = new WebAssembly.Instance(kernelModule(), { env: { memory } }).exports as unknown as KernelExports
  return {
    sumOfSquares: (values) => exports.sumOfSquares(values.byteOffset, values.length),
    adam: ({ value, gradient, moment1, moment2, target }, c) =>
      exports.adam(
        value.byteOffset,
        gradient.byteOffset,
        moment1.byteOffset,
        moment2.byteOffset,
        target?.byteOffset ?? 0,
        value.length,
        c.gradientScale,
        c.beta1,
        c.beta2,
        1 - c.beta1,
        1 - c.beta2,
        c.step,
        c.secondScale,
        c.epsilon,
        c.targetRate,
      ),
    polyak: (value, target, rate) => exports.polyak(value.byteOffset, target.byteOffset, value.length, rate),
  }
}
