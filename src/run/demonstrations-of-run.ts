/** @file A run's demonstrations: those that its config names, or those that its robots or a person make for it. */
import { InputError } from '../errors.ts'
import { Course } from '../loop/failure.ts'
import { robotSeed } from '../loop/practice.ts'
import { LogSource } from '../replay/log-source.ts'
import type { EpisodeSource } from '../replay/source.ts'
import type { SafeRobot } from '../robot/safety.ts'
import type { RunConfig } from './config.ts'
import { recordDemonstrations } from './demonstrations.ts'
import { demonstrationsIn } from './demonstrations-in.ts'
import { partOf, type RunFolder } from './folder.ts'
import type { Observer } from './observer.ts'
import type { OnProgress } from './progress.ts'
import type { Session } from './session.ts'

/** Of each robot; where the config names no folder, recorded into this one, going on where an earlier recording stopped. */
export async function ensureDemonstrations(
  folder: Pick<RunFolder, 'demonstrations'>,
  config: RunConfig,
  session: Session,
  onProgress: OnProgress,
  course = new Course(),
  observer?: Observer,
): Promise<EpisodeSource[]> {
  const { path, perTask, noise, by } = config.demonstrations
  const sources = session.rigs.map(
    (rig, index) => new LogSource(partOf(path ?? folder.demonstrations, { rig, index }), rig.robot.spec),
  )
  if (path)
    return Promise.all(
      sources.map(({ name }, index) => demonstrationsIn(name, config, session.rigs[index]!.robot.spec)),
    )
  const recordedByPerson = async (name: string, cell: string, robot: SafeRobot) => {
    if (!observer)
      throw new InputError(
        'setting "demonstrations.path"',
        `is not set, and ${robot.spec.name} has nobody to demonstrate by itself`,
        'Train with --console and record them there, or name a folder of demonstrations that a person recorded',
      )
    robot.supervisedBy([]) // there is no learner yet; a page in control is heard
    const onKept = (done: number, total: number) =>
      onProgress({ stage: `waiting for demonstrations in ${robot.spec.name}`, done, total })
    await course.during(observer.demonstrate(cell, { folder: name, tasks: config.tasks, perTask, onKept }))
    course.check()
  }
  for (const [index, { cell, robot, simulation }] of session.rigs.entries()) {
    if (!simulation) {
      await recordedByPerson(sources[index]!.name, cell, robot)
      continue
    }
    await recordDemonstrations(sources[index]!.name, {
      robot,
      demonstrator: (start, hand) => simulation.demonstrator(start, hand, by),
      tasks: config.tasks,
      perTask,
      noise,
      seed: robotSeed(config.seed, { index }),
      ready: () => {
        const held = observer?.ready(cell)
        return held && course.during(held)
      },
      check: () => course.breathe(),
      onEpisode: (done, total) => onProgress({ stage: `recording demonstrations in ${robot.spec.name}`, done, total }),
    })
  }
  return sources
}
