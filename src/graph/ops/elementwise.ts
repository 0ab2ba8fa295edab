/** @file Elementwise arithmetic, comparison and selection, with numpy broadcasting. */

import { InputError } from '../../errors.ts'
import { toTensors } from '../leaves.ts'
import { dataType } from '../onnx/schema.ts'
import { broadcastShapes } from '../shapes.ts'
import { apply, type DType, requireDType, type Tensor, type TensorLike, type TensorOperation } from '../tensor.ts'
import { sumTo } from './reduce.ts'

type Vjp = TensorOperation['vjp']

function binary(name: string, onnx: string, vjp: Vjp, ...dtypes: DType[]): TensorOperation {
  return {
    name,
    infer: (inputs) => {
      const dtype = requireDType(name, inputs, ...(dtypes.length ? dtypes : (['f32', 'i32'] as const)))
      return { shape: broadcastShapes(name, inputs[0].shape, inputs[1].shape), dtype }
    },
    emit: (writer, inputs) => writer.add(onnx, inputs),
    vjp,
  }
}

function comparison(name: string, onnx: string): TensorOperation {
  return {
    name,
    infer: (inputs) => {
      requireDType(name, inputs, 'f32', 'i32')
      return { shape: broadcastShapes(name, inputs[0].shape, inputs[1].shape), dtype: 'bool' }
    },
    emit: (writer, inputs) => writer.add(onnx, inputs),
    vjp: null,
  }
}

function unary(name: string, onnx: string, vjp: Vjp, ...dtypes: DType[]): TensorOperation {
  return {
    name,
    infer: (inputs) => ({
      shape: inputs[0].shape,
      dtype: requireDType(name, inputs, ...(dtypes.length ? dtypes : (['f32'] as const))),
    }),
    emit: (writer, inputs) => writer.add(onnx, inputs),
    vjp,
  }
}

/** Gradients of maximum and minimum: to the operand that won; a tie is shared in equal parts. */
const extremum = (wins: (a: Tensor, b: Tensor) => Tensor): Vjp => {
  return ({ inputs: [a, b] }, gradient) => {
    const half = mul(gradient, 0.5)
    return [
      sumTo(where(wins(a, b), gradient, where(wins(b, a), 0, half)), a.shape),
      sumTo(where(wins(b, a), gradient, where(wins(a, b), 0, half)), b.shape),
    ]
  }
}

export const elementwise = {
  add: binary('add', 'Add', ({ inputs: [a, b] }, g) => [sumTo(g, a.shape), sumTo(g, b.shape)]),
  sub: binary('sub', 'Sub', ({ inputs: [a, b] }, g) => [sumTo(g, a.shape), sumTo(neg(g), b.shape)]),
  mul: binary('mul', 'Mul', ({ inputs: [a, b] }, g) => [sumTo(mul(g, b), a.shape), sumTo(mul(g, a), b.shape)]),
  div: binary(
    'div',
    'Div',
    (node, g) => {
      const [a, b] = node.inputs
      const toA = div(g, b)
      return [sumTo(toA, a.shape), sumTo(neg(mul(toA, node)), b.shape)]
    },
    'f32',
  ),
  maximum: binary(
    'maximum',
    'Max',
    extremum((a, b) => greater(a, b)),
  ),
  minimum: binary(
    'minimum',
    'Min',
    extremum((a, b) => less(a, b)),
  ),

  greater: comparison('greater', 'Greater'),
  less: comparison('less', 'Less'),
  equal: comparison('equal', 'Equal'),

  neg: unary('neg', 'Neg', (_, g) => [neg(g)], 'f32', 'i32'),
  exp: unary('exp', 'Exp', (node, g) => [mul(g, node)]),
  log: unary('log', 'Log', ({ inputs: [x] }, g) => [div(g, x)]),
  sqrt: unary('sqrt', 'Sqrt', (node, g) => [div(mul(g, 0.5), node)]),
  abs: unary('abs', 'Abs', ({ inputs: [x] }, g) => [mul(g, sign(x))]),
  sign: unary('sign', 'Sign', null),
  sin: unary('sin', 'Sin', ({ inputs: [x] }, g) => [mul(g, cos(x))]),
  cos: unary('cos', 'Cos', ({ inputs: [x] }, g) => [neg(mul(g, sin(x)))]),
  square: {
    ...unary('square', 'Mul', ({ inputs: [x] }, g) => [mul(mul(g, 2), x)]),
    emit: (writer, [x]) => writer.add('Mul', [x, x]),
  } satisfies TensorOperation,

  clip: {
    ...unary('clip', 'Clip', (node, g) => [where(equal(node.inputs[0], node), g, 0)]),
    emit: (writer, [x], { attributes }) => {
      const { low, high } = attributes as { low: number; high: number }
      return writer.add('Clip', [x, writer.scalar(low), writer.scalar(high)])
    },
  } satisfies TensorOperation,

  where: {
    name: 'where',
    infer: ([condition, a, b]) => {
      requireDType('where', [condition], 'bool')
      const dtype = requireDType('where', [a, b], 'f32', 'i32')
      return { shape: broadcastShapes('where', condition.shape, a.shape, b.shape), dtype }
    },
    emit: (writer, inputs) => writer.add('Where', inputs),
    vjp: ({ inputs: [condition, a, b] }, g) => [
      undefined,
      sumTo(where(condition, g, 0), a.shape),
      sumTo(where(condition, 0, g), b.shape),
    ],
  } satisfies TensorOperation,

  cast: {
    name: 'cast',
    infer: ([x], { dtype }) => ({ shape: x.shape, dtype: dtype as DType }),
    emit: (writer, inputs, node) => writer.add('Cast', inputs, { to: dataType[node.dtype] }),
    vjp: null,
  } satisfies TensorOperation,
}

const binaryFunction = (operation: TensorOperation) => (a: TensorLike, b: TensorLike) =>
  apply(operation, toTensors(a, b))
const unaryFunction = (operation: TensorOperation) => (x: TensorLike) => apply(operation, toTensors(x))

export const add = binaryFunction(elementwise.add)
export const sub = binaryFunction(elementwise.sub)
export const mul = binaryFunction(elementwise.mul)
export const div = binaryFunction(elementwise.div)
/** Elementwise larger operand; a tie shares its gradient. */
export const maximum = binaryFunction(elementwise.maximum)
/** Elementwise smaller operand; a tie shares its gradient. */
export const minimum = binaryFunction(elementwise.minimum)
export const greater = binaryFunction(elementwise.greater)
export const less = binaryFunction(elementwise.less)
export const equal = binaryFunction(elementwise.equal)
export const neg = unaryFunction(elementwise.neg)
export const exp = unaryFunction(elementwise.exp)
export const log = unaryFunction(elementwise.log)
export const sqrt = unaryFunction(elementwise.sqrt)
export const abs = unaryFunction(elementwise.abs)
/** -1, 0 or 1; without gradient. */
export const sign = unaryFunction(elementwise.sign)
export const sin = unaryFunction(elementwise.sin)
export const cos = unaryFunction(elementwise.cos)
export const square = unaryFunction(elementwise.square)

/** Limits x to [low, high]. The gradient passes inside, edges included, and stops outside. */
export function clip(x: TensorLike, low: number, high: number): Tensor {
  if (!(low <= high)) throw new InputError('clip', `has limits ${low} and ${high}`, 'Give low <= high.')
  return apply(elementwise.clip, toTensors(x), { low, high })
}

/** a where the condition (bool) holds, else b. */
export function where(condition: Tensor, a: TensorLike, b: TensorLike): Tensor {
  return apply(elementwise.where, [condition, ...toTensors(a, b)])
}

/** Converts between dtypes; bool becomes 0 or 1, f32 to i32 cuts toward zero. Without gradient. */
export const cast = (x: Tensor, dtype: DType): Tensor => apply(elementwise.cast, [x], { dtype })
