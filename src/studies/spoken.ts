/** @file The evaluation of a finished run once more, beside a simulated speaker. */
import { evaluate, evaluationNoise } from '../loop/evaluate.ts'
import type { TaskScore } from '../metrics/metrics.ts'
import type { SpeakerReport } from '../robot/rig.ts'
import { openTrained } from '../run/trained.ts'
import type { FinishedRun } from './experiment.ts'

export async function evaluateWithCommands({
  folder,
}: FinishedRun): Promise<{ tasks: Record<string, TaskScore>; report: SpeakerReport }> {
  const trained = await openTrained(folder.path)
  const { config, session, perception, policy } = trained
  try {
    const { robot, simulation } = session.rigs[0]!
    const speaker = simulation!.speaker(session.translator)
    const crew = { robot, perception, policy, noise: evaluationNoise(config), operator: speaker }
    const tasks = await evaluate(crew, config.tasks, config.evaluation)
    return { tasks, report: speaker.report() }
  } finally {
    await trained.close()
  }
}
