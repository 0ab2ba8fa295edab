/** @file How old a page's input is on arrival, though its clock is not ours: what took longer than the quickest message is age. */

const DRIFT = 1e-4 // of two clocks against each other; ours may be wrong by more than the best message says

export class Freshness {
  private offset = Infinity // ms, smallest arrival minus departure so far: clock difference and quickest way
  private heardAt = 0
  private lastSeq = -1

  /** Any message with the page's time in it. */
  heard(t: number, now: number): void {
    this.offset = Math.min(this.offset + DRIFT * (now - this.heardAt), now - t)
    this.heardAt = now
  }

  /** @returns ms on our clock when the input was read from its device; null for one that is late out of turn, or a repeat */
  received(seq: number, t: number, now: number): number | null {
    if (seq <= this.lastSeq) return null
    this.lastSeq = seq
    this.heard(t, now)
    return t + this.offset
  }
}
