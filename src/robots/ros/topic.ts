/** @file One topic that a robot is read from: the newest message of it, and how old that is. */
import type { Reader, RosVersion } from './messages.ts'
import { StampClock } from './stamp-clock.ts'

/** `measured`: seconds on our clock, by the message's stamp. */
export type TopicReading<T> = { value: T; measured: number }

export type TopicOptions<T> = {
  name: string
  type: string // as ROS 1 writes it
  read: Reader<T>
}

export class Topic<T> {
  private stamped: { value: T; stamp: number; received: number } | null = null
  private clock = new StampClock()

  constructor(readonly options: TopicOptions<T>) {}

  /** @throws Error if that is no message of its type; the newest reading stays the one before */
  receive(message: unknown, version: RosVersion, now: number): void {
    const stamped = this.options.read(message, version)
    if (!stamped) return
    this.clock.note(stamped.stamp, now)
    this.stamped = { ...stamped, received: now }
  }

  /** Null before the first message. */
  get newest(): TopicReading<T> | null {
    return this.stamped && { value: this.stamped.value, measured: this.clock.ours(this.stamped.stamp) }
  }

  /** When the newest message arrived, s on our clock. */
  get received(): number {
    return this.stamped?.received ?? Number.NEGATIVE_INFINITY
  }

  /** s since its newest reading was measured; without one, infinite. */
  age(now: number): number {
    return now - (this.newest?.measured ?? Number.NEGATIVE_INFINITY)
  }

  /** Of another connection, whose clock may be another one. */
  forget(): void {
    this.stamped = null
    this.clock = new StampClock()
  }
}
