/** @file Table 1 again with an operator who notices later, has an unsteady hand and is sometimes wrong. */
import { compareMethods } from './compare-methods.ts'
import type { Experiment } from './experiment.ts'

export const experiment: Experiment = {
  name: 'table1-weak',
  title: 'Five methods with a weak operator',
  question: 'How far do the methods depend on the strength of the person who corrects?',
  defaults: { seeds: [0, 1, 2], trials: 25, robotMinutes: 30, overrides: {} },
  run: (bench) => compareMethods(bench, { operator: { strength: 'weak' } }),
}
