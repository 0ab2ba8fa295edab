/**
 * @file Who says how an episode stands after a step. A robot may know by itself, a classifier may look at it; a person
 * overrules both. The clock cuts an episode off without a word about its state.
 */

import type { Judge } from '../replay/transition.ts'
import type { Tending } from '../robot/operator.ts'
import type { Observation, Outcome } from '../robot/robot.ts'

export type Judgement = {
  reward: number
  terminated: boolean
  by: Judge
  confidence?: number // 0 to 1, where the judge has one
}

export interface RewardSource {
  /** An episode of the task begins. */
  begin?(task: string): void
  judge(observation: Observation, outcome: Outcome): Judgement
}

/** The robot's own test of success and failure. */
export const robotsOwn: RewardSource = {
  judge: (_, { reward, terminated }) => ({ reward, terminated, by: 'robot' }),
}

const RANK: readonly Judge[] = ['person', 'classifier', 'robot', 'clock']

/**
 * The one place where judges are ranked. Of the sources the highest counts; a person's verdict overrules it; the clock
 * (`late`) and an abort truncate what has not terminated.
 */
export function decide(
  sources: readonly RewardSource[],
  outcome: Outcome,
  verdict: Tending['verdict'],
  late: boolean,
): Judgement & { truncated: boolean } {
  if (verdict === 'success' || verdict === 'failure')
    return { reward: verdict === 'success' ? 1 : 0, terminated: true, truncated: false, by: 'person' }
  const judged = sources.map((source) => source.judge(outcome.observation, outcome))
  const [first] = judged.sort((a, b) => RANK.indexOf(a.by) - RANK.indexOf(b.by))
  const { reward, terminated } = first!
  const truncated = !terminated && (late || verdict === 'abort')
  if (!truncated) return { ...first!, truncated }
  return { reward, terminated, truncated, by: verdict === 'abort' ? 'person' : 'clock' }
}
