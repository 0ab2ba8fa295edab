/** @file Operations that move elements and compute nothing: reshape, expand, concat, slice, pad. */

import { InputError, ShapeError } from '../../errors.ts'
import { broadcastShapes, normaliseAxis, resolveShape, sameShape } from '../shapes.ts'
import { apply, requireDType, type Shape, type Tensor, type TensorOperation } from '../tensor.ts'
import { sumTo } from './reduce.ts'

type SliceAttributes = { axis: number; start: number; stop: number; step: number }

export const shaping = {
  reshape: {
    name: 'reshape',
    infer: ([x], { shape }) => ({ shape: resolveShape(x.shape, shape as Shape), dtype: x.dtype }),
    emit: (writer, [x], node) => writer.add('Reshape', [x, writer.integers(node.shape)]),
    vjp: ({ inputs: [x] }, g) => [reshape(g, x.shape)],
  } satisfies TensorOperation,

  expand: {
    name: 'expand',
    infer: ([x], attributes) => {
      const shape = attributes.shape as Shape
      if (!sameShape(broadcastShapes('expand', x.shape, shape), shape))
        throw new ShapeError('expand: operand', x.shape, [`something that broadcasts to [${shape}]`])
      return { shape, dtype: x.dtype }
    },
    emit: (writer, [x], node) => writer.add('Expand', [x, writer.integers(node.shape)]),
    vjp: ({ inputs: [x] }, g) => [sumTo(g, x.shape)],
  } satisfies TensorOperation,

  concat: {
    name: 'concat',
    infer: (inputs, attributes) => {
      const axis = attributes.axis as number
      const [first] = inputs
      for (const [index, { shape }] of inputs.entries())
        if (shape.length !== first.rank || shape.some((extent, i) => i !== axis && extent !== first.shape[i]))
          throw new ShapeError(
            `concat: operand ${index}`,
            shape,
            first.shape.map((extent, i) => (i === axis ? 'any' : extent)),
            `all axes but ${axis} must agree`,
          )
      const total = inputs.reduce((sum, { shape }) => sum + shape[axis]!, 0)
      return { shape: first.shape.with(axis, total), dtype: requireDType('concat', inputs, 'f32', 'i32') }
    },
    emit: (writer, inputs, { attributes }) => writer.add('Concat', inputs, { axis: attributes.axis as number }),
    vjp: ({ inputs, attributes }, g) => {
      const axis = attributes.axis as number
      let start = 0
      return inputs.map(({ shape }) => {
        const from = start
        start += shape[axis]!
        return slice(g, axis, from, start)
      })
    },
  } satisfies TensorOperation,

  slice: {
    name: 'slice',
    infer: ([x], attributes) => {
      const { axis, start, stop, step } = attributes as SliceAttributes
      if (!(start >= 0 && start < stop && stop <= x.shape[axis]! && step >= 1))
        throw new InputError(
          `slice of [${x.shape}]`,
          `takes ${start}..${stop} of axis ${axis} in steps of ${step}`,
          `Give 0 <= start < stop <= ${x.shape[axis]} and step >= 1.`,
        )
      return { shape: x.shape.with(axis, Math.ceil((stop - start) / step)), dtype: x.dtype }
    },
    emit: (writer, [x], { attributes }) => {
      const { axis, start, stop, step } = attributes as SliceAttributes
      return writer.add('Slice', [x, ...[start, stop, axis, step].map((value) => writer.integers([value]))])
    },
    vjp: ({ inputs: [x], attributes }, g) => {
      const { axis, start, step } = attributes as SliceAttributes
      const spread = spreadAlong(g, axis, step)
      const after = x.shape[axis]! - start - spread.shape[axis]!
      return [
        pad(
          spread,
          x.shape.map((_, i) => (i === axis ? [start, after] : [0, 0])),
        ),
      ]
    },
  } satisfies TensorOperation,

  pad: {
    name: 'pad',
    infer: ([x], attributes) => {
      const widths = attributes.widths as readonly (readonly [number, number])[]
      if (widths.length !== x.rank || widths.flat().some((width) => !Number.isInteger(width) || width < 0))
        throw new InputError(
          `pad of [${x.shape}]`,
          `has widths ${JSON.stringify(widths)}`,
          'Give [before, after] >= 0 for each axis.',
        )
      const dtype = requireDType('pad', [x], 'f32')
      return { shape: x.shape.map((extent, i) => widths[i]![0] + extent + widths[i]![1]!), dtype }
    },
    emit: (writer, [x], { attributes }) => {
      const widths = attributes.widths as [number, number][]
      return writer.add('Pad', [
        x,
        writer.integers([...widths.map(([before]) => before), ...widths.map(([, after]) => after)]),
      ])
    },
    vjp: ({ inputs: [x], attributes }, g) => {
      const widths = attributes.widths as [number, number][]
      return [widths.reduce((part, [before], axis) => slice(part, axis, before, before + x.shape[axis]!), g)]
    },
  } satisfies TensorOperation,
}

/** The same elements, row-major, in another shape; one -1 is worked out. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const resolved = resolveShape(x.shape, shape)
  return sameShape(x.shape, resolved) ? x : apply(shaping.reshape, [x], { shape: resolved })
}

/** Repeats axes of extent 1 (and adds leading ones) up to `shape`. */
export function expand(x: Tensor, shape: Shape): Tensor {
  return sameShape(x.shape, shape) ? x : apply(shaping.expand, [x], { shape: [...shape] })
}

/** Inserts an axis of extent 1 so that it is axis `axis` of the result. */
export function unsqueeze(x: Tensor, axis: number): Tensor {
  const at = normaliseAxis('unsqueeze', axis, [...x.shape, 1])
  return reshape(x, x.shape.toSpliced(at, 0, 1))
}

/** Removes an axis of extent 1. */
export function squeeze(x: Tensor, axis: number): Tensor {
  const at = normaliseAxis('squeeze', axis, x.shape)
  if (x.shape[at] !== 1) throw new ShapeError('squeeze: operand', x.shape, [`extent 1 on axis ${axis}`])
  return reshape(x, x.shape.toSpliced(at, 1))
}

/** Joins tensors along an existing axis. */
export function concat(list: readonly Tensor[], axis: number): Tensor {
  if (list.length === 0) throw new InputError('concat', 'has no operands', 'Give at least one tensor.')
  return list.length === 1
    ? list[0]!
    : apply(shaping.concat, list, { axis: normaliseAxis('concat', axis, list[0]!.shape) })
}

/** Joins tensors of one shape along a new axis. */
export const stack = (list: readonly Tensor[], axis: number): Tensor => {
  if (list.length === 0) throw new InputError('stack', 'has no operands', 'Give at least one tensor.')
  const at = normaliseAxis('stack', axis, [...list[0]!.shape, 1])
  return concat(
    list.map((item) => unsqueeze(item, at)),
    at,
  )
}

/** Elements start, start + step, ... before stop of one axis; negative ends count from the end. */
export function slice(x: Tensor, axis: number, start: number, stop: number, step = 1): Tensor {
  const at = normaliseAxis('slice', axis, x.shape)
  const extent = x.shape[at]
  const from = start < 0 ? start + extent! : start
  const to = stop < 0 ? stop + extent! : stop
  if (from === 0 && to === extent && step === 1) return x
  return apply(shaping.slice, [x], { axis: at, start: from, stop: to, step } satisfies SliceAttributes)
}

/** Adds zeros: widths[i] = [before, after] for each axis. */
export function pad(x: Tensor, widths: readonly (readonly number[])[]): Tensor {
  if (widths.length === x.rank && widths.flat().every((width) => width === 0)) return x
  return apply(shaping.pad, [x], { widths: widths.map(([before, after]) => [before, after]) })
}

/** Puts step - 1 zeros between neighbours of one axis: what a strided slice does to a gradient. */
function spreadAlong(x: Tensor, axis: number, step: number): Tensor {
  if (step === 1) return x
  const count = x.shape[axis]
  const cells = unsqueeze(x, axis + 1)
  const widths = cells.shape.map((_, i) => (i === axis + 1 ? [0, step - 1] : [0, 0]))
  const spread = reshape(pad(cells, widths), x.shape.with(axis, count! * step))
  return slice(spread, axis, 0, (count! - 1) * step + 1)
}
