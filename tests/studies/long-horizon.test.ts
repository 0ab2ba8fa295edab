/** @file The tables of `long-horizon`: made-up chains, results worked out by hand. */
import { describe, expect, it } from 'vitest'
import type { Chain } from '../../src/loop/chain.ts'
import { operationsOf } from '../../src/robots/workcell/operations.ts'
import { type Chained, HEARD, sectionOf } from '../../src/studies/long-horizon.ts'

/** A chain that completed so many operations, each in 20 steps. */
const chainOf = (completed: number, asked: 3 | 12): Chain => ({
  seed: 0,
  completed,
  asked,
  episodes: operationsOf(Math.min(asked, completed + 1), asked / 3).map(({ task }, i) => ({
    task,
    seed: 0,
    ending: i < completed ? 'success' : 'timeout',
    length: i < completed ? 20 : 80,
    operatorSteps: 0,
    spokenSteps: 0,
    commands: 0,
    segments: [],
  })),
})
const chains = (asked: 3 | 12, ...completed: number[]) => completed.map((each) => chainOf(each, asked))
const said = (commands: number, spokenSteps: number, steps: number) => ({
  commands,
  spokenSteps,
  steps,
  wordless: 0,
  reasons: { stuck: commands, off: 0, funnel: 0, force: 0 },
})

const measured: Chained[] = [
  { scene: 'four-bolts', condition: 'without commands', seed: 0, chains: chains(12, 12, 5) },
  { scene: 'four-bolts', condition: 'without commands', seed: 1, chains: chains(12, 0, 6) },
  { scene: 'four-bolts', condition: 'with pushes', seed: 0, chains: chains(12, 12, 12), said: said(2, 30, 300) },
  { scene: 'four-bolts', condition: 'with pushes', seed: 1, chains: chains(12, 12, 3), said: said(1, 15, 300) },
  { scene: 'four-bolts', condition: 'with commands', seed: 0, chains: chains(12, 12, 9), said: said(3, 45, 300) },
  { scene: 'four-bolts', condition: 'with commands', seed: 1, chains: chains(12, 3, 12), said: said(1, 15, 300) },
  { scene: 'one-bolt', condition: 'without commands', seed: 0, chains: chains(3, 3, 3, 3, 1) },
  { scene: 'one-bolt', condition: 'with pushes', seed: 0, chains: chains(3, 3, 2, 3, 3), said: said(0, 0, 100) },
  { scene: 'one-bolt', condition: 'with commands', seed: 0, chains: chains(3, 3, 3, 3, 3), said: said(0, 0, 100) },
]
const { tables, plots, notes } = sectionOf(measured)
const share = (cell: string) => cell.replace(/ \(.*/, '')

describe('the section of long-horizon', () => {
  it('counts the beginnings of long chains as shorter chains, over all seeds', () => {
    const [{ header, rows }] = tables as [(typeof tables)[number]]
    expect(header).toEqual([
      'operations',
      'one bolt, without commands',
      'one bolt, with pushes',
      'one bolt, with commands',
      'four bolts, without commands',
      'four bolts, with pushes',
      'four bolts, with commands',
      'paper (of 10)',
    ])
    expect(rows.map((row) => row.map(share))).toEqual([
      ['3', '75 %', '75 %', '100 %', '75 %', '100 %', '100 %', '90 %'],
      ['6', '-', '-', '-', '50 %', '75 %', '75 %', '60 %'],
      ['9', '-', '-', '-', '25 %', '75 %', '75 %', '60 %'],
      ['12', '-', '-', '-', '25 %', '75 %', '50 %', '50 %'],
    ])
  })

  it('lets pushes and the actor be heard under their own names', () => {
    expect([HEARD['without commands'], HEARD['with pushes'], HEARD['with commands']]).toEqual([
      undefined,
      'push',
      'actor',
    ])
  })

  it('sets whole chains with commands against those with pushes and those without, chain by chain', () => {
    const { header, rows } = tables[1]!
    expect(header).toEqual(['scene', 'with pushes', 'without commands'])
    expect(rows.map((row) => row.map(share))).toEqual([
      ['one bolt', '+25.0', '+25.0'],
      ['four bolts', '−25.0', '+25.0'],
    ])
  })

  it('is not certain of a difference where every chain came through in both', () => {
    const all = measured.map((each) => ({ ...each, chains: chains(3, 3, 3, 3, 3) }))
    const { rows } = sectionOf(all.filter(({ scene }) => scene === 'one-bolt').concat(measured.slice(0, 6))).tables[1]!
    // 4 pairs, all of them both: Newcombe's ends are Wilson's, 1 - 4 / 7.8415 either way
    expect(rows[0]!.slice(1)).toEqual(['0.0 (−49.0 to +49.0)', '0.0 (−49.0 to +49.0)'])
  })

  it('tells the interval of the chains, not of the operations', () => {
    // Wilson for 2 of 4: 0.5 -+ 0.35, see the attrition of chains
    expect(tables[0]!.rows[1]![4]).toBe('50 % (15 % to 85 %)')
  })

  it('lists the attrition of each scene and condition', () => {
    const four = tables.find(({ title }) => title === 'Four bolts, without commands')!
    expect(four.rows.map((row) => [row[2], row[3]])).toEqual([
      ['4', '3'],
      ...Array.from({ length: 4 }, () => ['3', '3']),
      ['3', '2'],
      ['2', '1'],
      ...Array.from({ length: 5 }, () => ['1', '1']),
    ])
    expect(tables.find(({ title }) => title === 'One bolt, with commands')!.rows.length).toBe(3)
  })

  it('plots who is left after each operation beside the paper', () => {
    const [{ plot }] = plots as [(typeof plots)[number]]
    expect(plot.series.map(({ name }) => name)).toEqual(['without commands', 'with pushes', 'with commands', 'paper'])
    expect(plot.series[0]!.points.slice(4, 7).map(({ y }) => y)).toEqual([0.75, 0.5, 0.25])
    expect(plot.series[3]!.points.map(({ x, y }) => [x, y])).toEqual([
      [3, 0.9],
      [6, 0.6],
      [9, 0.6],
      [12, 0.5],
    ])
  })

  it('says how many commands were given and for how long they held', () => {
    expect(notes.join('\n')).toContain(
      'Commands, four bolts, with commands: 4 given by the simulated operator who speaks, in force for 10 % of the steps.',
    )
    expect(notes.join('\n')).toContain('Commands, one bolt, with commands: 0 given')
  })
})
