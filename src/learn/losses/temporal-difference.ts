/** @file The critics' TD loss with the minimum over the target ensemble (docs/method.md §5, §12). */
import {
  add,
  mean,
  mul,
  square,
  stopGradient,
  sub,
  type Tensor,
  type TensorLike,
  unsqueeze,
} from '../../graph/index.ts'
import type { Figure } from '../../metrics/figure.ts'
import { minOfMembers } from '../../nets/critic.ts'

export const TD: Figure = { name: 'critic.td', title: 'temporal difference', chart: 'Critics', unit: 'loss' }

/**
 * y = r + γ (1 - terminated) min_m Q'_m(s', a'), no gradient. A truncated step still bootstraps; with n steps reward and γ are
 * those up to s'. reward, terminated, discount [task, batch]; nextQ [task, member, batch] of the target critics. Returns [task, batch].
 */
export const tdTarget = (reward: Tensor, terminated: Tensor, nextQ: Tensor, discount: TensorLike): Tensor =>
  stopGradient(add(reward, mul(mul(discount, sub(1, terminated)), minOfMembers(nextQ))))

/** mean over tasks, members and batch of (Q_m(s, a) - y)². q [task, member, batch], target [task, batch]. Returns []. */
export const tdLoss = (q: Tensor, target: Tensor): Tensor => mean(square(sub(q, unsqueeze(target, 1))))

/** 1 where the next state's value counts: terminated steps do not bootstrap, truncated ones do. */
export const bootstrapMask = (terminated: ArrayLike<number>): Float32Array =>
  Float32Array.from({ length: terminated.length }, (_, t) => 1 - terminated[t]!)
