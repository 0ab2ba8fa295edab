/** @file Evaluation: fresh seeds, no takeovers; no commands but those of an operator who speaks, where one is given. */

import type { TaskScore } from '../metrics/metrics.ts'
import { wilsonInterval } from '../metrics/statistics.ts'
import { RandomStream } from '../random/stream.ts'
import type { Rig } from '../robot/rig.ts'
import { ACTION_WIDTH, type RobotSpec } from '../robot/robot.ts'
import type { Attendant } from './attendant.ts'
import { type Recorder, type Rollout, runEpisode } from './episode.ts'
import { Exploration, type ExplorationSettings } from './exploration.ts'
import type { EpisodeSummary } from './happening.ts'

/** Trial k of every task and every evaluation uses the seed firstSeed + k, so that evaluations and methods are paired. */
export async function evaluate(
  crew: Omit<Rollout, 'recorder' | 'attendant'>,
  tasks: readonly string[],
  options: {
    trials: number
    firstSeed: number
    recorder?: (task: string, trial: number) => Recorder | undefined
    /** A trial that was made before, by an earlier part of the same evaluation. */
    made?: (task: string, seed: number) => EpisodeSummary | undefined
    onEpisode?: (summary: EpisodeSummary) => void
    attend?: (task: string) => Attendant | undefined
  },
): Promise<Record<string, TaskScore>> {
  const scores: Record<string, TaskScore> = {}
  for (const task of tasks) {
    const episodes: EpisodeSummary[] = []
    for (let trial = 0; trial < options.trials; trial++) {
      const seed = options.firstSeed + trial
      const run = () =>
        runEpisode(
          { ...crew, recorder: options.recorder?.(task, trial), attendant: options.attend?.(task) },
          task,
          seed,
        )
      let summary = options.made?.(task, seed)
      while (!summary) {
        const taken = await run()
        crew.course?.check()
        if (taken.judged?.terminated !== false) summary = taken // else a person stopped it: it was no trial
      }
      episodes.push(summary)
      options.onEpisode?.(summary)
    }
    scores[task] = score(episodes)
  }
  return scores
}

export function score(episodes: readonly EpisodeSummary[]): TaskScore {
  const won = episodes.filter(({ ending }) => ending === 'success')
  const counted = won.length > 0 ? won : episodes
  return {
    success: won.length / episodes.length,
    successes: won.length,
    trials: episodes.length,
    interval: wilsonInterval(won.length, episodes.length),
    meanSteps: counted.reduce((sum, { length }) => sum + length, 0) / counted.length,
    outcomes: episodes.map(({ seed, ending, length, by }) => ({ seed, success: ending === 'success', length, by })),
  }
}

/** What a robot that waits for nobody adds to those who are to act with it, where it is the only one. */
export const aloneInRealTime = ({ real }: Pick<Rig, 'real'>): Pick<Rollout, 'realTime'> =>
  real ? { realTime: { during: (wait) => wait } } : {}

/** What an evaluation tries where the arm stands still, if anything. */
export function evaluationExploration(
  { evaluation, online, seed }: ExploringSettings,
  spec: RobotSpec,
): Exploration | undefined {
  const { exploration: after } = evaluation
  if (after === 0) return undefined
  return new Exploration({ ...online.exploration, after }, spec, new RandomStream(seed, 'evaluation exploration'))
}

type ExploringSettings = {
  evaluation: { exploration: number }
  online: { exploration: ExplorationSettings }
  seed: number
}

/** ξ of an evaluation: drawn anew for each action, as in practice (docs/method.md §13), but as wide as `evaluation.noise` says. */
export function evaluationNoise({
  evaluation,
  seed,
}: {
  evaluation: { noise: number }
  seed: number
}): () => Float32Array {
  const random = new RandomStream(seed, 'evaluation noise')
  const xi = new Float32Array(ACTION_WIDTH)
  return () => random.fillNormal(xi, evaluation.noise)
}
