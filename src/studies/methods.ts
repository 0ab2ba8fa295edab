/** @file The methods that are compared, and the settings of a run of each. */
import { mergeSettings } from '../run/config.ts'
import type { FinishedRun, Overrides, Workbench } from './experiment.ts'

/** `runsOf`: the method whose runs are this one's, too. */
export type ComparedMethod = { name: string; title: string; colour: number; onTheWay: boolean; runsOf?: string }

/**
 * In the order of the paper's table. Runs that are evaluated on the way serve the learning curves, too. Without a command
 * the dual actor is the single actor to the last bit: the refinement actor learns beside the primary, from draws of its
 * own, and moves nothing of it (tests/learn/methods.test.ts). So the single actor has no runs of its own.
 */
export const COMPARED: readonly ComparedMethod[] = [
  { name: 'hg-dagger', title: 'HG-DAgger', colour: 4, onTheWay: true },
  { name: 'hil-conrft', title: 'HIL-ConRFT (flat)', colour: 3, onTheWay: false },
  { name: 'dsrl', title: 'DSRL', colour: 5, onTheWay: false },
  { name: 'single', title: 'single actor', colour: 1, onTheWay: true, runsOf: 'dual' },
  { name: 'dual', title: 'dual actor', colour: 0, onTheWay: true },
]

export const methodCalled = (name: string): ComparedMethod => COMPARED.find((method) => method.name === name)!

/** Evaluations draw from random streams of their own: a run that is evaluated on the way learns the same. */
const ON_THE_WAY = { evaluation: { trialsOnTheWay: 10, everyRobotMinutes: 5 } }

export const settingsOf = ({ name, onTheWay }: ComparedMethod, settings: Overrides): Overrides =>
  mergeSettings({ method: name }, onTheWay ? ON_THE_WAY : {}, settings)

/** One run for each of the seeds that the workbench was asked for. */
export const trainSeeds = (bench: Workbench, method: ComparedMethod, settings: Overrides): Promise<FinishedRun[]> =>
  Promise.all(
    bench.options.seeds.map((seed) => {
      const trained = method.runsOf ? methodCalled(method.runsOf) : method
      return bench.train(trained.name, settingsOf(trained, settings), seed)
    }),
  )
