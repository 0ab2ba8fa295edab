/** @file A person moves a robot of the run for a demonstration, between two of its episodes. */
import { Pace } from '../../loop/pace.ts'
import type { Person } from '../../operator/person.ts'
import { holdAction } from '../../robot/guard.ts'
import type { Rig } from '../../robot/rig.ts'
import type { Observation } from '../../robot/robot.ts'
import type { CellView } from './cell-view.ts'
import type { Hold } from './hold.ts'
import type { Recording } from './recording.ts'
import { SmoothTending } from './smooth-tending.ts'

export type Teleop = {
  rig: Pick<Rig, 'cell' | 'robot' | 'leader'>
  person: Person
  hold: Hold
  recording: Recording
  view: CellView
  look: (observation: Observation) => void
  /** Resolves when the scene is laid; says whether somebody had to. */
  lay: (task: string, seed: number) => Promise<boolean>
  /** Whether the demonstration is still asked for. */
  wanted: () => boolean
}

/** The person has the robot until the demonstration is over; the run waits. */
export async function teleoperate({ rig, person, hold, recording, view, look, lay, wanted }: Teleop): Promise<void> {
  const { cell, robot } = rig
  await hold.ready(cell)
  if (!wanted() || hold.letGo) return
  const pace = new Pace(robot.spec.rate, () => 1)
  const tending = new SmoothTending(person, robot, rig.leader)
  const plan = holdAction()
  view.begin({ cell, stage: 'demonstration', task: recording.event.task!, episode: null })
  hold.begin(cell)
  await recording.record(robot, {
    lay,
    period: async () => {
      await pace.tick()
      if (hold.paused && !hold.stopped) await hold.ready(cell)
      if (hold.stopped) return 'stopped'
      return hold.letGo || !person.present ? 'gone' : undefined
    },
    act: (observation) => tending.tend(observation, plan).takeover ?? null,
    saw: (observation, action) => {
      if (action) view.act('operator', action, plan)
      look(observation)
    },
  })
  await robot.rest() // while the person looks at it nobody commands the robot, and that is no fault
  hold.end(cell)
  await hold.ready(cell)
}
