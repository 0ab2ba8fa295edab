/** @file The refinement actor's loss on the talk-and-tweak data; the head and the critics are frozen in it (docs/method.md §6, §12). */
import { add, clip, mean, mul, neg, stopGradient, sum, type Tensor } from '../../graph/index.ts'
import type { Figure } from '../../metrics/figure.ts'
import type { HeadPolicy } from '../../nets/consistency-head.ts'
import { meanOfMembers } from '../../nets/critic.ts'
import { refinedNoise } from '../../nets/refinement-actor.ts'
import { directCloning } from './behaviour-cloning.ts'
import { squaredDistance } from './means.ts'

const CHART = { chart: 'Refinement actor', unit: 'loss' }
export const REFINEMENT = {
  bc: { name: 'refine.bc', title: 'cloning', ...CHART },
  q: { name: 'refine.q', title: 'value term', ...CHART },
  reg: { name: 'refine.reg', title: 'null command', ...CHART },
  loss: { name: 'refine.loss', title: 'total', ...CHART },
  obedience: { name: 'refine.obedience', title: 'obedience', ...CHART },
  meanMu: { name: 'meanMu', title: 'mean |μ/K|', chart: 'Shift of the noise, mean |μ/K|', unit: 'units of K' },
} satisfies Record<string, Figure>

/** h [batch, H]; actions (what the operator did), xi and xiReg [batch, A]. */
export type RefinementBatch = { h: Tensor; actions: Tensor; xi: Tensor; xiReg: Tensor }

/** η1, η2 and η3. */
export type RefinementWeights = { bc: number; q: number; reg: number }

/**
 * L = η1 E||π(h; K(m+ξ)) - a*||² - η2 E[Q(s, π(h; K(m+ξ)))] + η3 E||π(h; K(m0+ξ')) - stopgrad π(h; K ξ')||².
 * m [batch, A]: the mean under each sample's command; m0 [batch, A]: under "[null]". `value` maps actions [batch, A] to
 * the Q of each sample's own task [batch].
 */
export function refinementLoss(
  policy: HeadPolicy,
  noiseScale: number,
  { h, actions, xi, xiReg }: RefinementBatch,
  { m, m0 }: { m: Tensor; m0: Tensor },
  value: (action: Tensor) => Tensor,
  eta: RefinementWeights,
) {
  const action = policy(refinedNoise(noiseScale, m, xi), h)
  const actionWithoutCommand = policy(refinedNoise(noiseScale, m0, xiReg), h)
  const primaryAction = stopGradient(policy(mul(noiseScale, xiReg), h))
  const bcPerSample = directCloning(action, actions)
  const regPerSample = squaredDistance(actionWithoutCommand, primaryAction)
  const valuePerSample = value(action)
  const [bc, q, reg] = [mean(bcPerSample), neg(mean(valuePerSample)), mean(regPerSample)]
  const loss = add(add(mul(eta.bc, bc), mul(eta.q, q)), mul(eta.reg, reg))
  return { action, actionWithoutCommand, primaryAction, bcPerSample, regPerSample, valuePerSample, bc, q, reg, loss }
}

/**
 * Each sample's Q by its own task's critics, mean of members: q [task, member, batch], ownTask [task, batch] is 1 at the
 * sample's task, else 0. Returns [batch]. All critics judge all samples, so that a batch may mix the tasks as it likes.
 */
export const valueOfOwnTask = (q: Tensor, ownTask: Tensor): Tensor => sum(mul(ownTask, meanOfMembers(q)), [0])

/**
 * Beyond the paper, no label needed: E||π(h; K(m+ξ)) - clip(stopgrad π(h; K ξ) + shift)||². A command means a
 * displacement along its axes, relative to what the primary actor would do; so any state and any command make a sample.
 * Without it the term above has nothing to teach once the primary actor has cloned the corrections. shift [batch, A].
 */
export function obedienceTerm(
  policy: HeadPolicy,
  noiseScale: number,
  { h, xi, m, shift }: Record<'h' | 'xi' | 'm' | 'shift', Tensor>,
) {
  const asked = clip(add(stopGradient(policy(mul(noiseScale, xi), h)), shift), -1, 1)
  return mean(squaredDistance(policy(refinedNoise(noiseScale, m, xi), h), asked))
}
