/** @file From a program's outputs to the figures of an update. */
import type { Program, Tensor } from '../graph/index.ts'
import type { Figure } from '../metrics/figure.ts'

/** What one update measured, by the figures' names; a figure of each task as a row in the order of the tasks. */
export type UpdateReadings = Record<string, number | ArrayLike<number>>

/** What a program tells of its figures. */
export type Readings = readonly (readonly [Figure, Tensor])[]

/** The figures as outputs of a program, each under its own name. */
export const outputsOf = (readings: Readings): Record<string, Tensor> =>
  Object.fromEntries(readings.map(([{ name }, tensor]) => [name, tensor]))

/** Those of the given figures that the program tells, after a run of it. */
export function read(program: Program, figures: readonly Figure[]): UpdateReadings {
  const told = figures.filter(({ name }) => name in program.outputs)
  return Object.fromEntries(
    told.map(({ name, of }) => {
      const output = program.outputs[name]!
      return [name, of ? output : output[0]!]
    }),
  )
}

/** Norm of the gradients of a group of parameters in its last step, before the clip. */
export const GRADIENT_NORM: Figure = {
  name: 'gradientNorm',
  title: 'norm',
  chart: 'Gradient norms before the clip',
  unit: 'norm',
  of: 'group',
}

export const gradientNorms = (byGroup: Readonly<Record<string, number>>): UpdateReadings =>
  Object.fromEntries(Object.entries(byGroup).map(([group, norm]) => [`${GRADIENT_NORM.name}.${group}`, norm]))
