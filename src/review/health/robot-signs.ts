/** @file Signs beside the learner: an operator who works more, cameras that see nothing, a loop that is late. */
import type { MetricOf } from '../../metrics/metrics.ts'
import { percent } from '../../metrics/percent.ts'
import { mean, median } from '../../metrics/statistics.ts'
import type { Finding } from './flat-task.ts'
import { type HeardMetrics, SHARE_EPISODES } from './heard.ts'

const LATE_EPISODES = 5 // of each task
const LATE_SHARE = 0.25 // of a period

export function risingOperator(heard: HeardMetrics): Finding | undefined {
  const { first, last } = heard.shares
  if (last.length < SHARE_EPISODES) return undefined
  const share = (episodes: readonly MetricOf<'episode'>[]) =>
    mean(episodes.map(({ operatorSteps }) => operatorSteps)) / mean(episodes.map(({ length }) => length))
  if (!(share(last) > share(first) + 0.1)) return undefined
  return {
    sign: 'operator works more',
    words: 'The operator takes over more than at the beginning: the policy gets worse, or the operator less patient.',
    figure: `${percent(share(last))} of the steps in the last ${SHARE_EPISODES} episodes, ${percent(share(first))} in the first`,
    advice: 'Compare with success without help; if that falls too, lower online.qWeight or learner.interventionShare',
  }
}

/** The robot's envelope has counted; it stops the robot where that goes on. */
export function blindCameras(heard: HeardMetrics): Finding[] {
  return [...heard.cameras].flatMap(([name, { look }]) =>
    look === null
      ? []
      : [
          {
            sign: `camera ${name} ${look}`,
            words: `The arm moves, but camera ${name} shows ${look === 'flat' ? 'nothing' : 'the same picture'}.`,
            figure: look === 'flat' ? 'the picture is black or white all over' : 'the picture does not change',
            advice: 'Look at lens, light and cable; the robot is stopped if it goes on',
          },
        ],
  )
}

/**
 * Of robots in real time. A command that rests on a picture older than a period steers by what the step before has changed
 * already; a quarter of a period of jitter can be felt.
 */
export function unpunctualLoop(heard: HeardMetrics): Finding | undefined {
  const timed = [...heard.episodes.values()]
    .flatMap((own) => own.slice(-LATE_EPISODES))
    .flatMap(({ timing }) => timing ?? [])
  if (timed.length < LATE_EPISODES) return undefined
  const { period } = timed[0]!
  const latency = median(timed.map(({ latency99 }) => latency99))
  const jitter = median(timed.map(({ jitter99 }) => jitter99))
  if (!(latency > period) && !(jitter > LATE_SHARE * period)) return undefined
  const ms = (value: number) => `${value.toFixed(0)} ms`
  return {
    sign: 'late commands',
    words: 'The robot is commanded late or unevenly: it acts on old pictures.',
    figure: `99 % of the commands leave within ${ms(latency)} of their picture, and within ${ms(jitter)} of their time; the period is ${ms(period)}`,
    advice: 'Close what else works on this computer, give its encoder a GPU (device), or lower the rate of the robot',
  }
}
