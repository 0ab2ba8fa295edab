/**
 * @file How old a reading is, by its stamp, although the clock that stamped it is not ours. Both clocks advance alike, so the
 * smallest difference between arrival and stamp is their offset plus the fastest way there was; what a later message is
 * late by, beyond that, is its age. A stamp that stands still grows old, however often it arrives.
 */

const WINDOW = 60 // s: over that time two clocks drift apart by few milliseconds

/** One a topic: each may be stamped on another machine. A delay that was there from the start cannot be seen. */
export class StampClock {
  private smallest: { received: number; offset: number }[] = [] // of the window, rising in both

  /** Seconds, each on its own clock. */
  note(stamp: number, received: number): void {
    const offset = received - stamp
    this.smallest = this.smallest.filter((one) => one.offset < offset && received - one.received <= WINDOW)
    this.smallest.push({ received, offset })
  }

  /** When something that carries this stamp was measured, on our clock; NaN before anything was noted. */
  ours(stamp: number): number {
    return stamp + (this.smallest[0]?.offset ?? Number.NaN)
  }
}
