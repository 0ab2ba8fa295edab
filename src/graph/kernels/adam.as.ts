/**
 * @file The fused optimiser pass in AssemblyScript with 128-bit SIMD. Pointers are byte offsets into the imported
 * memory of a parameter store; counts are in elements. No allocation, no runtime.
 */

/** Sum of squares of `count` floats, in double precision. */
export function sumOfSquares(values: usize, count: usize): f64 {
  let low = f64x2.splat(0)
  let high = f64x2.splat(0)
  const whole = count & ~3
  const end = values + (whole << 2)
  let p = values
  for (; p < end; p += 16) {
    const g = v128.load(p)
    const a = f64x2.promote_low_f32x4(g)
    const b = f64x2.promote_low_f32x4(v128.shuffle<i64>(g, g, 1, 1))
    low = f64x2.add(low, f64x2.mul(a, a))
    high = f64x2.add(high, f64x2.mul(b, b))
  }
  const total = f64x2.add(low, high)
  let sum = f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1)
  for (const last = values + (count << 2); p < last; p += 4) {
    const g = <f64>load<f32>(p)
    sum += g * g
  }
  return sum
}

/**
 * One Adam step, and a Polyak step of the target if `target` is not 0. `gradientScale` is the factor of the global-norm
 * clip; `take1` = 1 - beta1 and `take2` = 1 - beta2, rounded from double precision; `step` = learning rate /
 * (1 - beta1^t); `secondScale` = 1 / (1 - beta2^t).
 */
export function adam(
  value: usize,
  gradient: usize,
  moment1: usize,
  moment2: usize,
  target: usize,
  count: usize,
  gradientScale: f32,
  beta1: f32,
  beta2: f32,
  take1: f32,
  take2: f32,
  step: f32,
  secondScale: f32,
  epsilon: f32,
  targetRate: f32,
): void {
  const scale4 = f32x4.splat(gradientScale)
  const keep1 = f32x4.splat(beta1)
  const take1x4 = f32x4.splat(take1)
  const keep2 = f32x4.splat(beta2)
  const take2x4 = f32x4.splat(take2)
  const step4 = f32x4.splat(step)
  const second4 = f32x4.splat(secondScale)
  const epsilon4 = f32x4.splat(epsilon)
  const rate4 = f32x4.splat(targetRate)
  const bytes = count << 2
  const wholeBytes = (count & ~3) << 2
  let i: usize = 0
  for (; i < wholeBytes; i += 16) {
    const g = f32x4.mul(v128.load(gradient + i), scale4)
    const m = f32x4.add(f32x4.mul(keep1, v128.load(moment1 + i)), f32x4.mul(take1x4, g))
    const v = f32x4.add(f32x4.mul(keep2, v128.load(moment2 + i)), f32x4.mul(take2x4, f32x4.mul(g, g)))
    v128.store(moment1 + i, m)
    v128.store(moment2 + i, v)
    const root = f32x4.add(f32x4.sqrt(f32x4.mul(v, second4)), epsilon4)
    const x = f32x4.sub(v128.load(value + i), f32x4.div(f32x4.mul(step4, m), root))
    v128.store(value + i, x)
    if (target) {
      const t = v128.load(target + i)
      v128.store(target + i, f32x4.add(t, f32x4.mul(rate4, f32x4.sub(x, t))))
    }
  }
  for (; i < bytes; i += 4) {
    const g = load<f32>(gradient + i) * gradientScale
    const m = beta1 * load<f32>(moment1 + i) + take1 * g
    const v = beta2 * load<f32>(moment2 + i) + take2 * (g * g)
    store<f32>(moment1 + i, m)
    store<f32>(moment2 + i, v)
    const x = load<f32>(value + i) - (step * m) / (sqrt<f32>(v * secondScale) + epsilon)
    store<f32>(value + i, x)
    if (target) {
      const t = load<f32>(target + i)
      store<f32>(target + i, t + targetRate * (x - t))
    }
  }
}

/** target += rate * (value - target). */
export function polyak(value: usize, target: usize, count: usize, rate: f32): void {
  const rate4 = f32x4.splat(rate)
  const bytes = count << 2
  const wholeBytes = (count & ~3) << 2
  let i: usize = 0
  for (; i < wholeBytes; i += 16) {
    const t = v128.load(target + i)
    v128.store(target + i, f32x4.add(t, f32x4.mul(rate4, f32x4.sub(v128.load(value + i), t))))
  }
  for (; i < bytes; i += 4) {
    const t = load<f32>(target + i)
    store<f32>(target + i, t + rate * (load<f32>(value + i) - t))
  }
}
