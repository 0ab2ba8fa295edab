/** @file Signs of critics that promise what does not come, or guess. */
import { percent } from '../../metrics/percent.ts'
import type { Finding } from './flat-task.ts'
import { DRIFT_LINES, EPISODES, type HealthConfig, type HeardMetrics } from './heard.ts'

const CHANCE = 0.55 // share

/**
 * No return exceeds 1. Otherwise a gap of 0.25, and two standard errors of the returns, that has grown: a critic starts
 * far below the returns, from Cal-QL's pessimism, and climbs; that is no drift.
 */
export function driftingCritics(heard: HeardMetrics): Finding[] {
  return [...heard.gaps].flatMap(([task, past]) => {
    const gap = heard.gapOf(task)
    if (!gap) return []
    const grown = past.length === DRIFT_LINES && Math.abs(past.at(-1)!) > Math.abs(past[0]!) + 0.1
    const impossible = gap.q > 1.1
    if (!impossible && !(grown && Math.abs(gap.q - gap.returned) > 0.25 + 2 * gap.error)) return []
    return [
      {
        sign: `critic drifts, ${task}`,
        words: `The critic of ${task} promises ${gap.q > gap.returned ? 'more' : 'less'} than episodes return, and the gap ${impossible ? 'cannot close: no return exceeds 1' : 'grows'}.`,
        figure: `mean Q ${gap.q.toFixed(2)}, mean return of the last ${EPISODES} episodes ${gap.returned.toFixed(2)}`,
        advice: 'Lower online.qWeight until it is calibrated; check the rewards, and learner.discount',
      },
    ]
  })
}

/**
 * In corrected states Q should rank what the operator did above what the policy would do. Twelve measurements of a hundred
 * rows or so, which are no more than a few hundred independent ones (a takeover is several rows), have a standard error of
 * about 0.03: up to 0.55 it may be chance. The control says where a higher share would come from.
 */
export function guessingCritics(heard: HeardMetrics, config: HealthConfig): Finding | undefined {
  const rank = heard.measuredSeldom('critic.rank')
  if (rank === undefined || !(rank <= CHANCE)) return undefined
  const elsewhere = heard.measuredSeldom('critic.rankElsewhere')
  return {
    sign: 'critics at chance',
    words: 'Where the operator corrected the policy, the critics cannot tell which of the two was right.',
    figure:
      `Q ranks the operator's action first in ${percent(rank)} of such states` +
      (elsewhere === undefined ? '' : `, and in ${percent(elsewhere)} where the same two are judged in another state`),
    advice: adviceFor(config),
  }
}

/** λ2 has no say where critics move the noise. */
function adviceFor({ learner, networks }: HealthConfig): string {
  const silent =
    networks.criticsMove === 'noise' ? 'networks.criticsMove=head and online.qWeight=0' : 'online.qWeight=0'
  return learner.ranking.weight > 0
    ? `They need rewards of both kinds, and more corrections; let nothing follow them yet: ${silent}`
    : `Tell them what corrections say, learner.ranking.weight=1, or let nothing follow them: ${silent}`
}
