/** @file The evaluation of one robot of a run, trial by trial, told to whoever looks on, or guided by them. */
import type { Planner } from '../learn/planner.ts'
import type { Recorder } from '../loop/episode.ts'
import { aloneInRealTime, evaluate, evaluationExploration, evaluationNoise } from '../loop/evaluate.ts'
import type { Course } from '../loop/failure.ts'
import type { EpisodeSummary } from '../loop/happening.ts'
import { paceOf } from '../loop/pace.ts'
import type { Perception } from '../loop/perception.ts'
import { holding } from '../loop/practice.ts'
import type { TaskScore } from '../metrics/metrics.ts'
import { rewardSources } from '../reward/sources.ts'
import type { Operator } from '../robot/operator.ts'
import type { Rig } from '../robot/rig.ts'
import type { RunConfig } from './config.ts'
import { EvaluationPlan } from './evaluation-plan.ts'
import type { Observer } from './observer.ts'
import type { Trials } from './trials.ts'

export type RigEvaluation = {
  config: RunConfig
  perception: Perception
  policy: Planner
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
}

/** @throws Stopped where the run is asked to end before the last trial: those that were kept are not made again */
export async function evaluateRig(rig: Rig, evaluation: RigEvaluation): Promise<Record<string, TaskScore>> {
  const { config, perception, policy, course, observer, operator, kept, recorder } = evaluation
  const { stage, tasks, trials, firstSeed, onEpisode } = evaluation
  const { cell, robot } = rig
  const crew = {
    ...{ robot, perception, policy, course, operator },
    noise: evaluationNoise(config),
    exploration: evaluationExploration(config, robot.spec),
    pace: observer || rig.real ? paceOf(rig, config, observer) : undefined,
    rewards: rewardSources(config.reward, robot.spec),
    ...aloneInRealTime(rig),
  }
  const plan = new EvaluationPlan(rig, tasks, { stage, trials, firstSeed })
  observer?.evaluating(plan.progress)
  return evaluate(crew, tasks, {
    trials,
    firstSeed,
    recorder,
    made: (task, seed) => kept?.made(cell, task, seed),
    attend: (task) => {
      const beside = observer?.attend({ cell, stage: 'evaluation', task, episode: null })
      return beside && holding(beside, (held) => course.failure.during(held))
    },
    onEpisode: (summary) => {
      if (!kept?.made(cell, summary.task, summary.seed)) kept?.keep(cell, summary)
      plan.note(summary)
      observer?.evaluating(plan.progress)
      onEpisode?.(summary)
    },
  })
}
