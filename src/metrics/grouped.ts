/** @file A share of cases that come in groups: those of one group have something in common, and say less than as many of their own. */
import { studentPoint, summedTally, type Tally } from './crossed.ts'
import { wilsonInterval } from './statistics.ts'

/**
 * 95 % interval of Σ sum / Σ count over other groups; `groups`: of so many cases, so many for which it holds. Wilson's interval
 * of as many independent cases as would scatter as much (effective sample size: L. Kish, Survey Sampling, 1965), with Student's
 * point for the groups; where nothing scatters, since all cases hold, say, each group counts as one. Cases in groups of their own
 * have Wilson's interval but for that point. One group says nothing of others: 0 to 1.
 */
export function groupedInterval(groups: readonly Tally[]): [low: number, high: number] {
  const some = groups.filter(({ count }) => count > 0)
  if (some.length < 2) return [0, 1]
  const { sum, count } = summedTally(some)
  const share = sum / count
  const scatter = some.reduce((all, group) => all + (group.sum - share * group.count) ** 2, 0) / count ** 2
  const trials = scatter > 0 ? Math.max(1, Math.min(count, (share * (1 - share)) / scatter)) : some.length
  return wilsonInterval(share * trials, trials, studentPoint(some.length - 1))
}
