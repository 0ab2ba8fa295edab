/** @file Symbolic tensors: immutable nodes of a directed acyclic graph with static shapes, and what an operation is. */

import { InputError } from '../errors.ts'
import type { ModelWriter } from './onnx/writer.ts'

/** Element type. 'i32' serves as index, 'bool' as condition, 'i8' as codes of quantised weights; only 'f32' carries gradients. */
export type DType = 'f32' | 'i32' | 'i8' | 'bool'
export type Shape = readonly number[]
export type Attributes = Readonly<Record<string, unknown>>

/** Where a parameter leaf finds its values: one tensor of one run of a parameter store. */
export interface Binding {
  readonly store: object
  readonly group: string
  readonly name: string
  readonly view: Float32Array<ArrayBuffer>
}

export interface Inferred {
  shape: Shape
  dtype: DType
}

/** As many as an operation takes, which its row knows: the first ones are there without asking. */
export type Operands<T> = readonly T[] & { readonly 0: T; readonly 1: T; readonly 2: T }

/** One row of the operation table. */
export interface TensorOperation {
  readonly name: string
  /** Shape rule. Throws a ShapeError that names the operation where operands do not fit. */
  infer(inputs: Operands<Tensor>, attributes: Attributes): Inferred
  /** Writes the ONNX nodes; returns the name of the value that holds the result. */
  emit(writer: ModelWriter, inputs: Operands<string>, node: Tensor): string
  /**
   * Vector-Jacobian product: the gradient of the loss to each operand, given `gradient`, the one to the result (of the
   * result's shape). Undefined for an operand through which nothing flows; null for an operation without derivative.
   */
  readonly vjp: ((node: Tensor, gradient: Tensor) => readonly (Tensor | undefined)[]) | null
}

/** A node of the graph. Made by the functions of `ops/`, never changed afterwards. */
export class Tensor {
  constructor(
    readonly operation: TensorOperation,
    readonly inputs: Operands<Tensor>,
    readonly attributes: Attributes,
    readonly shape: Shape,
    readonly dtype: DType,
  ) {}

  get rank(): number {
    return this.shape.length
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape)
  }
}

export type TensorLike = Tensor | number

export const sizeOf = (shape: Shape): number => shape.reduce((product, extent) => product * extent, 1)

/** Makes the node of `operation`, with shape and dtype from its rule. */
export function apply(operation: TensorOperation, inputs: readonly Tensor[], attributes: Attributes = {}): Tensor {
  const operands = inputs as Operands<Tensor>
  const { shape, dtype } = operation.infer(operands, attributes)
  return new Tensor(operation, operands, attributes, shape, dtype)
}

/** Throws unless every operand has the dtype that `operation` computes on. */
export function requireDType(operation: string, inputs: readonly Tensor[], ...allowed: DType[]): DType {
  for (const [index, tensor] of inputs.entries())
    if (!allowed.includes(tensor.dtype))
      throw new InputError(
        `${operation}: operand ${index} of shape [${tensor.shape}]`,
        `has dtype ${tensor.dtype}, expected ${allowed.join(' or ')}`,
        'Convert it with cast().',
      )
  const dtype = inputs[0]!.dtype
  const odd = inputs.findIndex((tensor) => tensor.dtype !== dtype)
  if (odd > 0)
    throw new InputError(
      `${operation}: operand ${odd}`,
      `has dtype ${inputs[odd]!.dtype}, operand 0 has ${dtype}`,
      'Convert one of them with cast().',
    )
  return dtype
}
