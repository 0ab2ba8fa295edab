/** @file The layers of SmolVLA's language model and action expert: gated MLP, rotary positions. */
import {
  add,
  concat,
  constant,
  cos,
  div,
  mul,
  sigmoid,
  sin,
  slice,
  sub,
  type Tensor,
  unsqueeze,
} from '../../graph/index.ts'
import { linearLayer } from '../../nets/checkpoint-layers.ts'
import type { Parameters } from '../../nets/parameters.ts'

export const silu = (x: Tensor): Tensor => mul(x, sigmoid(x))

/** down(silu(gate x) · up x) */
export const gatedMlp = (weights: Parameters, name: string, x: Tensor): Tensor =>
  linearLayer(
    weights,
    `${name}.down_proj`,
    mul(silu(linearLayer(weights, `${name}.gate_proj`, x)), linearLayer(weights, `${name}.up_proj`, x)),
  )

export type Rotation = { cos: Tensor; sin: Tensor } // [B, 1, T, size / 2]

/** lerobot's own constant; the language model's `rope_theta` is not used. */
const ROTARY_BASE = 10_000

/** Angles of the rotary positions [B, T] for heads of `size`: position / base^(2 j / size). */
export function rotation(positions: Tensor, size: number): Rotation {
  const half = size / 2
  const periods = Float32Array.from({ length: half }, (_, j) => ROTARY_BASE ** (j / half))
  const angles = unsqueeze(div(unsqueeze(positions, 2), constant(periods, [1, 1, half])), 1)
  return { cos: cos(angles), sin: sin(angles) }
}

/** Turns the pairs (x_j, x_{j + size/2}) of x [B, heads, T, size] by their angles. */
export function rotary(x: Tensor, { cos, sin }: Rotation): Tensor {
  const half = x.shape.at(-1)! / 2
  const a = slice(x, -1, 0, half)
  const b = slice(x, -1, half, 2 * half)
  return concat([sub(mul(a, cos), mul(b, sin)), add(mul(b, cos), mul(a, sin))], 3)
}
