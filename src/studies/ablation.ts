/** @file Ablation: the dual actor with one of our departures from the paper taken back at a time. */
import { compareMethods, READING, type Row } from './compare-methods.ts'
import type { Experiment, Overrides } from './experiment.ts'
import { type ComparedMethod, methodCalled, regimeOf, settingsOf, trainSeeds } from './methods.ts'
import { describeDemonstrations, describeEncoder, describeOperator } from './origins.ts'
import { measure } from './outcomes.ts'

type Variant = { name: string; title: string; settings: Overrides }

/** Beside the control, critics without a say, and the dual actor of `regimes`. Each departure is taken back at least once. */
export const VARIANTS: readonly Variant[] = [
  {
    name: 'moves-head',
    title: 'critics move the head',
    settings: { networks: { criticsMove: 'head' } },
  },
  {
    name: 'one-head',
    title: 'one head',
    settings: { networks: { pastHeads: 0 }, warmUp: { heads: 1, cloningSteps: 0 } },
  },
  {
    name: 'one-step-targets',
    title: 'one-step targets after Cal-QL',
    settings: { learner: { returnSteps: 1, boundedTargets: false, targetRate: 0.005, conservativeWeight: 0.1 } },
  },
  {
    name: 'sees-features',
    title: 'critics and refinement actor see feature maps',
    settings: { networks: { sees: 'features' }, replay: { shiftedCopies: 1 } },
  },
  { name: 'no-extra-cloning', title: 'no further cloning steps', settings: { learner: { cloningSteps: 0 } } },
  { name: 'all-interventions', title: 'all interventions cloned', settings: { learner: { clones: 'interventions' } } },
  {
    name: 'no-ranking',
    title: 'critics told nothing of two actions',
    settings: { learner: { ranking: { weight: 0 } } },
  },
  { name: 'no-renewal', title: 'head never renewed', settings: { learner: { renewal: { every: 0 } } } },
  { name: 'no-input-noise', title: 'no noise on inputs', settings: { learner: { inputNoise: 0 } } },
  { name: 'no-average', title: 'head acts as it learns', settings: { learner: { actorAverage: 1 } } },
  { name: 'no-gripper-gain', title: 'gripper as the mean says', settings: { networks: { gripperGain: 1 } } },
  {
    name: 'no-noise-gain',
    title: 'no noise gain, no obedience',
    settings: { learner: { noiseGain: 0, refinement: { obedience: 0 } } },
  },
]

export const experiment: Experiment = {
  name: 'ablation',
  title: 'What each departure from the paper is worth',
  question: 'What happens to the dual actor when one of the settings in which quick differs from paper is taken back?',
  runsOf: 'regimes',
  robotMinutes: 30,
  async run(bench) {
    const dual = methodCalled('dual')
    const regime = regimeOf(bench)
    const trained = ['cloning', 'silent'].map(methodCalled).map(
      async (method): Promise<Row> => ({
        method,
        runs: (await trainSeeds(bench, regime, method)).map(measure),
      }),
    )
    const taken = VARIANTS.map(async ({ name, title, settings }, i): Promise<Row> => {
      const method: ComparedMethod = { name, title, colour: i + 3, settings: settingsOf(dual, settings) }
      return { method, runs: (await trainSeeds(bench, regime, method)).map(measure) }
    })
    const ours = trainSeeds(bench, regime, dual).then((runs): Row => ({ method: dual, runs: runs.map(measure) }))
    const rows = await Promise.all([...trained, ...taken, ours])
    const { tables, plot } = compareMethods(rows)
    const { config } = rows[0]!.runs[0]!
    return {
      tables,
      plots: [{ name: 'interventions', plot }],
      notes: [...READING, describeEncoder(config), `${describeDemonstrations(config)}. ${describeOperator(config)}`],
    }
  },
}
