/** @file An experiment in a regime that was asked for: what it is called, and which runs are its own. */
import { InputError } from '../errors.ts'
import type { Experiment, Regime } from './experiment.ts'
import { STANDARD } from './regimes.ts'

/**
 * The experiment as it is called in a regime: values, plots and its section of docs/results.md lie under a name of their own.
 * Runs of `regimes` are named by their regime, and stay shared. @throws InputError where it trains no run that a regime
 * could be of
 */
export function inRegime(experiment: Experiment, { name, title, sentence }: Regime): Experiment {
  if (experiment.trains === false)
    throw new InputError(
      `--regime ${name}`,
      `experiment "${experiment.name}" trains no run: a regime would change nothing`,
      'Leave it out',
    )
  if (name === STANDARD.name && !experiment.everyRegime) return experiment
  return {
    ...experiment,
    name: `${experiment.name}-${name}`,
    asked: `${experiment.name} --regime ${name}`,
    title: `${experiment.title}: ${title}`,
    ...(experiment.everyRegime // whose notes describe its regimes
      ? { runsOf: experiment.name }
      : { question: `${experiment.question} In the regime \`${name}\`: ${sentence}` }),
  }
}
