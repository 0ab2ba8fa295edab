/** @file Ablation: the dual actor with one of our departures from the paper taken back at a time. */
import { sectionOf } from './compare-methods.ts'
import type { Experiment, Overrides } from './experiment.ts'
import { type ComparedMethod, methodCalled, settingsOf } from './methods.ts'
import { measure } from './outcomes.ts'

type Variant = { name: string; title: string; settings: Overrides }

/** The first is the dual actor of table1. */
export const VARIANTS: readonly Variant[] = [
  { name: 'dual', title: 'dual actor', settings: {} },
  { name: 'no-renewal', title: 'head never renewed', settings: { learner: { renewal: { every: 0 } } } },
  { name: 'no-input-noise', title: 'no noise on inputs', settings: { learner: { inputNoise: 0 } } },
  { name: 'no-average', title: 'head acts as it learns', settings: { learner: { actorAverage: 1 } } },
  { name: 'no-gripper-gain', title: 'gripper as the mean says', settings: { networks: { gripperGain: 1 } } },
  { name: 'no-value', title: 'critics without a say online', settings: { online: { qWeight: 0 } } },
  {
    name: 'no-noise-gain',
    title: 'no noise gain, no obedience',
    settings: { learner: { noiseGain: 0, refinement: { obedience: 0 } } },
  },
]

export const experiment: Experiment = {
  name: 'ablation',
  title: 'What each departure from the paper is worth',
  question:
    'What happens to the dual actor of table 1 when one of the settings in which quick differs from paper is taken back?',
  runsOf: 'table1',
  defaults: { seeds: [0, 1, 2], trials: 25, robotMinutes: 30, overrides: {} },
  async run(bench) {
    const rows = await Promise.all(
      VARIANTS.map(async ({ name, title, settings }, colour) => {
        const method: ComparedMethod = { name, title, colour, onTheWay: true }
        const set = settingsOf(methodCalled('dual'), settings)
        const runs = await Promise.all(bench.options.seeds.map((seed) => bench.train(name, set, seed)))
        return { method, runs: runs.map(measure) }
      }),
    )
    return sectionOf(rows)
  },
}
