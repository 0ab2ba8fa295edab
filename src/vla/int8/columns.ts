/** @file Weights as codes of eight bits: symmetric, with a scale for each column, which is an output channel. */

const LARGEST = 127

/** w[k, n] ≈ codes[k, n] · scales[n]; weights [K, N], row-major. Halves are rounded to the even code; a column of zeros has scale 1. */
export function quantiseColumns(
  weights: Float32Array,
  [rows, columns]: readonly [number, number],
): { codes: Int8Array; scales: Float32Array } {
  const scales = new Float32Array(columns)
  for (let i = 0; i < weights.length; i++) {
    const size = Math.abs(weights[i]!)
    const column = i % columns
    if (size > scales[column]!) scales[column] = size
  }
  for (let column = 0; column < columns; column++) scales[column] = scales[column]! / LARGEST || 1
  const codes = new Int8Array(rows * columns)
  for (let row = 0, i = 0; row < rows; row++)
    for (let column = 0; column < columns; column++, i++) codes[i] = roundHalfEven(weights[i]! / scales[column]!)
  return { codes, scales }
}

function roundHalfEven(value: number): number {
  const nearest = Math.round(value)
  return nearest - value === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest
}
