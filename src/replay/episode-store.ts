/** @file Whole episodes in a ring of fixed capacity: contiguous, each observation once, the oldest episode leaves first. */

import { InputError, ShapeError } from '../errors.ts'
import { decodeHalves } from '../float16.ts'
import { ACTION_WIDTH } from '../robot/robot.ts'
import type { EpisodeStart, Step } from './episode.ts'
import type { Stretch } from './returns.ts'

export type StoreShape = {
  embeddingWidth: number
  featureShape: readonly [cameras: number, height: number, width: number, channels: number]
  proprioWidth: number
  copies: number // augmented copies of the features, beside the unshifted ones
}

/** One observation, ready to be stored: halves, channel first a camera, the unshifted features and then the copies. */
export type StoredObservation = { h: Float32Array; features: Uint16Array; proprio: Float32Array }

export type FinishedEpisode = {
  start: EpisodeStart
  observations: readonly StoredObservation[] // T + 1
  steps: readonly Step[] // T; the last one is settled
  returns: Float32Array // [T] Monte-Carlo
  stretches: readonly Stretch[] // [T]
}

export type Extent = { first: number; steps: number; start: EpisodeStart }

/** The rows of one block of observations, and of the transitions that start at them. */
type Chunk = {
  h: Float32Array
  features: Uint16Array
  proprio: Float32Array
  action: Float32Array
  reward: Float32Array
  mcReturn: Float32Array
  terminated: Uint8Array
  ahead: Uint16Array
  discount: Float32Array
}

/**
 * Observations carry serial numbers that never repeat; the episode with T steps takes T + 1 in a row. So the successor of
 * transition s is observation s + 1, of the same episode, and no flag has to say so. Rows are allocated in chunks as needed.
 */
export class EpisodeStore {
  readonly featureLength: number
  readonly bytesPerObservation: number
  private readonly chunks: Chunk[] = []
  private readonly rowsPerChunk: number
  private readonly extents: Extent[] = []
  private dropped = 0 // extents before this index are gone
  private next = 0 // serial of the next observation

  /** `capacity` counts observations. */
  constructor(
    readonly shape: StoreShape,
    readonly capacity: number,
  ) {
    const [cameras, height, width, channels] = shape.featureShape
    this.featureLength = cameras * height * width * channels
    this.bytesPerObservation =
      4 * (shape.embeddingWidth + shape.proprioWidth + ACTION_WIDTH + 3) +
      2 * this.featureLength * (1 + shape.copies) +
      3
    this.rowsPerChunk = Math.min(capacity, Math.max(16, Math.floor((16 << 20) / this.bytesPerObservation)))
  }

  /** Serial number of the oldest observation held. */
  get oldest(): number {
    return this.extents[this.dropped]?.first ?? this.next
  }

  /** Observations held. */
  get size(): number {
    return this.next - this.oldest
  }

  get allocatedBytes(): number {
    return this.chunks.length * this.rowsPerChunk * this.bytesPerObservation
  }

  /** Episodes held, oldest first. */
  episodes(): readonly Extent[] {
    return this.extents.slice(this.dropped)
  }

  /** Stores an episode, after dropping as many of the oldest whole episodes as it needs. Returns its first serial. */
  add({ start, observations, steps, returns, stretches }: FinishedEpisode): number {
    if (observations.length !== steps.length + 1) {
      throw new ShapeError(`episode ${start.episode} observations`, [observations.length], [steps.length + 1])
    }
    if (observations.length > this.capacity) {
      throw new InputError(
        'replay.capacity',
        `episode ${start.episode} has ${observations.length} observations, more than all of the replay's ${this.capacity}`,
        'Raise the capacity above the longest episode',
      )
    }
    while (this.size + observations.length > this.capacity) this.dropOldest()
    const first = this.next
    observations.forEach((observation, i) => {
      const serial = first + i
      const chunk = this.chunkFor(serial)
      const row = this.row(serial)
      chunk.h.set(observation.h, row * this.shape.embeddingWidth)
      chunk.features.set(observation.features, row * this.featureLength * (1 + this.shape.copies))
      chunk.proprio.set(observation.proprio, row * this.shape.proprioWidth)
      const step = steps[i]
      if (!step) return
      chunk.action.set(step.action, row * ACTION_WIDTH)
      chunk.mcReturn[row] = returns[i]!
      const { reward, discount, terminated, steps: ahead } = stretches[i]!
      chunk.reward[row] = reward
      chunk.discount[row] = discount
      chunk.ahead[row] = ahead
      chunk.terminated[row] = terminated ? 1 : 0
    })
    this.next += observations.length
    this.extents.push({ first, steps: steps.length, start })
    return first
  }

  private dropOldest() {
    this.dropped++
    if (this.dropped > 1024 && this.dropped * 2 > this.extents.length) {
      this.extents.splice(0, this.dropped)
      this.dropped = 0
    }
  }

  private row(serial: number): number {
    return (serial % this.capacity) % this.rowsPerChunk
  }

  private chunkAt(serial: number): Chunk {
    return this.chunks[Math.floor((serial % this.capacity) / this.rowsPerChunk)]!
  }

  private chunkFor(serial: number): Chunk {
    const index = Math.floor((serial % this.capacity) / this.rowsPerChunk)
    while (this.chunks.length <= index) this.chunks.push(this.allocate())
    return this.chunks[index]!
  }

  private allocate(): Chunk {
    const rows = this.rowsPerChunk
    return {
      h: new Float32Array(rows * this.shape.embeddingWidth),
      features: new Uint16Array(rows * this.featureLength * (1 + this.shape.copies)),
      proprio: new Float32Array(rows * this.shape.proprioWidth),
      action: new Float32Array(rows * ACTION_WIDTH),
      reward: new Float32Array(rows),
      mcReturn: new Float32Array(rows),
      terminated: new Uint8Array(rows),
      ahead: new Uint16Array(rows),
      discount: new Float32Array(rows),
    }
  }

  /** Copies observation `serial` to row `at`; `copy` 0 is the unshifted image. */
  readObservation(
    serial: number,
    copy: number,
    h: Float32Array | undefined,
    features: Float32Array | undefined,
    proprio: Float32Array | undefined,
    at: number,
  ) {
    const chunk = this.chunkAt(serial)
    const row = this.row(serial)
    if (h) copyRow(chunk.h, row, h, at, this.shape.embeddingWidth)
    if (proprio) copyRow(chunk.proprio, row, proprio, at, this.shape.proprioWidth)
    if (!features) return
    const from = (row * (1 + this.shape.copies) + copy) * this.featureLength
    decodeHalves(chunk.features, from, features, at * this.featureLength, this.featureLength)
  }

  readAction(serial: number, out: Float32Array, at: number) {
    copyRow(this.chunkAt(serial).action, this.row(serial), out, at, ACTION_WIDTH)
  }

  /** Of the transition's stretch. */
  reward(serial: number): number {
    return this.chunkAt(serial).reward[this.row(serial)]!
  }

  mcReturn(serial: number): number {
    return this.chunkAt(serial).mcReturn[this.row(serial)]!
  }

  /** Of the transition's stretch. */
  terminated(serial: number): number {
    return this.chunkAt(serial).terminated[this.row(serial)]!
  }

  /** Steps from the transition's state to the next state of its TD target. */
  ahead(serial: number): number {
    return this.chunkAt(serial).ahead[this.row(serial)]!
  }

  /** Of the value of that next state. */
  discount(serial: number): number {
    return this.chunkAt(serial).discount[this.row(serial)]!
  }
}

function copyRow(source: Float32Array, row: number, out: Float32Array, at: number, width: number) {
  out.set(source.subarray(row * width, (row + 1) * width), at * width)
}
