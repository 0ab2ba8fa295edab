/** @file The visual features of published encoders: their patch or picture tokens, averaged to a map of few cells. */
import { mean, reshape, type Tensor } from '../graph/index.ts'

/** Cells a side that a camera is averaged to: as many as the map that critics and refinement actor know from ResNets. */
const LARGEST_SIDE = 4

/** The largest side that divides the tokens a side of every camera. */
export function featureSide(...tokenSides: number[]): number {
  let side = LARGEST_SIDE
  while (tokenSides.some((tokens) => tokens % side)) side--
  return side
}

/** Mean over square blocks of tokens: [B, side, side, width] of [B, n², width], row-major, where side divides n. */
export function poolTokens(x: Tensor, side: number): Tensor {
  const [batch, count, width] = x.shape as [number, number, number]
  const block = Math.sqrt(count) / side
  return mean(reshape(x, [batch, side, block, side, block, width]), [2, 4])
}
