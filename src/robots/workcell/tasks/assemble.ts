/** @file "assemble": the bolt in the hand goes into its slot. */
import { BOLT, OPENING_HEIGHT } from '../layout.ts'
import { isReleasedAndClear, seating } from '../outcome.ts'
import { around, boltInGrip } from '../start.ts'
import type { Pose } from '../truth.ts'
import type { Task } from './task.ts'

const TIP_TO_GRASP = BOLT.tipBelowHead - BOLT.graspBelowHead

export const task: Task = {
  listed: 3,
  instruction: 'assemble the bolt into the slot',
  maxSteps: 80,
  scene: 'bolts',
  succeeds: (truth) => {
    const bolt = truth.bolts[truth.bolt]!
    const { depth, offset, tilt } = seating(bolt, truth.slots[truth.bolt]!)
    return depth >= 0.025 && offset < 0.003 && tilt < 0.13 && isReleasedAndClear(truth, bolt)
  },
  start(stream, { fixtures, bolts, rotation, active, margins }) {
    const [x, y] = fixtures.stand.position
    const aside = 0.01 + margins.tool // not in height: the tip would touch the stand
    const tcp: Pose = {
      position: around(stream, [x, y, OPENING_HEIGHT + 0.04 + TIP_TO_GRASP], [aside, aside, 0.01]),
      rotation,
    }
    bolts[active] = boltInGrip(stream, tcp, stream.uniform(-0.002, 0.002), stream.uniform(-0.04, 0.04))
    return { fixtures, bolts, toys: [], tcp, gripper: 'close', fingerOpening: BOLT.shaftRadius }
  },
  goal: ({ slots, bolt }) => ({ fixture: slots[bolt]!, seatedDepth: 0.026, offset: 0.003 }),
}
