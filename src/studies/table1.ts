/** @file Table 1: five methods on the same networks, data, seeds and operator. */
import { compareMethods } from './compare-methods.ts'
import type { Experiment } from './experiment.ts'

export const experiment: Experiment = {
  name: 'table1',
  title: 'Five methods, three tasks',
  question:
    'How far does each method come on the same networks, demonstrations, seeds and operator, and how much of it is the online phase?',
  defaults: { seeds: [0, 1, 2], trials: 25, robotMinutes: 30, overrides: {} },
  run: (bench) => compareMethods(bench, {}),
}
