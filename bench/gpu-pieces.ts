/** @file Pieces of a measurement that need none of each other: one that would begin too late is left out, one that fails costs no other its figures; both are said. */

export type Piece = (name: string, work: () => Promise<void>) => Promise<void>

export const piecewise =
  (say: (line: string) => void, isLate: () => boolean): Piece =>
  async (name, work) => {
    if (isLate()) {
      say(`${name}: left out, as the time is up`)
      return
    }
    try {
      await work()
    } catch (error) {
      say(`${name}: FAILED, and is left out: ${(error as Error).message.trim().split('\n').at(-1)}`)
    }
  }
