/** @file A simulated robot of the learner's own, by which new weights are tried before the robots of a fleet get them. */
import { InputError } from '../errors.ts'
import type { ActorSizes } from '../learn/actors.ts'
import { Policy } from '../learn/policy.ts'
import type { Published } from '../link/ports.ts'
import { scores } from '../loop/evaluate.ts'
import { Course } from '../loop/failure.ts'
import type { Perception } from '../loop/perception.ts'
import type { TaskScore } from '../metrics/metrics.ts'
import { openRig } from '../robots/index.ts'
import type { Closing } from '../run/closing.ts'
import type { RunConfig } from '../run/config.ts'
import { evaluateRig } from '../run/evaluation.ts'
import type { Minds } from '../run/session.ts'

/** Tries weights, one version at a time, until the learner ends; every trial of every version begins from the same starts. */
export type Canary = (published: Published, trials: number) => Promise<Record<string, TaskScore>>

/** @throws InputError where the run's robots are real: there is none beside the learner */
export async function openCanary(
  config: RunConfig,
  { commands }: Minds,
  perception: Perception,
  sizes: ActorSizes,
  course: Course,
  closing: Closing,
): Promise<Canary> {
  if (config.robot.kind !== 'workcell')
    throw new InputError(
      'setting "fleet.canary.trials"',
      `asks for trials, and the learner has no robot ${config.robot.kind}`,
      'Leave it out, and look at the robots: `duet fleet roll-back` takes bad weights from them',
    )
  const rig = await openRig(config.robot, config.robot.cells[0]!)
  closing.add(() => rig.close())
  rig.robot.supervisedBy([]) // it is a simulation, and its trials are made here
  const policy = await Policy.create(sizes, commands, config.method)
  closing.add(() => policy.release())
  const leaving = new AbortController()
  course.onStop(() => leaving.abort())
  const ownCourse = new Course(course.failure, leaving.signal)
  let going: Promise<unknown> = Promise.resolve()
  closing.add(async () => {
    leaving.abort()
    await going.catch(() => {}) // whoever asked for it hears of it
  })
  return ({ values }, trials) => {
    const { tasks, evaluation } = config
    const { firstSeed } = evaluation
    const trial = async () => {
      ownCourse.check()
      policy.setParameters(values)
      const crew = { config, perception, policy, course: ownCourse, stage: 'canary' }
      return scores(await evaluateRig(rig, { ...crew, tasks, trials, firstSeed }))
    }
    const made = trial()
    going = made
    return made
  }
}
