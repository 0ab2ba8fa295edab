/** @file The conservative term of Cal-QL, the critics' warm-up (docs/method.md §5, §12; arXiv 2303.05479). */
import {
  concat,
  div,
  logSumExp,
  maximum,
  mean,
  mul,
  stopGradient,
  sub,
  type Tensor,
  unsqueeze,
} from '../../graph/index.ts'
import type { Figure } from '../../metrics/figure.ts'
import type { HeadPolicy } from '../../nets/consistency-head.ts'

export const CONSERVATIVE: Figure = {
  name: 'critic.conservative',
  title: 'conservative',
  chart: 'Critics',
  unit: 'loss',
}

export type CalibratedQSettings = {
  temperature: number
  includeDataAction: boolean // the data action's Q joins the log-sum-exp, unraised
  subtractLogCount: boolean
}

/** ConRFT's form. */
export const CALIBRATED_Q: CalibratedQSettings = { temperature: 1, includeDataAction: true, subtractLogCount: true }

/** The page's literal form: no data action, no ln(count). */
export const PLAIN_CALIBRATED_Q: CalibratedQSettings = {
  temperature: 1,
  includeDataAction: false,
  subtractLogCount: false,
}

/**
 * The actions that the conservative term pushes down, all judged at s: uniform ones, π at s, π at s'.
 * uniform [..., n, A] in [-1, 1]; w, nextW: noise of scale K [..., n, A]; h, nextH: conditioning [..., H].
 * Returns [..., 3n, A] with its policy parts; no gradient reaches the policy.
 */
export function sampledActions(policy: HeadPolicy, uniform: Tensor, current: PolicyNoise, next: PolicyNoise) {
  const atState = stopGradient(policy(current.w, current.h))
  const atNext = stopGradient(policy(next.w, next.h))
  return { atState, atNext, all: concat([uniform, atState, atNext], uniform.shape.length - 2) }
}

export type PolicyNoise = { w: Tensor; h: Tensor }

/**
 * mean [ T·LSE({max(Q_m(s, a_k), MC(s))}_k, Q_m(s, a)) / T) - T·ln(count) - Q_m(s, a) ] over tasks, members and batch.
 * q [task, member, batch] of the data actions, sampledQ [task, member, batch, samples], returns of the states
 * mcReturns [task, batch].
 */
export function conservativeTerm(q: Tensor, sampledQ: Tensor, mcReturns: Tensor, settings: CalibratedQSettings) {
  const { temperature, includeDataAction, subtractLogCount } = settings
  const last = sampledQ.shape.length - 1
  const raised = maximum(sampledQ, unsqueeze(unsqueeze(mcReturns, 1), last))
  const entries = includeDataAction ? concat([raised, unsqueeze(q, last)], last) : raised
  const logSum = mul(temperature, logSumExp(div(entries, temperature), last))
  const softMaximum = subtractLogCount ? sub(logSum, temperature * Math.log(entries.shape[last]!)) : logSum
  return { raised, softMaximum, loss: mean(sub(softMaximum, q)) }
}
