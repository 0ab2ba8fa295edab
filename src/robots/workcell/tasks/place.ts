/** @file "place": a bolt from its cradle upright into the stand. */
import { isReleasedAndClear, seating } from '../outcome.ts'
import { above, boltIn, OPEN, overTable, smallTurn } from '../start.ts'
import type { Task } from './task.ts'

export const task: Task = {
  listed: 1,
  instruction: 'place the bolt upright in the stand',
  maxSteps: 80,
  scene: 'bolts',
  succeeds: (truth) => {
    const bolt = truth.bolts[truth.bolt]!
    const { depth, offset, tilt } = seating(bolt, truth.stand)
    return depth >= 0.02 && offset < 0.004 && tilt < 0.22 && isReleasedAndClear(truth, bolt)
  },
  start(stream, { fixtures, bolts, rotation, active: k, margins }) {
    bolts[k] = boltIn(stream, fixtures.cradles[k]!, smallTurn(stream, 0.08), 0.001)
    let position = overTable(stream, margins, 0.01)
    // half of the time as an assemble before leaves it
    if (k > 0 && stream.uniform() < 0.5) position = above(stream, fixtures.slots[k - 1]!, 0.05, 0.08)
    return { fixtures, bolts, toys: [], tcp: { position, rotation }, ...OPEN }
  },
  goal: ({ stand }) => ({ fixture: stand, seatedDepth: 0.0215, offset: 0.004 }),
}
