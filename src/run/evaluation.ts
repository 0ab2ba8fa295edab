/** @file The evaluation of one robot of a run, trial by trial, told to whoever looks on, or guided by them. */
import { availableParallelism } from 'node:os'
import type { Planner } from '../learn/planner.ts'
import type { Recorder } from '../loop/episode.ts'
import { aloneInRealTime, evaluate, trialDraws } from '../loop/evaluate.ts'
import type { Course } from '../loop/failure.ts'
import type { EpisodeSummary } from '../loop/happening.ts'
import { paceOf } from '../loop/pace.ts'
import type { Perception } from '../loop/perception.ts'
import { holding } from '../loop/practice.ts'
import { rewardSources } from '../reward/sources.ts'
import type { Operator } from '../robot/operator.ts'
import type { Rig } from '../robot/rig.ts'
import type { RunConfig } from './config.ts'
import { EvaluationPlan } from './evaluation-plan.ts'
import { startEvaluator } from './evaluator.ts'
import type { Observer } from './observer.ts'
import type { PolicyCopy } from './trained.ts'
import type { Trials } from './trials.ts'

export type RigEvaluation = {
  config: RunConfig
  perception: Perception
  policy: Planner
  /** The same, where other threads can act with it, too. */
  copy?: PolicyCopy
  course: Course
  observer?: Observer
  /** Who speaks, where somebody does. */
  operator?: Operator
  stage: string
  tasks: readonly string[]
  trials: number // of each task
  firstSeed: number
  kept?: Trials
  recorder?: (task: string, trial: number) => Recorder | undefined
  onEpisode?: (summary: EpisodeSummary) => void
  onNotice?: (line: string) => void
}

const MOST_THREADS = 4

/**
 * How many trials of a rig are made at the same time. Real robots, and simulated people beside them, who remember what they
 * said, are one each.
 */
export function trialsAtOnce(
  { simulation }: Pick<Rig, 'simulation'>,
  { config: { evaluation, vla }, copy, operator }: Pick<RigEvaluation, 'config' | 'copy' | 'operator'>,
  cores = availableParallelism(),
): number {
  if (!simulation || !copy || operator) return 1
  if (evaluation.threads > 0) return evaluation.threads
  return vla === 'nano' ? Math.min(MOST_THREADS, Math.max(1, Math.floor(cores / 2))) : 1 // another one's weights fill memories
}

/** The trials of each task. @throws Stopped where the run is asked to end before the last one: those that were kept are not made again */
export async function evaluateRig(rig: Rig, evaluation: RigEvaluation): Promise<Record<string, EpisodeSummary[]>> {
  const { config, perception, policy, copy, course, observer, operator, kept, recorder } = evaluation
  const { stage, tasks, trials, firstSeed, onEpisode, onNotice } = evaluation
  const { cell, robot } = rig
  const crew = {
    ...{ robot, perception, policy, course, operator },
    pace: observer || rig.real ? paceOf(rig, config, observer) : undefined,
    rewards: rewardSources(config.reward, robot.spec),
    ...aloneInRealTime(rig),
  }
  const plan = new EvaluationPlan(rig, tasks, { stage, trials, firstSeed })
  observer?.evaluating(plan.progress)
  const others = Math.min(trialsAtOnce(rig, evaluation), trials * tasks.length) - 1
  const lost = ({ message }: Error) =>
    onNotice?.(`Evaluation: a thread makes no more trials, the others go on. ${message}`)
  const beside = copy ? Array.from({ length: others }, () => startEvaluator({ config, cell, policy: copy }, lost)) : []
  try {
    return await evaluate(crew, tasks, {
      ...{ trials, firstSeed, recorder, beside },
      draws: trialDraws(config, robot.spec),
      made: (task, seed) => kept?.made(cell, task, seed),
      attend: (task) => {
        const attendant = observer?.attend({ cell, stage: 'evaluation', task, episode: null })
        return attendant && holding(attendant, (held) => course.failure.during(held))
      },
      onEpisode: (summary) => {
        if (!kept?.made(cell, summary.task, summary.seed)) kept?.keep(cell, summary)
        plan.note(summary)
        observer?.evaluating(plan.progress)
        onEpisode?.(summary)
      },
    })
  } finally {
    await Promise.all(beside.map((evaluator) => evaluator.close()))
  }
}
