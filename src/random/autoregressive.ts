/** @file Noise with a memory: x' = m·x + σ·√(1 - m²)·ε on each axis, so that its spread is σ whatever the memory m. */
import type { RandomStream } from './stream.ts'

export class AutoregressiveNoise {
  /** Present value of each axis. */
  readonly value: Float64Array
  private readonly random: RandomStream
  private readonly spread: number
  private readonly memory: number

  /** `memory` in [0, 1): 0 is white noise. Call `begin` before use. */
  constructor(random: RandomStream, axes: number, spread: number, memory: number) {
    this.random = random
    this.value = new Float64Array(axes)
    this.spread = spread
    this.memory = memory
  }

  /** Draws a fresh value from the stationary distribution. */
  begin(): void {
    for (let axis = 0; axis < this.value.length; axis++) this.value[axis] = this.spread * this.random.normal()
  }

  advance(): void {
    const innovation = this.spread * Math.sqrt(1 - this.memory ** 2)
    for (let axis = 0; axis < this.value.length; axis++)
      this.value[axis] = this.memory * this.value[axis]! + innovation * this.random.normal()
  }
}
