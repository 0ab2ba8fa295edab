/** @file SmolVLA's task embedding: the masked mean over time of the prefix keys and values (docs/method.md §2). */
import { InputError, ShapeError } from '../errors.ts'

/**
 * h = [Σ_t m_t K_t / Σ_t m_t, the same of V], K_t flattened heads-major.
 * keys, values: [batch, time, heads · headDim]; mask: [batch, time], 1 for a valid step. Returns [batch, 2 · heads · headDim].
 * @throws InputError if a row has no valid step, ShapeError if the sizes disagree
 */
export function poolPrefix(keys: Float32Array, values: Float32Array, mask: ArrayLike<number>, batch: number) {
  const time = mask.length / batch
  const width = keys.length / mask.length
  if (!Number.isInteger(time) || !Number.isInteger(width))
    throw new ShapeError('prefix keys', [keys.length], [batch, 'time', 'width'])
  if (values.length !== keys.length) throw new ShapeError('prefix values', [values.length], [keys.length])
  const h = new Float32Array(batch * 2 * width)
  for (let b = 0; b < batch; b++) {
    const kept = Array.from({ length: time }, (_, t) => mask[b * time + t]!)
    const total = kept.reduce((a, m) => a + m, 0)
    if (!(total > 0))
      throw new InputError(`prefix mask row ${b}`, 'has no valid step', 'Encode at least one token or image patch.')
    for (const [half, source] of [keys, values].entries()) {
      for (let i = 0; i < width; i++) {
        let weighted = 0
        for (let t = 0; t < time; t++) weighted += kept[t]! * source[(b * time + t) * width + i]!
        h[(2 * b + half) * width + i] = weighted / total
      }
    }
  }
  return h
}
