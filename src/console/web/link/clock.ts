/**
 * @file How far the server's clock is ahead of the page's, from pings: the quickest of the last answers knows best. One that
 * a newer answer contradicts was before one of the clocks stood still or was set.
 */

const ROUNDED = 10 // ms: by which the clocks may be slewed meanwhile, and the server's is a whole number
const KEPT = 20 // answers; at two a second those of the last 10 s

export class ServerClock {
  private answers: { offset: number; roundTrip: number }[] = []

  /** All in milliseconds; `sent` and `received` on the page's clock, `serverTime` on the server's. */
  hear(sent: number, serverTime: number, received: number): void {
    const [least, most] = [serverTime - received, serverTime - sent] // the server answered in between
    const agree = this.answers.filter(({ offset }) => offset >= least - ROUNDED && offset <= most + ROUNDED)
    this.answers = [...agree, { offset: (least + most) / 2, roundTrip: received - sent }].slice(-KEPT)
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
    this.answers = []
  }
}
