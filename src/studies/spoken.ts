/** @file The evaluation of a finished run once more: in another cell, or beside a simulated speaker. */
import { evaluate, scores, trialDraws } from '../loop/evaluate.ts'
import type { TaskScore } from '../metrics/metrics.ts'
import type { SpeakerReport } from '../robot/rig.ts'
import { openTrained, type Trained } from '../run/trained.ts'
import type { FinishedRun } from './experiment.ts'
import { type Steered, scriptedPush } from './scripted-push.ts'

/** Who acts where something is said: the refinement actor, or what stands in for it. */
export type Listener = 'actor' | 'push'

/** The policy as it acts where somebody speaks. */
export const heardBy = ({ policy, session, config }: Trained, says?: Listener): Steered =>
  says === 'push' ? scriptedPush(policy, session.translator, config.learner.refinement.shift) : policy

export type Tried = { tasks: Record<string, TaskScore>; report?: SpeakerReport }

/** `says`: nobody speaks without it. `cell`: unless it is the run's own. */
export async function tryOut({ folder }: FinishedRun, says?: Listener, cell?: string): Promise<Tried> {
  const trained = await openTrained(folder.path, cell ? { cells: [cell] } : {})
  const { config, session, perception } = trained
  try {
    const { robot, simulation } = session.rigs[0]!
    const operator = says && simulation!.speaker(session.translator)
    const crew = { robot, perception, policy: heardBy(trained, says), operator }
    const draws = trialDraws(config, robot.spec)
    const made = await evaluate(crew, config.tasks, { ...config.evaluation, draws })
    return { tasks: scores(made), report: operator?.report() }
  } finally {
    await trained.close()
  }
}

export async function evaluateWithCommands(run: FinishedRun): Promise<Required<Tried>> {
  const { tasks, report } = await tryOut(run, 'actor')
  return { tasks, report: report! }
}
