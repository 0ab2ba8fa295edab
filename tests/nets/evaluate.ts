/** @file Evaluates symbolic tensors once; parameters come from a layout with a seed. */
import { compile, constant, type Tensor } from '../../src/graph/index.ts'
import { initialise, type Layout, type Parameters } from '../../src/nets/index.ts'
import { RandomStream } from '../../src/random/stream.ts'

export async function evaluate<Names extends string>(outputs: Record<Names, Tensor>): Promise<Record<Names, number[]>> {
  const program = await compile({ name: 'test', outputs, threads: 1 })
  await program.run()
  const values = Object.keys(outputs).map((name) => [name, Array.from(program.outputs[name]!)])
  await program.release()
  return Object.fromEntries(values)
}

/** Standard normal values as a constant tensor. */
export function normal(seed: number, ...shape: number[]): Tensor {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1))
  return constant(new RandomStream(seed, 'test').fillNormal(values), shape)
}

/** The values that a layout gets from a seed. */
export function valuesOf(layout: Layout, seed: number): Record<string, Float32Array> {
  const sizes = Object.entries(layout).map(([name, { shape }]) => [name, shape.reduce((a, b) => a * b, 1)] as const)
  const values = Object.fromEntries(sizes.map(([name, size]) => [name, new Float32Array(size)]))
  initialise(layout, (name) => values[name]!, new RandomStream(seed, 'initialisation'))
  return values
}

/** Constants in the layout's shapes, all of them random: norms are not the identity and biases not zero. */
export function randomParameters(layout: Layout, seed: number): Parameters {
  const tensors = Object.entries(layout).map(([name, { shape }], i) => [name, normal(seed + i, ...shape)])
  return Object.fromEntries(tensors)
}

/** Largest difference of two lists. */
export const distance = (a: readonly number[], b: readonly number[]): number =>
  a.length === b.length ? Math.max(...a.map((value, i) => Math.abs(value - b[i]!))) : Number.POSITIVE_INFINITY
