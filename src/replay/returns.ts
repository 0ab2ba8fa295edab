/** @file Monte-Carlo returns: the lower bound that Cal-QL raises its sampled values to. */
import { ShapeError } from '../errors.ts'

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
