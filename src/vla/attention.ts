/** @file Attention of pretrained transformers: grouped heads, masks whose hidden logits are the lowest finite number. */
import { constant, matmul, mul, reshape, softmax, swapLast, type Tensor, transpose, where } from '../graph/index.ts'

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

/** `seen` is bool [B or 1, T, S]: whether query t may see key s; all by default. */
/**
 * softmax(q kᵀ · scale) v. q [B, H, T, size]; k and v [B, G, S, size], where each of the G key heads serves H/G
 * neighbouring query heads; `seen`, bool [B or 1, T, S], says whether query t may see key s. Returns [B, H, T, size].
 */
export function attend(q: Tensor, k: Tensor, v: Tensor, seen?: Tensor): Tensor {
  const [batch, heads, queries, size] = q.shape as [number, number, number, number]
  const [, keyHeads, keys] = k.shape as [number, number, number]
  const share = heads / keyHeads
  const scaled = mul(q, size ** -0.5)
  const products = matmul(reshape(scaled, [batch, keyHeads, share * queries, size]), swapLast(k))
  const all = reshape(products, [batch, heads, queries, keys])
  const logits = seen ? where(reshape(seen, [seen.shape[0]!, 1, queries, keys]), all, constant(HIDDEN)) : all
  const shares = reshape(softmax(logits), [batch, keyHeads, share * queries, keys])
  return reshape(matmul(shares, v), [batch, heads, queries, size])
}
