/** @file How far the server's clock is ahead of the page's, from pings: the quickest of the last answers knows best. */

const KEPT = 20 // answers; at two a second those of the last 10 s

export class ServerClock {
  private readonly answers: { offset: number; roundTrip: number }[] = []

  /** All in milliseconds; `sent` and `received` on the page's clock, `serverTime` on the server's. */
  hear(sent: number, serverTime: number, received: number): void {
    const roundTrip = received - sent
    this.answers.push({ offset: serverTime - (sent + received) / 2, roundTrip })
    if (this.answers.length > KEPT) this.answers.shift()
  }

  private get best() {
    return this.answers.reduce<{ offset: number; roundTrip: number } | null>(
      (best, answer) => (best === null || answer.roundTrip < best.roundTrip ? answer : best),
      null,
    )
  }

  /** The newest round trip, or null before the first answer. */
  get roundTrip(): number | null {
    return this.answers.at(-1)?.roundTrip ?? null
  }

  /** The server's time at `now` on the page's clock; null before the first answer. */
  at(now: number): number | null {
    const { best } = this
    return best && now + best.offset
  }

  forget(): void {
    this.answers.length = 0
  }
}
