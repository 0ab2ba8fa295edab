/**
 * @file Every operation of the table: its values against a double-precision reference, its gradient against finite
 * differences of that reference. An operation without a case fails.
 */

import { describe, expect, test } from 'vitest'
import * as g from '../../src/graph/index.ts'
import { half } from '../../src/graph/ops/half.ts'
import { operations } from '../../src/graph/ops.ts'
import { apply, type Tensor } from '../../src/graph/tensor.ts'
import { at, broadcastAt, build, count, erf, type Grid, indicesOf, ragged, reduceOver } from './reference.ts'

interface Case {
  what?: string
  /** Operands: a shape (filled with ragged values) or a grid. */
  operands: (readonly number[] | Grid)[]
  make: (...tensors: Tensor[]) => Tensor
  reference: (...grids: Grid[]) => Grid
  /** Where the gradient is not the derivative by definition: what it is, for a gradient of ones. */
  gradient?: number[][]
}

/** Of a product in eight bits: three columns. */
const CODES = [3, -50, 7, 1, 90, -127, 127, 0, 12, -64, 5, 33]
const SCALES = [0.01, 0.02, 0.005]

const grid = (shape: readonly number[], values: number[]): Grid => ({ shape, values })
const positive = (shape: readonly number[]): Grid =>
  grid(
    shape,
    ragged(count(shape)).map((value) => Math.abs(value) + 0.3),
  )

const pairwise = (
  make: (a: g.TensorLike, b: g.TensorLike) => Tensor,
  f: (a: number, b: number) => number,
  second: (shape: readonly number[]) => readonly number[] | Grid = (shape) => shape,
): Case[] =>
  [
    { a: [2, 3], b: [2, 3], out: [2, 3] },
    { a: [2, 3], b: [3], out: [2, 3] },
    { a: [2, 1, 3], b: [4, 1], out: [2, 4, 3] },
    { a: [], b: [2, 2], out: [2, 2] },
  ].map(({ a, b, out }) => ({
    what: `[${a}] and [${b}]`,
    operands: [a, second(b)],
    make: (x, y) => make(x, y),
    reference: (x, y) => build(out, (index) => f(broadcastAt(x, index), broadcastAt(y, index))),
  }))

const single = (
  make: (x: Tensor) => Tensor,
  f: (x: number) => number,
  operand: readonly number[] | Grid = [3, 4],
): Case[] => [{ operands: [operand], make, reference: ({ shape, values }) => grid(shape, values.map(f)) }]

const compared = (make: (a: g.TensorLike, b: g.TensorLike) => Tensor, f: (a: number, b: number) => boolean): Case[] =>
  pairwise(
    (a, b) => g.cast(make(a, b), 'f32'),
    (a, b) => (f(a, b) ? 1 : 0),
    (shape) => grid(shape, ragged(count(shape), 2)),
  )

const reduced = (
  make: (x: Tensor, axes?: number | number[], keepDims?: boolean) => Tensor,
  f: (values: number[]) => number,
): Case[] =>
  [
    { axes: undefined, list: [0, 1, 2], keep: false },
    { axes: [0], list: [0], keep: false },
    { axes: -1, list: [2], keep: true },
    { axes: [0, 1], list: [0, 1], keep: false },
    { axes: [2, 0], list: [0, 2], keep: true },
  ].map(({ axes, list, keep }) => ({
    what: `axes ${axes}, kept ${keep}`,
    operands: [[2, 3, 4]],
    make: (x) => make(x, axes, keep),
    reference: (x) => reduceOver(x, list, keep, f),
  }))

function product(a: Grid, b: Grid, out: readonly number[]): Grid {
  const inner = a.shape.at(-1)!
  return build(out, (index) => {
    const [row, column] = index.slice(-2)
    const batch = index.slice(0, -2)
    let sum = 0
    for (let k = 0; k < inner; k++)
      sum += broadcastAt(a, [...batch, row!, k!]) * broadcastAt(b, [...batch, k!, column!])
    return sum
  })
}

const multiplied = (...list: [readonly number[], readonly number[], readonly number[]][]): Case[] =>
  list.map(([a, b, out]) => ({
    what: `[${a}] @ [${b}]`,
    operands: [a, grid(b, ragged(count(b), 1))],
    make: g.matmul,
    reference: (x, y) => product(x, y, out),
  }))

const layerNorm = (x: Grid, scale: Grid, bias: Grid, epsilon: number): Grid =>
  build(x.shape, (index) => {
    const width = x.shape.at(-1)!
    const row = Array.from({ length: width }, (_, i) => at(x, [...index.slice(0, -1), i]))
    const mean = row.reduce((a, b) => a + b) / width
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width
    const normal = (at(x, index) - mean) / Math.sqrt(variance + epsilon)
    return normal * broadcastAt(scale, index) + broadcastAt(bias, index)
  })

const normalised = (shape: number[], epsilon: number, scale = [shape.at(-1)!], bias = scale): Case => ({
  what: `[${shape}], scale [${scale}], epsilon ${epsilon}`,
  operands: [shape, grid(scale, ragged(count(scale), 1)), grid(bias, ragged(count(bias), 2))],
  make: (x, s, b) => g.layerNorm(x, s, b, epsilon),
  reference: (x, s, b) => layerNorm(x, s, b, epsilon),
})

type Convolved = {
  image: number[]
  kernel: number[]
  stride?: number
  dilation?: number
  padding?: number | [number, number, number, number]
}

/** Sums written out position by position. */
function convolve(
  x: Grid,
  kernel: Grid,
  { stride = 1, dilation = 1, padding = 0 }: Convolved,
  image: readonly number[],
): Grid {
  const [top, left, bottom, right] = typeof padding === 'number' ? [padding, padding, padding, padding] : padding
  const [, channels, height, width] = image
  const [outputs, , rows, columns] = kernel.shape
  const count = (size: number, extent: number) => Math.floor((size - (extent - 1) * dilation - 1) / stride) + 1
  return build(
    [image[0]!, outputs!, count(height! + top + bottom, rows!), count(width! + left + right, columns!)],
    ([b, o, i, j]) => {
      let sum = 0
      for (let c = 0; c < channels!; c++)
        for (let k = 0; k < rows!; k++)
          for (let l = 0; l < columns!; l++) {
            const [y, z] = [i! * stride + k * dilation - top, j! * stride + l * dilation - left]
            if (y >= 0 && y < height! && z >= 0 && z < width!) sum += at(x, [b!, c, y, z]) * at(kernel, [o!, c, k, l])
          }
      return sum
    },
  )
}

/** Each y goes back to every pixel that `convolve` made it of. */
function convolvedBack(y: Grid, kernel: Grid, { image, stride = 1, dilation = 1, padding = 0 }: Convolved): Grid {
  const [top, left] = typeof padding === 'number' ? [padding, padding] : padding
  const [, channels, height, width] = image
  const x = new Map<string, number>()
  for (const [b, o, i, j] of indicesOf(y.shape))
    for (const [, c, k, l] of indicesOf([1, channels!, ...kernel.shape.slice(2)])) {
      const place = [b, c, i! * stride + k! * dilation - top, j! * stride + l! * dilation - left].join()
      x.set(place, (x.get(place) ?? 0) + at(y, [b!, o!, i!, j!]) * at(kernel, [o!, c!, k!, l!]))
    }
  return build([image[0]!, channels!, height!, width!], (index) => x.get(index.join()) ?? 0)
}

const convolutionCases: Convolved[] = [
  { image: [1, 2, 3, 4], kernel: [2, 2, 1, 1] },
  { image: [2, 2, 4, 3], kernel: [3, 2, 3, 2], padding: 1 },
  { image: [1, 2, 6, 6], kernel: [2, 2, 3, 3], stride: 2, padding: [0, 0, 1, 1] },
  { image: [2, 1, 6, 5], kernel: [2, 1, 2, 3], stride: 3, padding: [1, 0, 0, 2] },
  { image: [1, 1, 7, 6], kernel: [2, 1, 3, 2], stride: 2, dilation: 2, padding: [2, 1, 0, 1] },
]

const indices = (values: number[], shape = [values.length]) => g.constant(Int32Array.from(values), shape)
const phi = (x: number) => 0.5 * (1 + erf(x / Math.SQRT2))

const cases: Record<string, Case[]> = {
  add: pairwise(g.add, (a, b) => a + b),
  sub: pairwise(g.sub, (a, b) => a - b),
  mul: pairwise(g.mul, (a, b) => a * b),
  div: pairwise(g.div, (a, b) => a / b, positive),
  maximum: [
    ...pairwise(g.maximum, Math.max, (shape) => grid(shape, ragged(count(shape), 2))),
    {
      what: 'a tie',
      operands: [grid([3], [1, 2, 3]), grid([3], [1, 3, 2])],
      make: g.maximum,
      reference: () => grid([3], [1, 3, 3]),
      gradient: [
        [0.5, 0, 1],
        [0.5, 1, 0],
      ],
    },
  ],
  minimum: [
    ...pairwise(g.minimum, Math.min, (shape) => grid(shape, ragged(count(shape), 2))),
    {
      what: 'a tie',
      operands: [grid([3], [1, 2, 3]), grid([3], [1, 3, 2])],
      make: g.minimum,
      reference: () => grid([3], [1, 2, 2]),
      gradient: [
        [0.5, 1, 0],
        [0.5, 0, 1],
      ],
    },
  ],
  greater: compared(g.greater, (a, b) => a > b),
  less: compared(g.less, (a, b) => a < b),
  equal: compared(g.equal, (a, b) => a === b),
  neg: single(g.neg, (x) => -x),
  exp: single(g.exp, Math.exp),
  log: single(g.log, Math.log, positive([3, 4])),
  sqrt: single(g.sqrt, Math.sqrt, positive([3, 4])),
  abs: single(g.abs, Math.abs),
  sign: single(g.sign, Math.sign),
  sin: single(g.sin, Math.sin),
  cos: single(g.cos, Math.cos),
  square: single(g.square, (x) => x * x),
  clip: [
    ...single(
      (x) => g.clip(x, -0.5, 0.75),
      (x) => Math.min(Math.max(x, -0.5), 0.75),
    ),
    {
      what: 'edges included',
      operands: [grid([5], [-2, -1, 0, 1, 2])],
      make: (x) => g.clip(x, -1, 1),
      reference: () => grid([5], [-1, -1, 0, 1, 1]),
      gradient: [[0, 1, 1, 1, 0]],
    },
    ...single(
      (x) => g.clip(x, 0, Number.POSITIVE_INFINITY),
      (x) => Math.max(x, 0),
    ),
  ],
  where: [
    {
      operands: [[2, 3], [3], [2, 1]],
      make: (condition, a, b) => g.where(g.greater(condition, 0), a, b),
      reference: (c, a, b) => build([2, 3], (i) => (at(c, i) > 0 ? broadcastAt(a, i) : broadcastAt(b, i))),
    },
  ],
  cast: single((x) => g.cast(g.cast(x, 'i32'), 'f32'), Math.trunc),

  tanh: single(g.tanh, Math.tanh),
  sigmoid: single(g.sigmoid, (x) => 1 / (1 + Math.exp(-x))),
  relu: single(g.relu, (x) => Math.max(x, 0)),
  erf: single(g.erf, erf),
  gelu: single(g.gelu, (x) => x * phi(x), grid([7], [-3, -1.2, -0.3, 0, 0.4, 1.1, 2.7])),
  geluTanh: single(
    g.geluTanh,
    (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
    grid([7], [-3, -1.2, -0.3, 0, 0.4, 1.1, 2.7]),
  ),

  matmul: [
    ...multiplied(
      [
        [2, 3],
        [3, 4],
        [2, 4],
      ],
      [
        [2, 5, 3],
        [3, 4],
        [2, 5, 4],
      ],
      [
        [2, 3, 5, 3],
        [3, 2],
        [2, 3, 5, 2],
      ],
      [
        [4, 2, 3],
        [4, 3, 2],
        [4, 2, 2],
      ],
      [
        [2, 3],
        [4, 3, 2],
        [4, 2, 2],
      ],
      [
        [2, 4, 5, 3],
        [2, 1, 3, 2],
        [2, 4, 5, 2],
      ],
      [
        [3, 4, 5, 3],
        [1, 1, 3, 2],
        [3, 4, 5, 2],
      ],
      [
        [2, 1, 5, 3],
        [1, 4, 3, 2],
        [2, 4, 5, 2],
      ],
    ),
    {
      what: 'vectors',
      operands: [[3], grid([3], [1, -2, 0.5])],
      make: g.matmul,
      reference: (a, b) => grid([], [a.values.reduce((sum, value, i) => sum + value * b.values[i]!, 0)]),
    },
    {
      what: 'both operands transposed',
      operands: [[2, 3, 4], grid([2, 5, 3], ragged(30, 1))],
      make: (a, b) => g.matmul(g.swapLast(a), g.swapLast(b)),
      reference: (a, b) =>
        build([2, 4, 5], ([n, i, j]) => [0, 1, 2].reduce((sum, k) => sum + at(a, [n!, k, i!]) * at(b, [n!, j!, k]), 0)),
    },
  ],
  transpose: [
    {
      operands: [[2, 3, 4]],
      make: (x) => g.transpose(x, [2, 0, 1]),
      reference: (x) => build([4, 2, 3], ([i, j, k]) => at(x, [j!, k!, i!])),
    },
    {
      what: 'twice, back to where it was',
      operands: [[2, 3]],
      make: (x) => g.mul(g.swapLast(g.swapLast(x)), x),
      reference: ({ shape, values }) =>
        grid(
          shape,
          values.map((value) => value * value),
        ),
    },
  ],

  reshape: [
    { operands: [[2, 6]], make: (x) => g.reshape(x, [3, -1]), reference: ({ values }) => grid([3, 4], values) },
    { operands: [[1]], make: (x) => g.reshape(x, []), reference: ({ values }) => grid([], values) },
  ],
  expand: [
    {
      operands: [[3, 1]],
      make: (x) => g.expand(x, [2, 3, 4]),
      reference: (x) => build([2, 3, 4], (index) => broadcastAt(x, index)),
    },
  ],
  concat: [
    {
      operands: [
        [2, 3],
        [2, 1],
        [2, 2],
      ],
      make: (...list) => g.concat(list, -1),
      reference: (...list) =>
        build(
          [2, 6],
          ([i, j]) => list.flatMap(({ shape, values }) => values.slice(i! * shape[1]!, (i! + 1) * shape[1]!))[j!]!,
        ),
    },
    {
      what: 'stack',
      operands: [
        [2, 3],
        [2, 3],
      ],
      make: (...list) => g.stack(list, 1),
      reference: (...list) => build([2, 2, 3], ([i, n, j]) => at(list[n!]!, [i!, j!])),
    },
  ],
  slice: [
    {
      operands: [[3, 5]],
      make: (x) => g.slice(x, 1, 1, 4),
      reference: (x) => build([3, 3], ([i, j]) => at(x, [i!, j! + 1])),
    },
    {
      what: 'strided',
      operands: [[3, 7]],
      make: (x) => g.slice(x, 1, 1, 6, 2),
      reference: (x) => build([3, 3], ([i, j]) => at(x, [i!, 2 * j! + 1])),
    },
    {
      what: 'parts that are used together',
      operands: [[2, 6]],
      make: (x) => g.mul(g.mul(g.slice(x, 1, 0, 2), g.slice(x, 1, 3, 5)), g.exp(g.slice(x, 1, 1, 3))),
      reference: (x) =>
        build([2, 2], ([i, j]) => at(x, [i!, j!]) * at(x, [i!, j! + 3]) * Math.exp(at(x, [i!, j! + 1]))),
    },
    {
      what: 'thirds with a gap at both ends',
      operands: [[2, 8]],
      make: (x) => g.mul(g.slice(x, 1, 1, 4), g.slice(x, 1, 4, 7)),
      reference: (x) => build([2, 3], ([i, j]) => at(x, [i!, j! + 1]) * at(x, [i!, j! + 4])),
    },
  ],
  pad: [
    {
      operands: [[2, 3]],
      make: (x) =>
        g.pad(x, [
          [1, 0],
          [2, 1],
        ]),
      reference: (x) => build([3, 6], ([i, j]) => (i! >= 1 && j! >= 2 && j! < 5 ? at(x, [i! - 1, j! - 2]) : 0)),
    },
  ],

  gather: [
    {
      operands: [[4, 3]],
      make: (table) => g.gather(table, indices([3, 1, 3, 3, 0, 1], [2, 3])),
      reference: (table) => build([2, 3, 3], ([i, j, k]) => at(table, [[3, 1, 3, 3, 0, 1][i! * 3 + j!]!, k!])),
    },
    {
      what: 'of scalars',
      operands: [[4]],
      make: (table) => g.gather(table, indices([2, 2, 1])),
      reference: ({ values }) => grid([3], [values[2]!, values[2]!, values[1]!]),
    },
  ],
  scatterAdd: [
    {
      operands: [[4, 2]],
      make: (updates) => g.scatterAdd(indices([2, 0, 2, 2]), updates, 3),
      reference: (updates) =>
        build([3, 2], ([row, j]) =>
          [2, 0, 2, 2].reduce((sum, r, n) => sum + (r === row ? at(updates, [n, j!]) : 0), 0),
        ),
    },
  ],

  sum: reduced(g.sum, (values) => values.reduce((a, b) => a + b)),
  mean: reduced(g.mean, (values) => values.reduce((a, b) => a + b) / values.length),
  max: [
    ...reduced(g.max, (values) => Math.max(...values)),
    {
      what: 'ties',
      operands: [grid([2, 3], [1, 5, 5, 2, 1, 0])],
      make: (x) => g.max(x, 1),
      reference: () => grid([2], [5, 2]),
      gradient: [[0, 0.5, 0.5, 1, 0, 0]],
    },
  ],
  min: [
    ...reduced(g.min, (values) => Math.min(...values)),
    {
      what: 'ties',
      operands: [grid([2, 3], [1, 1, 1, 2, 1, 0])],
      make: (x) => g.min(x, 1),
      reference: () => grid([2], [1, 0]),
      gradient: [[1 / 3, 1 / 3, 1 / 3, 0, 0, 1]],
    },
  ],
  logSumExp: [
    ...reduced(g.logSumExp, (values) => Math.log(values.reduce((sum, value) => sum + Math.exp(value), 0))),
    {
      what: 'large values',
      operands: [grid([2, 2], [1000, 1001, -1000, -1000.5])],
      make: (x) => g.logSumExp(x, 1),
      reference: () => grid([2], [1001 + Math.log1p(Math.exp(-1)), -1000 + Math.log1p(Math.exp(-0.5))]),
      gradient: [[1 / (1 + Math.E), Math.E / (1 + Math.E), 1 / (1 + Math.exp(-0.5)), 1 - 1 / (1 + Math.exp(-0.5))]],
    },
  ],
  softmax: [-1, 1].map((axis) => ({
    what: `axis ${axis}`,
    operands: [[2, 3, 4]],
    make: (x) => g.softmax(x, axis),
    reference: (x) => {
      const place = (axis + 3) % 3
      const total = reduceOver(x, [place], true, (values) => values.reduce((sum, value) => sum + Math.exp(value), 0))
      return build(x.shape, (index) => Math.exp(at(x, index)) / broadcastAt(total, index))
    },
  })),

  convolution: convolutionCases.map((options) => ({
    what: JSON.stringify(options),
    operands: [options.image, grid(options.kernel, ragged(count(options.kernel), 1))],
    make: (x, kernel) => g.convolution(x, kernel, options),
    reference: (x, kernel) => convolve(x, kernel, options, options.image),
  })),
  convolutionAdjoint: convolutionCases.map((options) => {
    const kernel = grid(options.kernel, ragged(count(options.kernel), 1))
    const { shape } = convolve(grid(options.image, ragged(count(options.image))), kernel, options, options.image)
    return {
      what: JSON.stringify(options),
      operands: [shape, kernel],
      make: (y, k) => {
        const x = g.constant(ragged(count(options.image)), options.image)
        return g.gradients(g.sum(g.mul(g.convolution(x, k, options), y)), [x])[0]!
      },
      reference: (y, k) => convolvedBack(y, k, options),
    }
  }),

  layerNorm: [
    normalised([3, 4], 1e-6),
    normalised([2, 3, 7], 1e-2),
    normalised([5, 2], 1e-3),
    normalised([2, 2, 33], 1e-6),
    normalised([2, 3, 5], 1e-4, [2, 1, 5]),
    normalised([2, 3, 4, 5], 1e-4, [2, 1, 1, 5], [5]),
    normalised([2, 3, 5], 1e-4, [2, 3, 5], [3, 5]),
  ],
  layerNormStatistic: (['normalised', 'inverseDeviation'] as const).map((which) => ({
    what: which,
    operands: [[2, 4]],
    make: (x) => g.layerNormStatistic(g.layerNorm(x, g.constant([2, 3, 4, 5]), g.constant([6, 7, 8, 9])), which),
    reference: (x) => {
      const [ones, zeros] = [1, 0].map((value) => grid([4], new Array<number>(4).fill(value)))
      if (which === 'normalised') return layerNorm(x, ones!, zeros!, 1e-6)
      return reduceOver(x, [1], true, (values) => {
        const mean = values.reduce((a, b) => a + b) / 4
        return 1 / Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 4 + 1e-6)
      })
    },
    gradient: [new Array<number>(8).fill(0)],
  })),
  rescale: [
    {
      operands: [grid([2, 3], [1, -2, 3, 0.5, 8, -9])],
      make: (x) => g.rescale(x, { shift: [0.1, 0.2, 0.3], gain: [1, 2, 3], scale: [0.5, 4, 1.5], limit: 6 }),
      // (1 - 0.1) / 0.5, (-2 - 0.2) 2 / 4, (3 - 0.3) 3 / 1.5; then 0.8, 3.9 and -18.6, which ends at the limit
      reference: () => grid([2, 3], [1.8, -1.1, 5.4, 0.8, 3.9, -6]),
      gradient: [new Array<number>(6).fill(0)],
    },
    {
      what: 'by nothing',
      operands: [grid([2], [7, -7])],
      make: (x) => g.rescale(x, {}),
      reference: () => grid([2], [7, -7]),
      gradient: [[0, 0]],
    },
  ],

  int8Matmul: [undefined, [0.5, -1.5, 2]].map((bias) => ({
    what: bias ? 'with a bias' : 'alone',
    operands: [[2, 5, 4]],
    make: (x) =>
      g.int8Matmul(x, g.constant(Int8Array.from(CODES), [4, 3]), g.constant(SCALES), bias && g.constant(bias)),
    reference: (x) => {
      // DynamicQuantizeLinear of the ONNX standard: 256 steps from the least to the largest value, 0 among them
      const [low, high] = [Math.min(0, ...x.values), Math.max(0, ...x.values)]
      const step = Math.fround((Math.fround(high) - Math.fround(low)) / 255)
      const zero = Math.round(-low / step)
      const whole = x.values.map((value) => Math.max(0, Math.min(255, Math.round(value / step) + zero)) - zero)
      return build([2, 5, 3], ([b, row, column]) => {
        const sum = [0, 1, 2, 3].reduce((all, k) => all + whole[(b! * 5 + row!) * 4 + k]! * CODES[3 * k + column!]!, 0)
        return sum * step * SCALES[column!]! + (bias?.[column!] ?? 0)
      })
    },
    gradient: [new Array<number>(40).fill(0)],
  })),
  // whole numbers that halves have: what is rounded, half-products.test.ts looks at
  halfMatmul: [
    {
      operands: [grid([2, 3], [1, 2, -3, 2, 0.5, 1]), grid([3, 2], [1, -2, 5, 1, 4, 1])],
      make: (a, b) => apply(half.halfMatmul, [a, b]),
      reference: () => grid([2, 2], [-1, -3, 8.5, -2.5]),
      gradient: [new Array<number>(6).fill(0), new Array<number>(6).fill(0)],
    },
  ],
  halfConvolution: [
    {
      operands: [grid([1, 1, 2, 3], [5, 1, 3, 1.5, 0, -2]), grid([1, 1, 2, 2], [1, 2, 3, 4])],
      make: (x, kernel) => {
        const attributes = { stride: [1, 1], dilation: [1, 1], padding: [0, 0, 0, 0] }
        return apply(half.halfConvolution, [x, kernel], attributes)
      },
      reference: () => grid([1, 1, 1, 2], [11.5, -1]),
      gradient: [new Array<number>(6).fill(0), new Array<number>(4).fill(0)],
    },
  ],
  multiHeadAttention: [undefined, [0, -1, 2, 0.5, -3e38, 1]].map((bias) => ({
    what: bias ? 'with a bias' : 'alone',
    operands: [
      [1, 2, 4],
      [1, 3, 4],
      [1, 3, 4],
    ],
    make: (q, k, v) => g.multiHeadAttention(q, k, v, 2, bias && g.constant(bias, [1, 1, 2, 3])),
    reference: (q, k, v) =>
      build([1, 2, 4], ([, query, entry]) => {
        const head = [0, 1].map((i) => 2 * Math.floor(entry! / 2) + i)
        const logit = (key: number) =>
          head.reduce((sum, i) => sum + at(q, [0, query!, i]) * at(k, [0, key, i]), 0) / Math.SQRT2 +
          (bias?.[3 * query! + key] ?? 0)
        const shares = [0, 1, 2].map((key) => Math.exp(logit(key)))
        const all = shares.reduce((a, b) => a + b)
        return shares.reduce((sum, share, key) => sum + (share / all) * at(v, [0, key, entry!]), 0)
      }),
    gradient: [8, 12, 12].map((size) => new Array<number>(size).fill(0)),
  })),

  stopGradient: [
    {
      operands: [[3]],
      make: (x) => g.mul(x, g.stopGradient(g.mul(x, 2))),
      reference: ({ shape, values }) =>
        grid(
          shape,
          values.map((value) => 2 * value * value),
        ),
      gradient: [ragged(3).map((value) => 2 * value)],
    },
  ],
  straightThrough: [
    {
      operands: [[3], grid([3], [5, 6, 7])],
      make: (gradientOf, value) => g.straightThrough(value, g.mul(gradientOf, 3)),
      reference: (_, value) => value,
      gradient: [
        [3, 3, 3],
        [0, 0, 0],
      ],
    },
  ],
}

/** Attention of one head, [B, T, D] each. */
function attention(q: Grid, k: Grid, v: Grid): Grid {
  const [batch, rows, width] = q.shape as [number, number, number]
  const keys = k.shape[1]!
  return build([batch, rows, v.shape[2]!], ([n, i, d]) => {
    const scores = Array.from({ length: keys }, (_, j) =>
      Math.exp(
        0.7 * Array.from({ length: width }, (_, e) => at(q, [n!, i!, e]) * at(k, [n!, j, e])).reduce((a, b) => a + b),
      ),
    )
    const total = scores.reduce((a, b) => a + b)
    return scores.reduce((sum, score, j) => sum + (score / total) * at(v, [n!, j, d!]), 0)
  })
}

/** Functions made of several operations. */
const composites: Record<string, Case[]> = {
  attention: [
    {
      operands: [[2, 3, 4], grid([2, 5, 4], ragged(40, 1)), grid([2, 5, 6], ragged(60, 2))],
      make: (q, k, v) => g.matmul(g.softmax(g.mul(g.matmul(q, g.swapLast(k)), 0.7)), v),
      reference: attention,
    },
  ],
  patches: [
    {
      operands: [[2, 4, 6, 3]],
      make: (x) => g.patches(x, 2),
      reference: (x) =>
        build([2, 2, 3, 12], ([b, i, j, n]) =>
          at(x, [b!, 2 * i! + Math.floor(n! / 6), 2 * j! + (Math.floor(n! / 3) % 2), n! % 3]),
        ),
    },
  ],
  im2col: [
    { kernel: 3, stride: 1, padding: 1 },
    { kernel: 2, stride: 2, padding: 0 },
    { kernel: 3, stride: 2, padding: 1 },
  ].map(({ kernel, stride, padding }) => ({
    what: `kernel ${kernel}, stride ${stride}, padding ${padding}`,
    operands: [[2, 5, 4, 2]],
    make: (x) => g.im2col(x, kernel, stride, padding),
    reference: (x) => {
      const extent = (size: number) => Math.floor((size + 2 * padding - kernel) / stride) + 1
      return build([2, extent(5), extent(4), kernel * kernel * 2], ([b, i, j, n]) => {
        const y = i! * stride - padding + Math.floor(n! / (2 * kernel))
        const column = j! * stride - padding + (Math.floor(n! / 2) % kernel)
        return y >= 0 && y < 5 && column >= 0 && column < 4 ? at(x, [b!, y, column, n! % 2]) : 0
      })
    },
  })),
}

const toGrid = (operand: readonly number[] | Grid): Grid =>
  'shape' in operand ? operand : grid(operand, ragged(count(operand)))

/** The weighted sum that is differentiated; weights of 1 where the case states the gradient itself. */
const weightsFor = ({ gradient }: Case, size: number): number[] =>
  gradient ? new Array<number>(size).fill(1) : ragged(size, 5)

function finiteDifferences(item: Case, grids: Grid[], weights: number[]): number[][] {
  const h = 1e-5
  const loss = (operands: Grid[]) =>
    item.reference(...operands).values.reduce((sum, value, i) => sum + value * weights[i]!, 0)
  return grids.map(({ shape, values }, n) =>
    values.map((value, i) => {
      const moved = (by: number) => loss(grids.with(n, { shape, values: values.with(i, value + by) }))
      return (moved(h) - moved(-h)) / (2 * h)
    }),
  )
}

function expectClose(what: string, got: ArrayLike<number>, want: number[]) {
  expect(got.length, what).toBe(want.length)
  const scale = Math.max(1, ...want.map(Math.abs))
  for (let i = 0; i < want.length; i++)
    expect(Math.abs(got[i]! - want[i]!), `${what}[${i}]: got ${got[i]}, want ${want[i]}`).toBeLessThan(2e-5 * scale)
}

async function check(item: Case) {
  const grids = item.operands.map(toGrid).map(({ shape, values }) => ({ shape, values: values.map(Math.fround) }))
  const want = item.reference(...grids)
  const weights = weightsFor(item, want.values.length)
  const store = new g.ParameterStore({
    x: { tensors: Object.fromEntries(grids.map(({ shape }, i) => [`operand${i}`, shape])), trained: true },
  })
  for (const [i, { values }] of grids.entries()) store.view('x', `operand${i}`).set(values)
  const y = item.make(...Object.values(store.tensors('x')))
  expect(y.shape, 'shape').toEqual(want.shape)
  const loss = g.sum(g.mul(y, g.constant(Float32Array.from(weights), want.shape)))
  const program = await g.compile({
    name: 'case',
    outputs: { y },
    gradients: [{ store, group: 'x', loss }],
    threads: 1,
  })
  await program.run()
  expectClose('value', program.outputs.y!, want.values)
  const gradients = item.gradient ?? finiteDifferences(item, grids, weights)
  for (const [i, expected] of gradients.entries())
    expectClose(`gradient to operand ${i}`, store.view('x', `operand${i}`, 'gradient'), expected)
  await program.release()
}

describe('operation table', () => {
  for (const name of Object.keys(operations))
    test(name, async () => {
      expect(cases[name], `a case for ${name}`).toBeDefined()
      for (const item of cases[name]!) await check(item)
    })
  test('has no case without operation', () => {
    expect(Object.keys(cases).sort()).toEqual(Object.keys(operations).sort())
  })
})

describe('composed functions', () => {
  for (const [name, list] of Object.entries(composites))
    test(name, async () => {
      for (const item of list) await check(item)
    })
})
