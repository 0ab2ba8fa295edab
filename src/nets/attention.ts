/** @file Attention of pretrained transformers: grouped heads, masks whose hidden logits are the lowest finite number. */
import {
  add,
  constant,
  matmul,
  mul,
  reshape,
  softmax,
  swapLast,
  type Tensor,
  transpose,
  unsqueeze,
  where,
} from '../graph/index.ts'

/** The lowest finite f32: a query that may see nothing averages over everything, where -Infinity would give NaN. */
export const HIDDEN = -(2 - 2 ** -23) * 2 ** 127

/** [B, T, heads · size] to [B, heads, T, size]. */
export function splitHeads(x: Tensor, heads: number): Tensor {
  const [batch, tokens, width] = x.shape as [number, number, number]
  return transpose(reshape(x, [batch, tokens, heads, width / heads]), [0, 2, 1, 3])
}

/** [B, heads, T, size] to [B, T, heads · size]. */
export function joinHeads(x: Tensor): Tensor {
  const [batch, heads, tokens, size] = x.shape as [number, number, number, number]
  return reshape(transpose(x, [0, 2, 1, 3]), [batch, tokens, heads * size])
}

export type AttentionOptions = {
  seen?: Tensor // bool [B or 1, T or 1, S]: whether query t may see key s; all by default
  scale?: number // of the logits; size^-0.5 by default
  bias?: Tensor // [B or 1, H, T, S], added to the scaled logits
}

/**
 * softmax(q kᵀ · scale + bias) v. q [B, H, T, size]; k and v [B, G, S, size], where each of the G key heads serves H/G
 * neighbouring query heads. Returns [B, H, T, size].
 */
export function attend(q: Tensor, k: Tensor, v: Tensor, { seen, scale, bias }: AttentionOptions = {}): Tensor {
  const [batch, heads, queries, size] = q.shape as [number, number, number, number]
  const [, keyHeads, keys] = k.shape as [number, number, number]
  const share = heads / keyHeads
  const scaled = mul(q, scale ?? size ** -0.5)
  const products = matmul(reshape(scaled, [batch, keyHeads, share * queries, size]), swapLast(k))
  const all = reshape(products, [batch, heads, queries, keys])
  const biased = bias ? add(all, bias) : all
  const logits = seen ? where(unsqueeze(seen, 1), biased, constant(HIDDEN)) : biased
  const shares = reshape(softmax(logits), [batch, keyHeads, share * queries, keys])
  return reshape(matmul(shares, v), [batch, heads, queries, size])
}
