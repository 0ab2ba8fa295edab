/** @file Label audit: how often the rule says what the operator meant, by operator, command, window J and threshold σ. */

import { percent } from '../metrics/percent.ts'
import { type Agreement, agreement, type Rate } from '../review/audit/agreement.ts'
import type { Series } from '../review/report/plot.ts'
import { DEFAULT_OPERATOR, type SimulatedOperatorOptions, WEAK_OPERATOR } from '../robots/workcell/operator/options.ts'
import { LABEL_DEFAULTS } from '../talk/labels.ts'
import { AXES } from '../talk/vocabulary.ts'
import {
  type CorrectionSample,
  type CorrectionSegment,
  collectSegments,
  METRES_PER_UNIT,
  samplesOf,
} from './corrections.ts'
import type { Experiment, Section, Table, Workbench } from './experiment.ts'

const OPERATORS: { name: string; title: string; options: SimulatedOperatorOptions }[] = [
  { name: 'default', title: 'default', options: DEFAULT_OPERATOR },
  { name: 'weak', title: 'weak', options: WEAK_OPERATOR },
  {
    name: 'many-axes',
    title: 'default, dead zone 0.06, axes below 20 % rest',
    options: { ...DEFAULT_OPERATOR, deadZone: 0.06, sparsity: 0.2 },
  },
]
const WINDOWS = [1, 3, 5, 8]
const THRESHOLDS = [0.0005, 0.001, 0.002, 0.004, 0.008] // metres

type Hand = { title: string; segments: CorrectionSegment[] }

export const experiment: Experiment = {
  name: 'label-audit',
  trains: false,
  title: 'Do the labels say what was meant?',
  question:
    'How often does the rule turn a correction into the command that the same correction would have become without the tremor of the hand?',
  robotMinutes: 0,
  trials: 40,
  async run(bench: Workbench): Promise<Section> {
    const hands: Hand[] = []
    for (const { name, title, options } of OPERATORS) {
      const segments: CorrectionSegment[] = []
      for (const seed of bench.options.seeds) {
        bench.progress(`label-audit: corrections of operator "${title}", seed ${seed}`)
        const collect = () => collectSegments(options, { seed, episodes: bench.options.trials })
        segments.push(...(await bench.once(`${name}-seed${seed}`, collect)))
      }
      hands.push({ title, segments })
    }
    return sectionOf(hands, bench.options.seeds)
  },
}

const rule = { ...LABEL_DEFAULTS, metresPerUnit: METRES_PER_UNIT }
const { window: J, threshold: σ } = LABEL_DEFAULTS
const samples = (hand: Hand, window: number = J, threshold: number = σ) =>
  samplesOf(hand.segments, { ...rule, window, threshold })
const shown = ({ share, interval: [low, high] }: Rate) =>
  `${(100 * share).toFixed(1)} % (${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)})`
const millimetres = (metres: number) => `${1000 * metres} mm`

export function sectionOf(hands: readonly Hand[], seeds: readonly number[]): Section {
  const found = hands.map((hand) => ({ ...hand, judged: samples(hand) }))
  const usual = agreement(found[0]!.judged)
  return {
    tables: [byOperator(found, seeds), byCommand(usual), ...hands.slice(0, 2).map(byWindowAndThreshold)],
    plots: [
      {
        name: 'threshold',
        plot: {
          title: 'Exact agreement by threshold σ',
          x: { label: 'σ [mm]', domain: [0, 1000 * THRESHOLDS.at(-1)!] },
          y: { label: 'exact agreement', domain: [0, 1], format: percent },
          series: hands.map(
            (hand, colour): Series => ({
              name: hand.title,
              colour,
              look: 'line',
              points: THRESHOLDS.map((threshold) => {
                const { share, interval } = agreement(samples(hand, J, threshold)).exact
                return { x: 1000 * threshold, y: share, low: interval[0], high: interval[1] }
              }),
            }),
          ),
        },
      },
    ],
    notes: [
      'Meant: the label, by the same rule, of what the operator’s plan would have pushed in the same scenes with a hand that does not tremble and does not mix up left and right; dead zone and resting axes stay. ' +
        'The corrected policy is the scripted expert with wandering noise (0.5 action units, memory 0.8), so nothing here is learned.',
      `With the default operator ${shown(usual.exact)} of ${usual.exact.of} labels agree on all axes and ${shown(usual.axes)} of the axes agree; ${usual.opposed} axes were said in the opposite direction. ` +
        `Of the axes that disagree, ${percent(borderline(found[0]!.judged))} were meant by an amount within 1 mm of σ: a matter of where the line is drawn.`,
      'Intervals are at 95 %, over other interventions: the labels of one share its scene and most of their steps.',
    ],
  }
}

/** Share of the disagreeing axes whose intended size is within σ of the threshold. */
export function borderline(judged: readonly CorrectionSample[]): number {
  const wrong = judged.flatMap(({ said, meant, intended }) =>
    said.flatMap((sign, axis) => (sign === meant[axis] ? [] : [Math.abs(Math.abs(intended[axis]!) - σ)])),
  )
  return wrong.filter((distance) => distance <= σ).length / wrong.length
}

function byOperator(found: readonly (Hand & { judged: CorrectionSample[] })[], seeds: readonly number[]): Table {
  const rows = found.map(({ title, judged, segments }) => {
    const { exact, axes, axis, spoken, opposed } = agreement(judged)
    const perSeed = seeds.map((seed) => {
      const own = samples({ title, segments: segments.filter((segment) => segment.seed === seed) })
      return agreement(own).exact.share
    })
    const silent = judged.filter(({ said }) => said.every((sign) => sign === 0)).length / judged.length
    return [
      title,
      String(judged.length),
      shown(exact),
      `${percent(Math.min(...perSeed))} to ${percent(Math.max(...perSeed))}`,
      shown(axes),
      ...AXES.map((name) => percent(axis[name].share)),
      percent(spoken.share),
      String(opposed),
      percent(silent),
      percent(borderline(judged)),
    ]
  })
  return {
    title: `Agreement by operator (J ${J}, σ ${millimetres(σ)})`,
    header: [
      ...['operator', 'labels', 'exact', 'seeds', 'per axis', 'x', 'y', 'z', 'spoken axes', 'opposite'],
      ...['"[null]"', 'of the errors borderline'],
    ],
    rows,
  }
}

const byCommand = ({ byCommand: rates }: Agreement): Table => ({
  title: 'Exact agreement by command, default operator',
  header: ['command', 'labels', 'exact'],
  rows: Object.entries(rates)
    .sort(([, a], [, b]) => b.of - a.of)
    .map(([command, rate]) => [command, String(rate.of), shown(rate)]),
})

function byWindowAndThreshold(hand: Hand): Table {
  return {
    title: `Exact agreement by J and σ, operator "${hand.title}" (in brackets: share of "[null]")`,
    header: ['J', ...THRESHOLDS.map(millimetres)],
    rows: WINDOWS.map((window) => [
      String(window),
      ...THRESHOLDS.map((threshold) => {
        const judged = samples(hand, window, threshold)
        const silent = judged.filter(({ said }) => said.every((sign) => sign === 0)).length
        return `${percent(agreement(judged).exact.share)} (${percent(silent / judged.length)})`
      }),
    ]),
  }
}
