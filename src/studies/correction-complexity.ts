/** @file Corrections with rotation and several axes: what they are made of, and where the rule fails. */

import { percent } from '../metrics/percent.ts'
import { mean } from '../metrics/statistics.ts'
import { agreement } from '../review/audit/agreement.ts'
import { DEFAULT_OPERATOR } from '../robots/workcell/operator/options.ts'
import { LABEL_DEFAULTS } from '../talk/labels.ts'
import {
  type CorrectionSample,
  type CorrectionSegment,
  collectSegments,
  METRES_PER_UNIT,
  samplesOf,
} from './corrections.ts'
import type { Experiment, Section, Table, Workbench } from './experiment.ts'

const TURNING = 0.05 // rad over a window: a correction with rotation
const SHARES = [0, 0.1, 0.25, 0.5, 0.75, 1] // borders of rotation shares

export const experiment: Experiment = {
  name: 'correction-complexity',
  trains: false,
  title: 'Corrections with rotation and several axes',
  question:
    'What do corrections consist of, how much of it is left unsaid, and which kinds does the label rule get wrong?',
  robotMinutes: 0,
  trials: 40,
  async run(bench: Workbench): Promise<Section> {
    const segments: CorrectionSegment[] = []
    for (const seed of bench.options.seeds) {
      bench.progress(`correction-complexity: seed ${seed}`)
      const collect = () => collectSegments(DEFAULT_OPERATOR, { seed, episodes: bench.options.trials })
      segments.push(...(await bench.once(`default-seed${seed}`, collect)))
    }
    return sectionOf(samplesOf(segments, { ...LABEL_DEFAULTS, metresPerUnit: METRES_PER_UNIT }))
  },
}

const axesOf = ({ meant }: CorrectionSample) => meant.filter((sign) => sign !== 0).length
const turning = ({ turn }: CorrectionSample) => turn > TURNING
type Group = { name: string; holds: (sample: CorrectionSample) => boolean }

const shareGroups: (Group & { middle: number })[] = SHARES.slice(1).map((high, i) => {
  const low = SHARES[i]!
  return {
    name: `rotation share ${percent(low)} to ${percent(high)}`,
    middle: (low + high) / 2,
    holds: ({ rotationShare: share }) => share >= low && (share < high || (high === 1 && share === 1)),
  }
})

const GROUPS: Group[] = [
  { name: 'all', holds: () => true },
  ...[0, 1, 2, 3].map((count) => ({
    name: `${count} translation axes`,
    holds: (one: CorrectionSample) => axesOf(one) === count,
  })),
  { name: `turns by more than ${TURNING} rad`, holds: turning },
  { name: 'does not', holds: (one) => !turning(one) },
  ...shareGroups,
  { name: 'gripper changes', holds: ({ gripperChanges }) => gripperChanges },
  { name: 'an axis reverses', holds: ({ reverses }) => reverses },
  { name: 'no axis reverses', holds: ({ reverses }) => !reverses },
  ...[1, 2, 3, 4, 5].map((steps) => ({
    name: `window of ${steps}`,
    holds: ({ window }: CorrectionSample) => window === steps,
  })),
  ...['place', 'pick', 'assemble'].map((task) => ({ name: task, holds: (one: CorrectionSample) => one.task === task })),
]

export function sectionOf(samples: readonly CorrectionSample[]): Section {
  const share = (holds: Group['holds']) => samples.filter(holds).length / samples.length
  const exact = (holds: Group['holds']) => agreement(samples.filter(holds)).exact.share
  const onlyTurning = samples.filter((one) => turning(one) && axesOf(one) === 0).length / samples.length
  return {
    tables: [table(samples)],
    plots: [
      {
        name: 'rotation-share',
        plot: {
          title: 'Agreement by the share of rotation in a correction',
          x: { label: 'share of rotation in the motion', domain: [0, 1] },
          y: { label: 'exact agreement', domain: [0, 1], format: percent },
          series: [
            {
              name: 'exact',
              colour: 0,
              look: 'dots',
              points: shareGroups.flatMap(({ middle, holds, name }) => {
                const { exact: rate } = agreement(samples.filter(holds))
                if (rate.of === 0) return []
                return [{ x: middle, y: rate.share, low: rate.interval[0], high: rate.interval[1], note: name }]
              }),
            },
          ],
        },
      },
    ],
    notes: [
      `${percent(share(turning))} of the labelled steps turn the tool by more than ${TURNING} rad within their window, and ${percent(mean(samples.map(({ rotationShare }) => rotationShare)))} of the motion is rotation on average (0.15 rad counted as 15 mm): the rule says none of it. ${percent(onlyTurning)} turn and are meant as no translation at all.`,
      `By axes meant: ${[0, 1, 2, 3].map((count) => `${count}: ${percent(share((one) => axesOf(one) === count))}`).join(', ')}. The gripper changes in ${percent(share(({ gripperChanges }) => gripperChanges))}, an axis reverses in ${percent(share(({ reverses }) => reverses))}.`,
      `Exact agreement is ${percent(exact((one) => axesOf(one) === 1))} for one axis, ${percent(exact((one) => axesOf(one) === 2))} for two, ${percent(exact((one) => axesOf(one) === 3))} for three; ${percent(exact(({ reverses }) => reverses))} where an axis reverses and ${percent(exact(({ reverses }) => !reverses))} where none does; ${percent(exact(({ window }) => window === 1))} in windows of one step and ${percent(exact(({ window }) => window === LABEL_DEFAULTS.window))} in full ones.`,
      'The groups are made from what a still hand would have pushed, so that the tremor does not sort its own errors. A gripper change, a rotation and a speed have no words in the vocabulary. Intervals are at 95 %, over other interventions.',
    ],
  }
}

function table(samples: readonly CorrectionSample[]): Table {
  const rows = GROUPS.flatMap(({ name, holds }) => {
    const own = samples.filter(holds)
    if (own.length === 0) return []
    const { exact, axes } = agreement(own)
    const unspoken = mean(own.map(({ rotationShare }) => rotationShare))
    const [low, high] = exact.interval
    return [
      [
        name,
        String(own.length),
        percent(own.length / samples.length),
        `${percent(exact.share)} (${percent(low)} to ${percent(high)})`,
        percent(axes.share),
        percent(unspoken),
      ],
    ]
  })
  return { header: ['corrections', 'labels', 'share', 'exact', 'per axis', 'unspoken: rotation'], rows }
}
