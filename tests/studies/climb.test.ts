import { expect, it } from 'vitest'
import { experiment, sectionOf } from '../../src/studies/climb.ts'
import type { FinishedRun, Overrides, Workbench } from '../../src/studies/experiment.ts'
import { anEpisode } from '../run/builders.ts'
import { anEvaluationOf, measured } from './fabricated.ts'

const set = { evaluation: { everyRobotMinutes: 0.5 } }
const run = (seed: number, half: string, end: string) =>
  measured(
    seed,
    { pick: 'sfff', place: 'ssff' },
    { pick: end, place: 'ssss' },
    {
      set,
      metrics: [
        anEvaluationOf('on the way', { pick: half, place: 'sfff' }, { time: 100, seconds: 6, robotSteps: 300 }),
      ],
    },
  )

/** The figure without its interval. */
const value = (cell: string) => cell.split(' ')[0]

it('every evaluation stands beside step 0, trial by trial, with the operator since the one before', () => {
  const [table] = sectionOf([run(15, 'ffff', 'ssss'), run(16, 'ssff', 'sssf')]).tables
  expect(table!.header).toEqual([
    ...[
      'robot min',
      'pick',
      'place',
      'mean',
      '− step 0, points',
      'seed 15',
      'seed 16',
      'operator, % of steps',
      'wall min',
    ],
  ])
  expect(table!.rows.map((row) => row.map(value))).toEqual([
    ['0.0', '25', '50', '37.5', '', '37.5', '37.5', '', '0.5'],
    // seed 15: 0 and 1 of 4; seed 16: 2 and 1 of 4; the operator took 60 of the 300 steps of each
    ['0.5', '25', '25', '25', '−12.5', '12.5', '37.5', '20', '1.1'],
    ['1.0', '87.5', '100', '93.8', '+56.3', '100', '87.5', '0', '1.6'],
  ])
})

it('an episode that ends with an evaluation belongs to the time before it', () => {
  const late = run(15, 'ssss', 'ssss')
  const metrics = [...late.metrics, anEpisode({ robotSteps: 301, length: 100, operatorSteps: 100, success: true })]
  const [table] = sectionOf([{ ...late, metrics }]).tables
  expect(table!.rows.map((row) => row.at(-2))).toEqual(['', '20', '25'])
})

it('trains the dual actor with all of the trials after each sixth of its practice', async () => {
  const trained: [string, Overrides, number][] = []
  const bench = {
    options: { purpose: 'reporting', seeds: [15, 16], trials: 100, robotMinutes: 60, overrides: {} },
    train: async (name: string, settings: Overrides, seed: number): Promise<FinishedRun> => {
      trained.push([name, settings, seed])
      throw new Error('enough')
    },
  } as unknown as Workbench
  await expect(experiment.run(bench)).rejects.toThrow('enough')
  expect(trained.map(([name, , seed]) => [name, seed])).toEqual([
    ['standard-dual', 15],
    ['standard-dual', 16],
  ])
  const evaluation = { trialsOnTheWay: 100, everyRobotMinutes: 10 } // the method's own would be 10 trials
  expect(trained[0]![1]).toMatchObject({ method: 'dual', evaluation })
})
