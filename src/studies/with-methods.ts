/** @file An experiment that compares some methods only: those that were asked for. */
import { InputError } from '../errors.ts'
import type { Experiment } from './experiment.ts'
import { COMPARED } from './methods.ts'

/** As it is asked for. @throws InputError for a method that is not compared, or an experiment that compares none */
export function withMethods(experiment: Experiment, methods: readonly string[]): Experiment {
  const [where, known] = [`--methods ${methods.join(',')}`, COMPARED.map(({ name }) => name)]
  if (!experiment.comparesMethods)
    throw new InputError(where, `experiment "${experiment.name}" does not compare methods`, 'Leave it out')
  const unknown = methods.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new InputError(where, `there is no method "${unknown}"`, `Choose from ${known.join(', ')}`)
  return { ...experiment, asked: `${experiment.asked ?? experiment.name} ${where}` }
}
