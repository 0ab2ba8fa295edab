import { describe, expect, it } from 'vitest'
import { resolveConfig } from '../../src/run/config.ts'
import { VARIANTS } from '../../src/studies/ablation.ts'
import { sectionOf } from '../../src/studies/compare-methods.ts'
import { methodCalled } from '../../src/studies/methods.ts'
import { compare } from '../../src/studies/outcomes.ts'
import { measured } from './fabricated.ts'

const BEFORE = { place: 'ffff', pick: 'sfff' }
const rows = [
  {
    method: methodCalled('single'),
    runs: [measured(0, BEFORE, { place: 'ssff', pick: 'ssss' }), measured(1, BEFORE, { place: 'sfff', pick: 'sssf' })],
  },
  {
    method: methodCalled('dual'),
    runs: [measured(0, BEFORE, { place: 'ssss', pick: 'ssss' }), measured(1, BEFORE, { place: 'sssf', pick: 'ssss' })],
  },
]

describe('the table of fabricated runs', () => {
  const { tables, plots } = sectionOf(rows)
  const [success, effort, seeds] = tables
  const row = (table: typeof success, name: string) =>
    Object.fromEntries(table!.header.map((title, i) => [title, table!.rows.find(([first]) => first === name)![i]]))

  it('pools the seeds, with the Wilson interval of all trials, beside step 0 and the paper', () => {
    // 3 of 8: 13.7 to 69.4 %; 10 of 16: 38.6 to 81.5 %; 2 of 16 at step 0: 3.5 to 36.0 % (Wilson, by hand)
    expect(row(success, 'single actor')).toMatchObject({
      place: '37.5 (14 to 69)',
      mean: '62.5 (39 to 82)',
      'step 0': '12.5 (3 to 36)',
      'paper: place': '88',
      'paper: pick': '96',
      'paper: mean': '92.0',
    })
    expect(row(success, 'dual actor').place).toBe('87.5 (53 to 98)')
  })

  it('takes the difference to the dual actor over the same trials', () => {
    // 5 of 16 trials won by the dual actor alone, none by the single one alone
    const { difference, onlyFirst, onlySecond, pairs } = compare(rows[0]!.runs, rows[1]!.runs, ['place', 'pick'])
    expect({ difference, onlyFirst, onlySecond, pairs }).toEqual({
      difference: -5 / 16,
      onlyFirst: 0,
      onlySecond: 5,
      pairs: 16,
    })
    expect(row(effort, 'single actor')['minus dual, points']).toMatch(/^−31\.3 \(−\d+\.\d to [−+]\d+\.\d\)$/)
    expect(row(effort, 'dual actor')['minus dual, points']).toBe('-')
  })

  it('means the lengths of successes alone, and the share of the operator over all steps', () => {
    // single: 10, 11 + 10, 11, 12, 13 + 10 + 10, 11, 12 = 110 in 10 successes; operator 60 of each 600 steps
    expect(row(effort, 'single actor')['steps to success']).toMatch(/^11\.0 \(10\.\d to 11\.\d\)$/)
    expect(row(effort, 'single actor')['operator, % of steps']).toBe('10')
    expect(row(effort, 'single actor')['robot min']).toBe('1.0')
    expect(row(effort, 'single actor')['wall min']).toBe('2.5')
  })

  it('shows each training seed', () => {
    expect(row(seeds, 'single actor')).toMatchObject({ 'seed 0': '12.5 → 75', 'seed 1': '12.5 → 50' })
  })

  it('plots the share of the operator over robot time, once for runs that serve two methods', () => {
    const { series } = plots[0]!.plot
    expect(series.map(({ name }) => name)).toEqual(['dual actor'])
    expect(series[0]!.points.map(({ y }) => y)).toEqual([0.2, 0])
  })
})

it('a trial without a partner is refused', () => {
  const shorter = [measured(0, BEFORE, { place: 'sss', pick: 'ssss' }), rows[1]!.runs[1]!]
  expect(() => compare(rows[0]!.runs, shorter, ['place', 'pick'])).toThrow(
    'seed 0, place, start 1003 is on one side only',
  )
})

it('a method that never succeeds has no length', () => {
  const none = {
    method: methodCalled('dsrl'),
    runs: rows[0]!.runs.map(({ config }) => measured(config.seed, BEFORE, { place: 'ffff', pick: 'ffff' })),
  }
  const [, effort] = sectionOf([none, rows[1]!]).tables
  expect(effort!.rows[0]![2]).toBe('-')
})

it('every variant of the ablation takes something back of what quick sets', () => {
  const [ours, ...others] = VARIANTS.map(({ settings }) => resolveConfig('quick', undefined, [settings]))
  expect(ours).toEqual(resolveConfig('quick'))
  expect(others.length).toBeGreaterThan(3)
  for (const variant of others) expect(variant).not.toEqual(ours)
})
