/**
 * @file Whether the critics' advice helps: the policy of a checkpoint with the noise that they chose, and the same heads with
 * the noise as it was drawn, from the same starts and the same draws.
 */

import { type ActorSizes, actorLayouts } from '../learn/actors.ts'
import { readPolicy } from '../learn/checkpoint.ts'
import { Policy } from '../learn/policy.ts'
import { evaluate, score, trialDraws } from '../loop/evaluate.ts'
import { crossedEstimate, type Estimate, summedTally, type Tally } from '../metrics/crossed.ts'
import type { TrialOutcome } from '../metrics/metrics.ts'
import type { Trained } from '../run/trained.ts'
import type { CommandEncoder } from '../talk/embedding.ts'
import type { Table } from './experiment.ts'
import { points, signedSteps } from './figures.ts'
import { differenceOf } from './outcomes.ts'

/** Trial k of both is the same start. */
export type AdviceTrials = {
  seed: number
  tasks: Record<string, { followed: TrialOutcome[]; ignored: TrialOutcome[] }>
}

/** Of no use where the critics move the head's weights: nothing can be taken away there. */
export const advises = ({ config }: Pick<Trained, 'config'>) => config.networks.criticsMove === 'noise'

/** The heads of a checkpoint as they answer where nobody chose their noise: a method that has nothing but heads acts so. */
export async function headsAlone(checkpoint: string, sizes: ActorSizes, commands: CommandEncoder): Promise<Policy> {
  const alone = 'hg-dagger'
  const policy = await Policy.create(sizes, commands, alone)
  policy.setParameters(await readPolicy(checkpoint, actorLayouts(sizes, alone)))
  return policy
}

/** `trials` of each task from `firstSeed` on, twice. */
export async function followAdvice(
  trained: Trained,
  { trials, firstSeed }: { trials: number; firstSeed: number },
): Promise<AdviceTrials> {
  const { config, session, perception, sizes, checkpoint } = trained
  const alone = await headsAlone(checkpoint, sizes, session.commands)
  const advice: AdviceTrials = { seed: config.seed, tasks: {} }
  try {
    for (const task of config.tasks) {
      const [followed, ignored]: [TrialOutcome[], TrialOutcome[]] = [[], []]
      for (let start = firstSeed; start < firstSeed + trials; start++)
        for (const [policy, trialsOf] of [
          [trained.policy, followed],
          [alone, ignored],
        ] as const) {
          const crew = { robot: session.robot, perception, policy }
          const draws = trialDraws(config, session.robot.spec) // the same for both
          const made = await evaluate(crew, [task], { trials: 1, firstSeed: start, draws })
          trialsOf.push(...score(made[task]!).outcomes!)
        }
      advice.tasks[task] = { followed, ignored }
    }
  } finally {
    await alone.release()
  }
  return advice
}

/** With minus without, over seeds and starts. */
export function gainOf(
  advice: readonly AdviceTrials[],
  tasks: readonly string[],
): { success: Estimate; steps: Estimate } {
  const stepsOf = ({ followed, ignored }: AdviceTrials['tasks'][string]): Tally[] =>
    followed.map((one, k) => {
      const both = one.success && ignored[k]!.success
      return { sum: both ? one.length - ignored[k]!.length : 0, count: Number(both) }
    })
  return {
    success: differenceOf(
      advice.flatMap(({ seed, tasks: own }) =>
        tasks.flatMap((task) =>
          own[task]!.followed.map(({ success }, k) => ({
            trainingSeed: seed,
            start: k,
            first: success,
            second: own[task]!.ignored[k]!.success,
          })),
        ),
      ),
    ),
    steps: crossedEstimate(
      advice.map(({ tasks: own }) => {
        const rows = tasks.map((task) => stepsOf(own[task]!))
        return rows[0]!.map((_, k) => summedTally(rows.map((row) => row[k]!)))
      }),
    ),
  }
}

export function adviceTable(advice: readonly AdviceTrials[]): Table {
  const tasks = Object.keys(advice[0]!.tasks)
  const counted = (task: string, which: 'followed' | 'ignored') => {
    const all = advice.flatMap(({ tasks: own }) => own[task]![which])
    return `${all.filter(({ success }) => success).length} of ${all.length}`
  }
  const row = (title: string, own: readonly string[]) => {
    const { success, steps } = gainOf(advice, own)
    return [
      title,
      ...(own.length === 1 ? [counted(own[0]!, 'followed'), counted(own[0]!, 'ignored')] : ['', '']),
      points(success),
      signedSteps(steps),
    ]
  }
  return {
    title: 'The same heads with the noise that the critics chose, and with noise as drawn, at the end',
    header: ['task', 'chosen', 'as drawn', 'points', 'steps where both succeed'],
    rows: [...tasks.map((task) => row(task, [task])), row('all', tasks)],
  }
}
