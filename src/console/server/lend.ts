/** @file Lends a robot of the run to a person for a demonstration, between two of its episodes. */

import { Pace } from '../../loop/pace.ts'
import { holdAction } from '../../robot/safety.ts'
import type { Desk, Live } from './desk.ts'
import { SmoothTending } from './smooth-tending.ts'

/** The person has the robot of this cell for a demonstration; the run waits. */
export async function lend(desk: Desk, live: Live, cell: string, still: () => boolean): Promise<void> {
  const { reins, recording, show, session } = live
  await reins.ready(cell)
  if (!still() || reins.letGo) return
  const { robot } = session.rigs.find((rig) => rig.cell === cell)!
  const pace = new Pace(robot.spec.rate, () => 1)
  const tending = new SmoothTending(desk.person)
  const plan = holdAction()
  show.begin({ cell, stage: 'demonstration', task: recording.event.task!, episode: null })
  reins.begin(cell)
  desk.recordingVerdict = undefined
  await recording.record(robot, {
    period: async () => {
      await pace.tick()
      if (reins.paused && !reins.stopped) await reins.ready(cell)
      if (reins.stopped) return 'stopped'
      if (reins.letGo) return 'gone'
      return desk.person.present ? desk.recordingVerdict : 'gone'
    },
    act: (observation) => tending.tend(observation, plan).takeover ?? null,
    saw: (observation, action) => {
      if (action) {
        tending.executed(action)
        show.act('operator', action, plan)
      }
      desk.look(cell, observation)
    },
  })
  reins.end(cell)
  await reins.ready(cell)
}
