/**
 * @file Whether commands arrive. A bridge drops what it cannot use without a word, and takes what it is sent into a queue of its
 * own; so we listen to our own topics, by which each command comes back once it is in ROS.
 */

export class Echo {
  private readonly waiting = new Map<string, { key: string; at: number }[]>() // by topic, oldest first

  said(topic: string, message: object, now: number): void {
    const waiting = this.waiting.get(topic) ?? []
    waiting.push({ key: keyOf(message), at: now })
    this.waiting.set(topic, waiting)
  }

  /** What was said before it was passed on, or given up for it, too. What another node says there means nothing. */
  heard(topic: string, message: unknown): void {
    const waiting = this.waiting.get(topic) ?? []
    const key = keyOf(message as object)
    waiting.splice(0, waiting.findLastIndex((one) => one.key === key) + 1)
  }

  /** s for which a command of the topic has not come back; 0 when all have. */
  lag(topic: string, now: number): number {
    const oldest = this.waiting.get(topic)?.[0]
    return oldest ? now - oldest.at : 0
  }

  forget(): void {
    this.waiting.clear()
  }
}

/** All but the header, which the bridge fills in. */
const keyOf = (message: object) => JSON.stringify({ ...message, header: undefined })
