/** @file One stream of random numbers (xoshiro128++): seeded by name, its state can be saved and restored. */

/** The four 32-bit words and the spare normal; JSON-safe. */
export type StreamState = { words: [number, number, number, number]; spare: number | null }

export class RandomStream {
  private a = 0
  private b = 0
  private c = 0
  private d = 0
  private spare: number | null = null

  /** `purpose` splits streams of one seed: "environment", "noise", "sampling", "initialisation", ... */
  constructor(seed: number, purpose: string) {
    let hash = 0x811c9dc5 // FNV-1a over seed and purpose, then SplitMix for the four words
    for (const byte of new TextEncoder().encode(`${seed}/${purpose}`)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
    const splitMix = () => {
      hash = (hash + 0x9e3779b9) >>> 0
      let z = hash
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
      return (z ^ (z >>> 16)) >>> 0
    }
    this.a = splitMix()
    this.b = splitMix()
    this.c = splitMix()
    this.d = splitMix() | 1
  }

  /** 32 random bits. */
  bits(): number {
    const sum = (this.a + this.d) >>> 0
    const result = (((sum << 7) | (sum >>> 25)) + this.a) >>> 0
    const t = this.b << 9
    this.c ^= this.a
    this.d ^= this.b
    this.b ^= this.c
    this.a ^= this.d
    this.c ^= t
    this.d = (this.d << 11) | (this.d >>> 21)
    this.a >>>= 0
    return result
  }

  /** In [0, 1). */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * (this.bits() / 4294967296)
  }

  /** In [0, n). */
  integer(n: number): number {
    return Math.floor(this.uniform() * n)
  }

  /** Standard normal, by the polar method. */
  normal(): number {
    if (this.spare !== null) {
      const value = this.spare
      this.spare = null
      return value
    }
    for (;;) {
      const u = this.uniform(-1, 1)
      const v = this.uniform(-1, 1)
      const s = u * u + v * v
      if (s >= 1 || s === 0) continue
      const scale = Math.sqrt((-2 * Math.log(s)) / s)
      this.spare = v * scale
      return u * scale
    }
  }

  fillNormal(out: Float32Array, scale = 1): Float32Array {
    for (let i = 0; i < out.length; i++) out[i] = scale * this.normal()
    return out
  }

  fillUniform(out: Float32Array, low: number, high: number): Float32Array {
    for (let i = 0; i < out.length; i++) out[i] = this.uniform(low, high)
    return out
  }

  pick<T>(items: readonly T[]): T {
    return items[this.integer(items.length)]!
  }

  save(): StreamState {
    return { words: [this.a >>> 0, this.b >>> 0, this.c >>> 0, this.d >>> 0], spare: this.spare }
  }

  restore(state: StreamState): void {
    ;[this.a, this.b, this.c, this.d] = state.words
    this.spare = state.spare
  }
}
