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

/** A trial is a task from a start state. */
export type TrialStart = { task: string; seed: number }

/** Whoever makes trials beside the robot of an evaluation, in one of its own. */
export type TrialMaker = {
  /** Rejects where this one makes no more trials, which others then have to make. */
  make(trial: TrialStart): Promise<EpisodeSummary>
}

export type EvaluationOptions = {
  trials: number // of each task
  firstSeed: number
  /** What a trial draws at random. Nothing of it depends on other trials, so that they can be made in any order. */
  draws(trial: TrialStart): TrialDraws
  /** A trial with a recorder is made by the robot itself. */
  recorder?: (task: string, trial: number) => Recorder | undefined
  /** A trial that was made before, by an earlier part of the same evaluation. */
  made?: (task: string, seed: number) => EpisodeSummary | undefined
  /** In the order in which trials end. */
  onEpisode?: (summary: EpisodeSummary) => void
  attend?: (task: string) => Attendant | undefined
  /** The robot's own trials are those that nobody of these makes meanwhile. */
  beside?: readonly TrialMaker[]
}

/**
 * Trial k of every task and every evaluation uses the seed firstSeed + k, so that evaluations and methods are paired. Returns
 * the trials of each task, in this order.
 */
export async function evaluate(
  crew: Omit<Rollout, 'recorder' | 'attendant' | keyof TrialDraws>,
  tasks: readonly string[],
  { trials, firstSeed, draws, recorder, made, onEpisode, attend, beside = [] }: EvaluationOptions,
): Promise<Record<string, EpisodeSummary[]>> {
  const found: Record<string, EpisodeSummary[]> = Object.fromEntries(tasks.map((task) => [task, []]))
  const waiting = tasks.flatMap((task) =>
    Array.from({ length: trials }, (_, k) => ({ task, seed: firstSeed + k, recorder: recorder?.(task, k) })),
  )
  const note = ({ task, seed }: TrialStart, summary: EpisodeSummary) => {
    found[task]![seed - firstSeed] = summary
    onEpisode?.(summary)
  }
  const make = async ({ task, seed, recorder }: (typeof waiting)[number]): Promise<EpisodeSummary> => {
    for (;;) {
      const summary = await runEpisode(
        { ...crew, ...draws({ task, seed }), recorder, attendant: attend?.(task) },
        task,
        seed,
      )
      crew.course?.check()
      if (summary.judged?.terminated !== false) return summary // else a person stopped it: it was no trial
    }
  }
  const own = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift())
      note(next, made?.(next.task, next.seed) ?? (await make(next)))
  }
  const others = beside.map(async (maker) => {
    for (;;) {
      const at = waiting.findIndex(({ task, seed, recorder }) => !recorder && !made?.(task, seed))
      const [next] = at < 0 ? [] : waiting.splice(at, 1)
      if (!next) return
      const summary = await maker.make(next).catch(() => undefined)
      if (!summary) return void waiting.unshift(next)
      note(next, summary)
    }
  })
  try {
    await own()
    const left = Promise.all(others)
    await (crew.course?.during(left) ?? left) // nobody knows how long they take
    await own() // what somebody left
  } finally {
    waiting.length = 0
  }
  return found
}

export const scores = (trials: Readonly<Record<string, readonly EpisodeSummary[]>>): Record<string, TaskScore> =>
  Object.fromEntries(Object.entries(trials).map(([task, made]) => [task, score(made)]))

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

/** What a trial draws at random: ξ, and what is tried where the arm stands still. */
export type TrialDraws = Pick<Rollout, 'noise' | 'exploration'>

type DrawSettings = {
  evaluation: { noise: number; exploration: number }
  online: { exploration: ExplorationSettings }
  seed: number
}

export function trialDraws(config: DrawSettings, spec: RobotSpec): (trial: TrialStart) => TrialDraws {
  return ({ task, seed }) => {
    const stream = (what: string) => new RandomStream(config.seed, `evaluation ${what}/${task}/${seed}`)
    return {
      noise: evaluationNoise(config, stream('noise')),
      exploration: evaluationExploration(config, spec, stream('exploration')),
    }
  }
}

/** What an evaluation tries where the arm stands still, if anything. */
export function evaluationExploration(
  { evaluation: { exploration: after }, online, seed }: DrawSettings,
  spec: RobotSpec,
  random = new RandomStream(seed, 'evaluation exploration'),
): Exploration | undefined {
  return after === 0 ? undefined : new Exploration({ ...online.exploration, after }, spec, random)
}

/** ξ of an evaluation: drawn anew for each action, as in practice (docs/method.md §13), but as wide as `evaluation.noise` says. */
export function evaluationNoise(
  { evaluation, seed }: { evaluation: { noise: number }; seed: number },
  random = new RandomStream(seed, 'evaluation noise'),
): () => Float32Array {
  const xi = new Float32Array(ACTION_WIDTH)
  return () => random.fillNormal(xi, evaluation.noise)
}
