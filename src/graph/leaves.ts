/** @file The leaves of a graph: inputs fed at each run, constants, and parameters that live in a store. */

import { InputError, ShapeError } from '../errors.ts'
import {
  type Attributes,
  apply,
  type Binding,
  type DType,
  type Shape,
  sizeOf,
  Tensor,
  type TensorLike,
  type TensorOperation,
} from './tensor.ts'

const leaf = (name: string): TensorOperation => ({
  name,
  infer: (_, attributes) => ({ shape: attributes.shape as Shape, dtype: attributes.dtype as DType }),
  emit: (writer, _, node) => writer.leaf(node),
  vjp: null,
})

/** The leaf kinds; operations proper are in `ops.ts`. */
export const leaves = {
  input: leaf('input'),
  constant: leaf('constant'),
  parameter: leaf('parameter'),
  stored: leaf('stored'),
} satisfies Record<string, TensorOperation>

export const isLeaf = (tensor: Tensor): boolean => tensor.operation.name in leaves

/** A value that the caller writes before each run; `name` keys `Program.inputs`. */
export function input(name: string, shape: Shape, dtype: DType = 'f32'): Tensor {
  if (dtype === 'bool' || dtype === 'i8')
    throw new InputError(`input ${name}`, `has dtype ${dtype}`, "Feed 'f32' or 'i32' and compare it inside the graph.")
  requireExtents(`input ${name}`, shape)
  return apply(leaves.input, [], { name, shape: [...shape], dtype })
}

/** A fixed value. Numbers and number[] become f32, an Int32Array i32, an Int8Array i8. A scalar has shape []. */
export function constant(
  data: number | readonly number[] | Float32Array | Int32Array | Int8Array,
  shape?: Shape,
): Tensor {
  const values =
    typeof data === 'number'
      ? Float32Array.of(data)
      : data instanceof Float32Array || data instanceof Int32Array || data instanceof Int8Array
        ? data
        : Float32Array.from(data)
  const extents = shape ?? (typeof data === 'number' ? [] : [values.length])
  requireExtents('constant', extents)
  if (sizeOf(extents) !== values.length)
    throw new ShapeError('constant: shape', extents, [`${values.length} elements`], 'the shape must hold all values')
  return apply(leaves.constant, [], {
    values,
    shape: [...extents],
    dtype: values instanceof Int32Array ? 'i32' : values instanceof Int8Array ? 'i8' : 'f32',
  })
}

/** A tensor of a parameter store; see `ParameterStore.tensors`. */
export function parameter(binding: Binding, shape: Shape): Tensor {
  const attributes: Attributes = { binding, shape: [...shape], dtype: 'f32' }
  return apply(leaves.parameter, [], attributes)
}

/** Where a frozen weight lies in a file: row-major, little-endian. */
export type Storage = {
  path: string
  offset: number // bytes from the start of the file
  dtype: 'F32' | 'F16' | 'BF16' | 'I8'
}

/** A fixed value that stays in its file: onnxruntime maps it, and widens F16 and BF16 exactly to f32; I8 stays i8. */
export function stored(storage: Storage, shape: Shape): Tensor {
  requireExtents(`stored ${storage.path}`, shape)
  return apply(leaves.stored, [], { storage, shape: [...shape], dtype: storage.dtype === 'I8' ? 'i8' : 'f32' })
}

export const storageOf = (tensor: Tensor): Storage => tensor.attributes.storage as Storage

export const bindingOf = (tensor: Tensor): Binding => tensor.attributes.binding as Binding

export const constantValues = (tensor: Tensor): Float32Array | Int32Array | Int8Array =>
  tensor.attributes.values as Float32Array | Int32Array | Int8Array

/** The one value of a constant whose elements are all equal; undefined for every other tensor. */
export function uniformValue(tensor: Tensor): number | undefined {
  if (tensor.operation !== leaves.constant) return undefined
  const values = constantValues(tensor)
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return undefined
  return values[0]
}

/** Numbers become scalar constants of the dtype of the first tensor in the list. */
export function toTensors(...list: TensorLike[]): Tensor[] {
  const dtype = list.find((item): item is Tensor => item instanceof Tensor)?.dtype ?? 'f32'
  return list.map((item) =>
    item instanceof Tensor ? item : constant(dtype === 'i32' ? Int32Array.of(item) : Float32Array.of(item), []),
  )
}

export const filled = (shape: Shape, value: number): Tensor =>
  constant(new Float32Array(sizeOf(shape)).fill(value), shape)

function requireExtents(where: string, shape: Shape) {
  if (shape.some((extent) => !Number.isInteger(extent) || extent < 1))
    throw new ShapeError(
      `${where}: shape`,
      shape,
      ['positive integers'],
      'shapes are static; every extent must be known',
    )
}
