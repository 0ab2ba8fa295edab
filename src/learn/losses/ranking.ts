/** @file What a correction says of two actions: the operator's is worth more than the policy's, and the more the further they are apart. */
import { div, maximum, mean, mul, sqrt, sub, sum, type Tensor, unsqueeze } from '../../graph/index.ts'
import type { Figure } from '../../metrics/figure.ts'
import { squaredDistance } from './means.ts'

export const RANKING: Figure = { name: 'critic.ranking', title: 'ranking', chart: 'Critics', unit: 'loss' }

/** m: by how much Q has to rise from the policy's action to the operator's: `slope` for each action unit between their motions. */
export const rankingMargin = (operator: Tensor, policy: Tensor, slope: number): Tensor =>
  mul(slope, sqrt(squaredDistance(operator, policy)))

/**
 * Mean over members and the samples that count of max(0, m - (Q_m(s, a_operator) - Q_m(s, a_policy))); 0 where none counts.
 * operatorQ, policyQ [task, member, batch]; margin, counts [task, batch]. Returns [].
 */
export function rankingLoss(operatorQ: Tensor, policyQ: Tensor, margin: Tensor, counts: Tensor): Tensor {
  const lacking = maximum(sub(unsqueeze(margin, 1), sub(operatorQ, policyQ)), 0)
  return div(sum(mul(mean(lacking, [1]), counts)), maximum(sum(counts), 1))
}
