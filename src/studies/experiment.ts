/** @file The contract of one published experiment: what it runs (resumably), and the tables and plots that come of it. */

import type { Summary } from '../metrics/summary.ts'
import type { Plot } from '../review/report/plot.ts'
import type { RunConfig } from '../run/config.ts'
import type { RunFolder } from '../run/folder.ts'
import type { Purpose } from './protocol.ts'

/** Settings as `--set` takes them, nested. */
export type Overrides = Record<string, unknown>

/** Settings under which every method is trained and evaluated alike, on top of the preset. */
export type Regime = {
  name: string
  title: string // in tables
  sentence: string // what it sets, in words
  settings: Overrides
}

export type ExperimentOptions = {
  purpose: Purpose // it decides on the evaluation starts
  seeds: number[] // training seeds
  trials: number // evaluation episodes per task and training seed; trial k is the same start in every method
  robotMinutes: number // online budget of one run
  overrides: Overrides // on top of the preset and of what the experiment itself sets
}

export type FinishedRun = { folder: RunFolder; config: RunConfig; summary: Summary }

/** What an experiment works with. Everything that it makes lies under its own folder and is found again when it is run anew. */
export type Workbench = {
  options: ExperimentOptions
  /** The regime that was asked for, if any: its settings lie under those of every run. */
  regime?: Regime
  /** The methods that were asked for, by name, if any: of an experiment that compares them. */
  methods?: readonly string[]
  /** The folder of this experiment. */
  path: string
  /**
   * The run `name` of this experiment: trained now, resumed, or, if it has finished with equal settings, read.
   * Demonstrations are shared between runs of equal demonstration settings and seed.
   * @throws InputError if a run of that name has other settings
   */
  train(name: string, overrides: Overrides, seed: number): Promise<FinishedRun>
  /**
   * The run with policy, checkpoints, log and updates: trained once more where only what it measured is at hand.
   * @throws InputError if it then ends otherwise
   */
  whole(run: FinishedRun): Promise<FinishedRun>
  /** A JSON-safe value of one seed, which the name says; made once and kept as `<name>.json` beside the options that made it. */
  once<T>(name: string, make: () => Promise<T>): Promise<T>
  progress(text: string): void
}

export type Table = { title?: string; header: string[]; rows: string[][] }

/** What goes into docs/results.md: plain sentences with figures, tables, and plots that are written as SVG files. */
export type Section = {
  tables: Table[]
  plots: { name: string; plot: Plot }[]
  notes: string[]
}

export type Experiment = {
  name: string // of its folder, plots and section
  asked?: string // what the command line calls it by, where that is not its name
  title: string
  question: string // what it answers, one or two sentences
  /** The experiment whose runs this one trains or reads, if not its own: `train` then works in that one's folder. */
  runsOf?: string
  /** Trains in every regime, unless it is asked for one; its runs are named by theirs. */
  everyRegime?: true
  /** Compares methods, and can be asked for some of them. */
  comparesMethods?: true
  trains?: false // no run: it works on scenes and operators of its own
  robotMinutes: number // online budget of one run, unless asked for otherwise
  /** Where `--trials` counts something else than the protocol's evaluation episodes. */
  trials?: number
  run(bench: Workbench): Promise<Section>
}
