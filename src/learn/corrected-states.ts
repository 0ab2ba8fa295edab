/** @file States in which an operator acted, as rows of a program, and what the policy would do there beside what was done. */
import { concat, mul, type ParameterStore, slice, type Tensor } from '../graph/index.ts'
import type { TransitionRows } from '../replay/buffer.ts'
import { GRIPPER_ENTRY } from '../robot/gripper.ts'
import { ACTION_WIDTH } from '../robot/robot.ts'
import { actingHeads, NOISE_SCALE, noiseOf } from './actors.ts'
import { executedAnswer } from './executed.ts'
import type { StepSettings } from './method.ts'
import type { Steps } from './steps.ts'

const CORRECTED = 50 // intervened steps of a task before it counts: some ten takeovers

/** Fills `total` rows, as many of each task. @returns for each row whether its task has been corrected often enough to count */
export function drawCorrected(
  { replay, sampling }: Pick<Steps, 'replay' | 'sampling'>,
  rows: Partial<TransitionRows>,
  total: number,
): boolean[] {
  const { tasks } = replay.options
  const counts = replay.counts()
  const count = Math.floor(total / tasks.length)
  const request = { count, demonstrationShare: 1, interventionShare: 1 }
  for (const [i, task] of tasks.entries())
    replay.sampleTransitions({ ...request, task, offset: i * count }, sampling, rows)
  const enough = tasks.map((task) => counts[task]!.interventions >= CORRECTED)
  return Array.from({ length: total }, (_, row) => enough[Math.floor(row / count)] ?? false)
}

/** The motion of an action, without the grip: [..., A] → [..., 6]. */
export const withoutGrip = (action: Tensor): Tensor => slice(action, action.rank - 1, 0, GRIPPER_ENTRY)

/**
 * What the policy would execute in these states, [task, batch, A], with the grip of `action`, which was done: a critic would
 * know a head's grip, which is no whole one, without looking at the motion.
 */
export function policyBeside(
  store: ParameterStore,
  { sizes }: StepSettings,
  state: { features: Tensor; h: Tensor; proprio: Tensor },
  action: Tensor,
  xi: Tensor,
): Tensor {
  const noise = store.names.includes('noiseActor') ? noiseOf(sizes, store.tensors('noiseActor'), state, xi).noise : xi
  const answer = executedAnswer(actingHeads(store, sizes), sizes.network)(mul(NOISE_SCALE, noise), state)
  return concat([withoutGrip(answer), slice(action, action.rank - 1, GRIPPER_ENTRY, ACTION_WIDTH)], action.rank - 1)
}
