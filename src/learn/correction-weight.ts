/** @file What a correction counts among what is cloned: by what came of it, as the critics of noise see it (docs/method.md §14). */
import { clip, constant, exp, mul, type ParameterStore, stopGradient, sub, type Tensor } from '../graph/index.ts'
import { meanOfMembers } from '../nets/index.ts'
import { ACTION_WIDTH } from '../robot/robot.ts'
import { noiseOf } from './actors.ts'
import { lookAhead } from './losses/index.ts'
import { Critics, type Update } from './update.ts'

/**
 * min(1, exp(A / β)) for rows that an operator made, 1 for all others, no gradient; A = r + γ V(s') - V(s) over the steps of a
 * TD target, V(s) = mean_m QW_m(s, n) of the noise actor's mode n. Who is sometimes wrong is cloned where it led somewhere:
 * A is how much sooner the task is done than the policy alone would have it done. Returns [task, batch].
 */
export function correctionWeight(store: ParameterStore, update: Update): Tensor {
  const { batch, settings } = update
  const critics = new Critics(store, update, 'noiseCritic')
  const actor = store.tensors('noiseActor')
  const shape = [...update.rows, ACTION_WIDTH]
  const still = constant(new Float32Array(shape.reduce((a, b) => a * b)), shape)
  const mode = (state: { features: Tensor; h: Tensor; proprio: Tensor }) =>
    noiseOf(settings.sizes, actor, state, still).noise
  const value = meanOfMembers(critics.judge(mode(batch)))
  const next = { features: batch.nextFeatures, h: batch.nextH, proprio: batch.nextProprio }
  const following = meanOfMembers(critics.judgeNext(mode(next)))
  const advantage = sub(lookAhead(batch.reward, batch.terminated, following, batch.discount), value)
  const weight = clip(exp(mul(1 / settings.learner.advantageScale, advantage)), 0, 1)
  return stopGradient(sub(1, mul(batch.corrected, sub(1, weight))))
}
