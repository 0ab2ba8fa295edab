/**
 * @file How old a page's input is on arrival, though its clock is not ours: it may stand still while a laptop sleeps, be
 * slewed or be set. The clocks' difference lies between what messages up say (arrival less departure: with the way up) and
 * what our answers say that the page has heard (departure less arrival: less the way down). Of each the quickest of the last
 * seconds counts; where they contradict each other the page's clock was changed, and the newer one is right.
 */

/** ms: messages up come 2 to 30 times a second, answers twice a second. */
const UP_FOR = 3000
const DOWN_FOR = 10_000

/** ms over which slower messages must come at a steady pace, not each sooner than the one before as those of a jam that clears. */
const STEADY = 50

/** An answer of ours, as the page heard it: when it left on our clock, when it came on the page's. */
export type Pong = { left: number; came: number }

/** ms: a page that is busy hears an answer late, which says nothing of the line. */
const ROUND_TRIP = 300

type Sample = { offset: number; at: number } // ms; our clock less the page's

export class Freshness {
  private up: Sample[] = []
  private down: Sample[] = []
  private quickest = Infinity // way up included
  private lastSeq = -1

  /** Any message with the page's time in it, and an answer that the page has heard since its last one. */
  heard(t: number, now: number, pong?: Pong): void {
    const latest = { offset: now - t, at: now }
    this.up = [...this.up.filter(({ at }) => now - at <= UP_FOR), latest]
    this.down = this.down.filter(({ at }) => now - at <= DOWN_FOR)
    const below = pong ? pong.left - pong.came : -Infinity
    if (pong) this.down.push({ offset: below, at: now })
    const lowest = Math.min(...this.up.map(({ offset }) => offset))
    if (lowest <= this.quickest || this.isSteady()) this.quickest = lowest
    if (below > this.quickest) this.forgetBefore(latest)
  }

  /** @returns ms on our clock when the input was read from its device; null for one that is late out of turn, or a repeat */
  received(seq: number, t: number, now: number): number | null {
    if (seq <= this.lastSeq) return null
    this.lastSeq = seq
    this.heard(t, now)
    return t + this.offset
  }

  /** As by the quickest message; but of a long round trip all that is beyond a usual one may have been its way up. */
  private get offset(): number {
    if (this.down.length === 0) return this.quickest
    const roundTrip = this.quickest - Math.max(...this.down.map(({ offset }) => offset))
    return this.quickest - Math.max(0, roundTrip - ROUND_TRIP)
  }

  /** All messages of the last seconds took longer than the quickest ever, and they come as they were sent. */
  private isSteady(): boolean {
    const [first, last] = [this.up[0]!, this.up.at(-1)!]
    const took = last.at - first.at
    return took >= STEADY && first.offset - last.offset < took / 10
  }

  /** The page's clock stood still, or was set back: no message can come before it was sent. */
  private forgetBefore(latest: Sample): void {
    this.up = [latest]
    this.quickest = latest.offset
  }
}
