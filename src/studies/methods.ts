/** @file The methods that are compared, and the settings of a run of each. */
import { mergeSettings } from '../run/resolve.ts'
import type { FinishedRun, Overrides, Regime, Workbench } from './experiment.ts'
import { STANDARD } from './regimes.ts'

export type ComparedMethod = { name: string; title: string; colour: number; settings: Overrides }

/** Evaluations draw from random streams of their own: a run that is evaluated on the way learns the same. */
const ON_THE_WAY: Overrides = { evaluation: { trialsOnTheWay: 10, everyRobotMinutes: 5 } }

/** What the critics knew on the way is asked of the checkpoints. */
const KEPT: Overrides = { keepCheckpoints: 1000, checkpointEveryRobotMinutes: 2.5 }

/**
 * The control of every table: what as many heads as act in the others come to, each cloned on the demonstrations alone for as
 * many steps, and averaged. What a method brings is its difference to this, not to its own step 0.
 */
const CLONING: Overrides = { method: 'dual', warmUp: { qWeight: 0 }, online: { robotMinutes: 0 } }

/** The dual actor, but what the critics say moves no actor. */
const SILENT: Overrides = {
  method: 'dual',
  networks: { criticsMove: 'head' },
  warmUp: { qWeight: 0 },
  online: { qWeight: 0 },
  learner: { refinement: { qWeight: 0 } },
}

/** Of others, whose critics are told nothing of what an operator preferred; what they would make of our choice of it is `silent`. */
const UNTOLD: Overrides = { learner: { ranking: { weight: 0 } } }

/** Of those of them who clone: whatever an operator did, and nothing else. */
const AS_PUBLISHED: Overrides = mergeSettings(UNTOLD, { learner: { clones: 'interventions' } })

/** Of those whose policy is one for ever; who only clones may begin anew as ours does. */
const FOR_EVER: Overrides = { learner: { generation: 0 } }

/** The control first, ours last. */
export const COMPARED: readonly ComparedMethod[] = [
  { name: 'cloning', title: 'no online phase', colour: 2, settings: CLONING },
  {
    name: 'hg-dagger',
    title: 'HG-DAgger',
    colour: 4,
    settings: mergeSettings({ method: 'hg-dagger' }, AS_PUBLISHED, ON_THE_WAY),
  },
  {
    name: 'hil-conrft',
    title: 'HIL-ConRFT (flat)',
    colour: 3,
    settings: mergeSettings({ method: 'hil-conrft' }, AS_PUBLISHED, FOR_EVER),
  },
  { name: 'dsrl', title: 'DSRL', colour: 5, settings: mergeSettings({ method: 'dsrl' }, UNTOLD, FOR_EVER) },
  { name: 'silent', title: 'dual actor, critics silent', colour: 1, settings: SILENT },
  { name: 'dual', title: 'dual actor', colour: 0, settings: mergeSettings({ method: 'dual' }, ON_THE_WAY, KEPT) },
]

export const methodCalled = (name: string): ComparedMethod => COMPARED.find((method) => method.name === name)!

/** Of an experiment that trains in one. */
export const regimeOf = ({ regime = STANDARD }: Pick<Workbench, 'regime'>): Regime => regime

/** As the experiment `regimes` calls the runs, and all who train in its folder; others read them by this name. */
export const runName = (regime: Pick<Regime, 'name'>, method: Pick<ComparedMethod, 'name'>) =>
  `${regime.name}-${method.name}`

/** What the method sets wins: the control has no online phase in any regime. */
export const settingsOf = ({ settings }: ComparedMethod, ...others: Overrides[]): Overrides =>
  mergeSettings(...others, settings)

/** One run of the method in the regime for each of the seeds that the workbench was asked for; `then`: as soon as it has finished. */
export const trainSeeds = (
  bench: Workbench,
  regime: Regime,
  method: ComparedMethod,
  then: (run: FinishedRun) => Promise<unknown> = async () => undefined,
): Promise<FinishedRun[]> =>
  Promise.all(
    bench.options.seeds.map(async (seed) => {
      const run = await bench.train(runName(regime, method), settingsOf(method, regime.settings), seed)
      await then(run)
      return run
    }),
  )
