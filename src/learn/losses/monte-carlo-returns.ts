/** @file Monte-Carlo returns of whole episodes, the lower bound that Cal-QL raises its samples to (paper.md §5, §12). */
import { ShapeError } from '../../errors.ts'

/**
 * G_t = r_t + γ G_{t+1} inside the episode; 0 after its last step however it ended (terminated, truncated, cut off).
 * rewards: any number of episodes, back to back; episode: the episode of each step. Returns one value a step.
 * @throws ShapeError if the lengths differ
 */
export function monteCarloReturns(rewards: ArrayLike<number>, episode: ArrayLike<number>, discount: number) {
  if (rewards.length !== episode.length)
    throw new ShapeError('episode of each step', [episode.length], [rewards.length])
  const returns = new Float32Array(rewards.length)
  let tail = 0
  for (let t = rewards.length - 1; t >= 0; t--) {
    if (episode[t] !== episode[t + 1]) tail = 0
    tail = rewards[t]! + discount * tail
    returns[t] = tail
  }
  return returns
}

/** 1 where the next state's value counts: terminated steps do not bootstrap, truncated ones do. */
export const bootstrapMask = (terminated: ArrayLike<number>): Float32Array =>
  Float32Array.from({ length: terminated.length }, (_, t) => 1 - terminated[t]!)
