/** @file A camera: the newest of its pictures, with the moment when it came. */
import { type ErrorData, encodeError, InputError } from '../../errors.ts'
import type { Image } from '../robot.ts'
import { type Developing, develop } from './develop.ts'

/** `received`: s on the clock of `cameraClock`, when the picture's last byte came. */
export type Frame = { image: Image; received: number }

export interface Camera {
  /** At once, decoded before: nobody waits for a camera. Null until the first picture. */
  newest(): Frame | null
  close(): Promise<void>
}

/** Seconds; never set back. A robot with cameras tells its Observation.time on this clock. */
export const cameraClock = (): number => performance.now() / 1000

/** What came from a camera since it was opened. */
export type CameraCounts = {
  pictures: number // that arrived
  bytes: number // of those
  decoded: number // fewer, where pictures come faster than they are decoded: only the newest is
  unreadable: number
}

export type LiveCameraOptions = {
  release?: () => Promise<void> | void
  /** Two pictures that are the same to the last byte are one that came twice: of a frozen stream the newest grows old. */
  noisy?: boolean
}

/** Takes a camera's pictures as they arrive, and decodes the newest; those that came meanwhile are never looked at. */
export class LiveCamera implements Camera {
  readonly counts: CameraCounts = { pictures: 0, bytes: 0, decoded: 0, unreadable: 0 }
  /** Why its last picture could not be read, or none comes; null while all is well. */
  trouble: ErrorData | null = null
  private frame: Frame | null = null
  private waiting: { jpeg: Uint8Array; received: number } | null = null
  private decoding = false
  private closed = false
  private readonly watchers = new Set<() => void>()

  private last: Uint8Array | null = null

  constructor(
    readonly name: string,
    private readonly view: Developing,
    private readonly options: LiveCameraOptions = {},
  ) {}

  /** `jpeg` is kept, and must not change afterwards. */
  take(jpeg: Uint8Array, received: number = cameraClock()): void {
    if (this.closed) return
    this.counts.pictures++
    this.counts.bytes += jpeg.length
    if (this.options.noisy && this.last && Buffer.compare(this.last, jpeg) === 0) return
    this.last = jpeg
    this.waiting = { jpeg, received }
    if (!this.decoding) void this.decode()
  }

  /** No picture comes at present, and why. */
  lost(error: unknown): void {
    this.trouble = encodeError(error)
    this.tell()
  }

  newest(): Frame | null {
    return this.frame
  }

  /** Calls back on each new frame and each trouble. @returns what ends that */
  watch(listener: () => void): () => void {
    this.watchers.add(listener)
    return () => this.watchers.delete(listener)
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    await this.options.release?.()
  }

  private async decode(): Promise<void> {
    this.decoding = true
    while (this.waiting && !this.closed) {
      const { jpeg, received } = this.waiting
      this.waiting = null
      try {
        this.frame = { image: await develop(jpeg, this.view, this.name), received }
        this.counts.decoded++
        this.trouble = null
      } catch (error) {
        this.counts.unreadable++
        this.trouble = encodeError(error)
      }
      this.tell()
    }
    this.decoding = false
  }

  private tell(): void {
    for (const listener of this.watchers) listener()
  }
}

/** Of a camera that is open, and says nothing of why. */
export const noPicture = (name: string, seconds: number) =>
  new InputError(
    `camera ${name}`,
    `has sent no picture within ${seconds} s`,
    'Check its cable and its settings; `duet cameras` shows what comes',
  )
