/** @file Monte-Carlo returns, the lower bound that Cal-QL raises its sampled values to, and the steps that a TD target sums over. */
import { ShapeError } from '../errors.ts'
import type { Actor } from './transition.ts'

/**
 * G_t = r_t + γ·G_{t+1} inside an episode, and 0 after its last step however it ended. Source: docs/method.md §5, §12.
 *
 * rewards: [T], one episode or several in a row. episode: [T], the number of each step's episode; leave out for one.
 * Returns [T].
 */
export function monteCarloReturns(
  rewards: ArrayLike<number>,
  discount: number,
  episode?: ArrayLike<number>,
): Float32Array {
  if (episode && episode.length !== rewards.length) {
    throw new ShapeError('episode of each step', [episode.length], [rewards.length])
  }
  const returns = new Float32Array(rewards.length)
  let ahead = 0
  for (let t = rewards.length - 1; t >= 0; t--) {
    if (episode && episode[t] !== episode[t + 1]) ahead = 0
    ahead = rewards[t]! + discount * ahead
    returns[t] = ahead
  }
  return returns
}

/** The steps that the TD target of one transition sums over, and what follows them. */
export type Stretch = {
  steps: number // k: the target's next state is s_{t+k}
  reward: number // Σ_{j<k} γ^j r_{t+j}
  discount: number // γ^k, of the value of s_{t+k}
  terminated: boolean // within it: no value follows
}

/**
 * For each step t of an episode the stretch t..t+k-1, k ≤ `most`. It ends with the episode, and where another actor goes
 * on, by hand or by word: what comes then is not the doing of who acted at t, and a policy must not be told that it rescues
 * itself.
 */
export function stretches(
  steps: readonly { reward: number; terminated: boolean; actor: Actor }[],
  { discount, most }: { discount: number; most: number },
): Stretch[] {
  return steps.map(({ actor }, t) => {
    const stretch: Stretch = { steps: 0, reward: 0, discount: 1, terminated: false }
    do {
      const { reward, terminated } = steps[t + stretch.steps]!
      stretch.reward += stretch.discount * reward
      stretch.discount *= discount
      stretch.terminated = terminated
      stretch.steps++
    } while (stretch.steps < most && !stretch.terminated && steps[t + stretch.steps]?.actor === actor)
    return stretch
  })
}
