/** @file Ridge regression in closed form: the linear probe's fit. */
import { ShapeError } from '../errors.ts'

export type LinearMap = { predict: (input: Float32Array) => Float64Array }

/**
 * Minimises |Y - X W - b|² + penalty·rows·|W|² over inputs standardised to unit variance, through the smaller of the primal
 * (width²) and the dual (rows²) normal equations. inputs: rows of one width; outputs: as many rows of one width.
 * @throws ShapeError if there are not as many outputs as inputs
 */
export function ridge(inputs: readonly Float32Array[], outputs: readonly Float32Array[], penalty: number): LinearMap {
  if (inputs.length !== outputs.length) throw new ShapeError('ridge outputs', [outputs.length], [inputs.length])
  const rows = inputs.length
  const width = inputs[0]!.length
  const targets = outputs[0]!.length
  const centre = columnMeans(inputs)
  const offset = columnMeans(outputs)
  const scale = Float64Array.from({ length: width }, (_, i) => {
    let square = 0
    for (const row of inputs) square += (row[i]! - centre[i]!) ** 2
    return 1 / Math.max(Math.sqrt(square / rows), 1e-6)
  })
  const x = inputs.map((row) => Float64Array.from(row, (value, i) => (value - centre[i]!) * scale[i]!))
  const y = outputs.map((row) => Float64Array.from(row, (value, i) => value - offset[i]!))
  const primal = width <= rows
  // Primal: (XᵀX + λI) W = XᵀY. Dual: (XXᵀ + λI) A = Y, W = XᵀA.
  const columns = primal ? transpose(x) : x
  const size = columns.length
  const gram = new Float64Array(size * size)
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++) gram[i * size + j] = gram[j * size + i] = dot(columns[i]!, columns[j]!)
  for (let i = 0; i < size; i++) gram[i * size + i]! += penalty * rows
  const right = primal ? columns.map((column) => combine(column, y, targets)) : y.map((row) => row.slice())
  choleskySolve(gram, size, right)
  const weights = primal ? right : transpose(x).map((column) => combine(column, right, targets))
  return {
    predict: (input) => {
      const result = Float64Array.from(offset)
      for (let i = 0; i < width; i++) {
        const value = (input[i]! - centre[i]!) * scale[i]!
        for (let t = 0; t < targets; t++) result[t]! += value * weights[i]![t]!
      }
      return result
    },
  }
}

/** Solves A Z = R in place of R for symmetric positive definite A [size, size]; A becomes its Cholesky factor. */
function choleskySolve(a: Float64Array, size: number, right: Float64Array[]): void {
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++) {
      let sum = a[i * size + j]!
      for (let k = 0; k < j; k++) sum -= a[i * size + k]! * a[j * size + k]!
      a[i * size + j] = i === j ? Math.sqrt(sum) : sum / a[j * size + j]!
    }
  const width = right[0]!.length
  for (let i = 0; i < size; i++)
    for (let t = 0; t < width; t++) {
      let sum = right[i]![t]!
      for (let k = 0; k < i; k++) sum -= a[i * size + k]! * right[k]![t]!
      right[i]![t] = sum / a[i * size + i]!
    }
  for (let i = size - 1; i >= 0; i--)
    for (let t = 0; t < width; t++) {
      let sum = right[i]![t]!
      for (let k = i + 1; k < size; k++) sum -= a[k * size + i]! * right[k]![t]!
      right[i]![t] = sum / a[i * size + i]!
    }
}

function columnMeans(rows: readonly Float32Array[]): Float64Array {
  const means = new Float64Array(rows[0]!.length)
  for (const row of rows) for (let i = 0; i < means.length; i++) means[i]! += row[i]! / rows.length
  return means
}

const transpose = (rows: readonly Float64Array[]): Float64Array[] =>
  Array.from(rows[0]!, (_, i) => Float64Array.from(rows, (row) => row[i]!))

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** Sum of the rows weighted by `shares`. */
function combine(shares: Float64Array, rows: readonly Float64Array[], width: number): Float64Array {
  const sum = new Float64Array(width)
  for (let r = 0; r < rows.length; r++) for (let t = 0; t < width; t++) sum[t]! += shares[r]! * rows[r]![t]!
  return sum
}
