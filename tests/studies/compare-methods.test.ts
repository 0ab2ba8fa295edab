import { describe, expect, it } from 'vitest'
import { compareMethods, type Row } from '../../src/studies/compare-methods.ts'
import type { Table } from '../../src/studies/experiment.ts'
import { methodCalled } from '../../src/studies/methods.ts'
import { anEpisode } from '../run/builders.ts'
import { measured } from './fabricated.ts'

const BEFORE = { place: 'ffff', pick: 'sfff' }
const finals = (...tasks: { place: string; pick: string }[]) =>
  tasks.map((final, seed) => measured(seed, BEFORE, final))
const DUAL = finals({ place: 'ssss', pick: 'ssss' }, { place: 'sssf', pick: 'ssss' })
const rows: Row[] = [
  { method: methodCalled('cloning'), runs: finals({ place: 'ffff', pick: 'ssff' }, { place: 'ffff', pick: 'ssff' }) },
  { method: methodCalled('dsrl'), runs: finals({ place: 'ssff', pick: 'ssss' }, { place: 'sfff', pick: 'sssf' }) },
  { method: methodCalled('dual'), runs: DUAL },
  { method: { ...methodCalled('dual'), name: 'commands', title: 'told' }, runs: DUAL, evaluatedOnly: true },
]
const { tables, plot } = compareMethods(rows)
const [success, differences, effort] = tables
const row = (table: Table | undefined, name: string) =>
  Object.fromEntries(table!.header.map((title, i) => [title, table!.rows.find(([first]) => first === name)![i]]))

describe('tables of fabricated runs', () => {
  it('mean tasks and seeds beside step 0, and show each seed', () => {
    expect(row(success, 'DSRL')).toMatchObject({
      place: expect.stringMatching(/^37\.5 \(/),
      mean: expect.stringMatching(/^62\.5 \(/),
      'step 0': expect.stringMatching(/^12\.5 \(/),
      'seed 0': '12.5 → 75',
      'seed 1': '12.5 → 50',
    })
    // 87.5 and 100 would give ± 79 points by Student's t of one degree of freedom
    expect(row(success, 'dual actor').mean).toBe('93.8 (14 to 100)')
  })

  it('take each method from each below it, over the same trials', () => {
    expect(differences!.header).toEqual(['method', '− no online phase', '− DSRL', '− dual actor'])
    expect(
      differences!.rows.map(([name, ...cells]) => [name, ...cells.map((cell) => cell.replace(/ .*/, ''))]),
    ).toEqual([
      ['DSRL', '+37.5', '', ''],
      ['dual actor', '+68.8', '+31.3', ''],
      ['told', '+68.8', '+31.3', '0.0'],
    ])
  })

  it('count steps to success, and those of the operator in shares and seconds', () => {
    // dsrl: 10, 11 + 10, 11, 12, 13 = 67 in 6, 10 + 10, 11, 12 = 43 in 4; operator 60 of 600 steps at 10 Hz
    expect(row(effort, 'DSRL')).toMatchObject({
      'steps to success': expect.stringMatching(/^11\.0 \(/), // the mean of 11.17 and 10.75
      'steps − dual actor': '0.0 (0.0 to 0.0)',
      'operator, % of steps': '10',
      'steering, s': '6',
      'speaking, s': '-',
      'robot min': '1.0',
      'wall min': '2.5',
    })
    expect(row(effort, 'dual actor')['steps − dual actor']).toBe('-')
  })

  it('leave the training of policies that are only evaluated again where it stands', () => {
    expect(row(effort, 'told')).toMatchObject({ 'operator, % of steps': '-', 'steering, s': '-', 'wall min': '-' })
    expect(plot.series.map(({ name }) => name)).toEqual(['no online phase', 'DSRL', 'dual actor'])
    expect(plot.series[2]!.points.map(({ y }) => y)).toEqual([0.2, 0])
  })

  it('name the regime where there are several', () => {
    expect(compareMethods(rows, 'weak operator').tables.map(({ title }) => title!.slice(0, 22))).toEqual([
      'weak operator: success',
      'weak operator: success',
      'weak operator: length ',
    ])
  })
})

it('seconds of speaking stand beside those of steering where somebody could speak', () => {
  const spoke = anEpisode({ spokenSteps: 45, commands: 2, operatorSteps: 0, robotSteps: 610, length: 10 })
  const runs = [measured(0, BEFORE, { place: 'ssss', pick: 'ssss' }, { metrics: [spoke] })]
  const [, , told] = compareMethods([{ method: methodCalled('dual'), runs }]).tables
  expect(row(told, 'dual actor')).toMatchObject({ 'steering, s': '6', 'speaking, s': '2' }) // of two commands
})

it('a length of a single success has no interval', () => {
  const once = finals({ place: 'ffff', pick: 'fsff' })
  const [, , lengths] = compareMethods([
    { method: methodCalled('dsrl'), runs: once },
    { method: methodCalled('dual'), runs: DUAL.slice(0, 1) },
  ]).tables
  expect(lengths!.rows[0]!.slice(1, 3)).toEqual(['11.0', '0.0'])
})

it('a method that never succeeds has no length', () => {
  const none = finals({ place: 'ffff', pick: 'ffff' }, { place: 'ffff', pick: 'ffff' })
  const [, , lengths] = compareMethods([{ method: methodCalled('dsrl'), runs: none }, rows[2]!]).tables
  expect(lengths!.rows[0]!.slice(1, 3)).toEqual(['-', '-'])
})
