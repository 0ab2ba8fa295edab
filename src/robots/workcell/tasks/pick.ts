/** @file "pick": the bolt that stands in the stand is lifted out. */

import { angleBetween, upOf } from '../spatial.ts'
import { above, boltIn, leaning, OPEN, overTable } from '../start.ts'
import { dot, subtract } from '../vector.ts'
import type { Task } from './task.ts'

export const task: Task = {
  listed: 2,
  instruction: 'pick up the bolt',
  maxSteps: 80,
  scene: 'bolts',
  succeeds: (truth) => {
    const bolt = truth.bolts[truth.bolt]!
    const height = dot(subtract(bolt.tip, truth.stand.position), upOf(truth.stand.rotation))
    const tilt = angleBetween(upOf(bolt.rotation), [0, 0, 1])
    return bolt.held && height >= 0.025 && tilt < 0.26 && bolt.speed < 0.35
  },
  start(stream, { fixtures, bolts, rotation, active, margins }) {
    bolts[active] = boltIn(stream, fixtures.stand, leaning(stream, 0.02, 0.15), 0.001)
    let position = overTable(stream, margins)
    // the head's top is 42 mm above the opening; a place ends with the tool more than 10 mm over it
    if (stream.uniform() < 0.5) position = above(stream, fixtures.stand, 0.055, 0.085)
    return { fixtures, bolts, toys: [], tcp: { position, rotation }, ...OPEN }
  },
}
