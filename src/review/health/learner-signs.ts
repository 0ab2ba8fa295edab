/** @file Signs of a learner that diverges or has stopped. */
import { each } from '../../metrics/figure.ts'
import { median } from '../../metrics/statistics.ts'
import type { Finding } from './flat-task.ts'
import { type HealthConfig, type HeardMetrics, UPDATES } from './heard.ts'

const IDLE_STEPS = 1200 // two robot minutes; the default settings report every 34 steps

export function notANumber(heard: HeardMetrics): Finding | undefined {
  const broken = heard.updates
    .slice(-1)
    .flatMap(({ figures }) => Object.entries(figures))
    .find(([, value]) => !Number.isFinite(value))
  return (
    broken && {
      sign: 'no number',
      words: 'The learner has computed something that is not a number; what it learns from here on is worthless.',
      figure: `${broken[0]}: ${broken[1]}`,
      advice: 'Stop, go back to an earlier checkpoint, and lower learner.learningRate',
    }
  )
}

export function explodingGradient(heard: HeardMetrics, config: HealthConfig): Finding | undefined {
  if (heard.updatesHeard < 3 * UPDATES) return undefined // the first updates of fresh networks are clipped, too
  const { maxGradientNorm } = config.learner
  const groups = Object.keys(each(heard.updates.at(-1)?.figures ?? {}, 'gradientNorm'))
  const norms = groups.map((group) => {
    const values = heard.measured(`gradientNorm.${group}`)
    return { group, norm: values.length === UPDATES ? median(values) : 0 }
  })
  const worst = norms.reduce((most, one) => (one.norm > most.norm ? one : most), { group: '', norm: 0 })
  if (!(worst.norm > maxGradientNorm)) return undefined
  return {
    sign: 'exploding gradient',
    words: `The gradient of group "${worst.group}" is cut in most updates.`,
    figure: `median norm ${worst.norm.toFixed(1)}, the clip is at ${maxGradientNorm}`,
    advice: 'Lower learner.learningRate',
  }
}

export function idleLearner(heard: HeardMetrics, config: HealthConfig): Finding | undefined {
  const silent = heard.robotSteps - Math.max(heard.learnedAt, config.online.startAfter)
  if (heard.updatesHeard === 0 || silent < IDLE_STEPS) return undefined
  return {
    sign: 'idle learner',
    words: 'The robot goes on, but the learner has not reported an update for long: it acts on stale parameters.',
    figure: `${silent} robot steps since the last update`,
    advice: 'Stop and resume the run; in lock-step mode look at online.updatesPerStep',
  }
}
