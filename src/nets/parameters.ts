/** @file A network's parameters: tensors by name, and the layout (shapes and initial values) that a store is made from. */
import { InputError } from '../errors.ts'
import type { Tensor } from '../graph/index.ts'
import type { RandomStream } from '../random/stream.ts'

/** The tensors of one network, by field name: 'trunk.0.dense.kernel', 'out.bias', ... */
export type Parameters = Readonly<Record<string, Tensor>>

/** `standardDeviation` 0 fills with `mean`. */
export type ParameterSpec = { shape: readonly number[]; mean: number; standardDeviation: number }

/** All tensors of one network, in the order in which they are initialised and stored. */
export type Layout = Readonly<Record<string, ParameterSpec>>

/** @throws InputError if the network has no such parameter */
export function parameterNamed(parameters: Parameters, name: string): Tensor {
  const tensor = parameters[name]
  if (!tensor) {
    const known = Object.keys(parameters).join(', ')
    throw new InputError(`parameter ${name}`, 'is not in this group', `It has: ${known}; compare the network's layout.`)
  }
  return tensor
}

/** Shapes by name, as `ParameterStore` takes them. */
export const shapesOf = (layout: Layout): Record<string, number[]> =>
  Object.fromEntries(Object.entries(layout).map(([name, { shape }]) => [name, [...shape]]))

/**
 * Dense kernel [...owners, inputs, outputs] with variance gain² / inputs (LeCun), zero bias [...owners, outputs].
 * `owners` are leading axes that own their parameters: [task, member] for the critics, none for the actors.
 */
export function denseLayout(
  name: string,
  inputs: number,
  outputs: number,
  { owners = [], gain = 1 }: { owners?: readonly number[]; gain?: number } = {},
): Layout {
  return {
    [`${name}.kernel`]: { shape: [...owners, inputs, outputs], mean: 0, standardDeviation: gain / Math.sqrt(inputs) },
    [`${name}.bias`]: { shape: [...owners, outputs], mean: 0, standardDeviation: 0 },
  }
}

/** Dense, then a norm with scale 1 and bias 0. */
export function blockLayout(name: string, inputs: number, outputs: number, owners: readonly number[] = []): Layout {
  return {
    ...denseLayout(`${name}.dense`, inputs, outputs, { owners }),
    [`${name}.norm.scale`]: { shape: [...owners, outputs], mean: 1, standardDeviation: 0 },
    [`${name}.norm.bias`]: { shape: [...owners, outputs], mean: 0, standardDeviation: 0 },
  }
}

/** Blocks 'trunk.0', 'trunk.1', ... of equal width. */
export function trunkLayout(inputs: number, width: number, depth: number, owners: readonly number[] = []): Layout {
  const blocks = Array.from({ length: depth }, (_, i) => blockLayout(`trunk.${i}`, i ? width : inputs, width, owners))
  return Object.assign({}, ...blocks)
}

/** Fills every tensor of the layout in its order. `view(name)` is the writable storage of one tensor. */
export function initialise(layout: Layout, view: (name: string) => Float32Array, stream: RandomStream): void {
  for (const [name, { mean, standardDeviation }] of Object.entries(layout)) {
    const values = view(name)
    if (standardDeviation === 0) values.fill(mean)
    else for (let i = 0; i < values.length; i++) values[i] = mean + standardDeviation * stream.normal()
  }
}
