import { describe, expect, it } from 'vitest'
import { courseOf, sectionOf } from '../../src/studies/curves.ts'
import { methodCalled } from '../../src/studies/methods.ts'
import { binned, minutesOf, overSeeds } from '../../src/studies/over-seeds.ts'
import { anEpisode } from '../run/builders.ts'
import { anEvaluationOf, measured } from './fabricated.ts'

const set = { evaluation: { everyRobotMinutes: 0.5, trialsOnTheWay: 2 } }
const run = (seed: number, half: string, end: string) =>
  measured(
    seed,
    { pick: 'ffff' },
    { pick: end },
    {
      set,
      metrics: [
        anEvaluationOf('on the way', { pick: half }, { time: 100, seconds: 6, robotSteps: 310 + seed }),
        anEvaluationOf('on the way', { pick: 'ff' }, { time: 130, seconds: 6, robotSteps: 600 }),
      ],
    },
  )

const control = (seed: number, end: string) =>
  measured(seed, { pick: end }, { pick: end }, { set: { online: { robotMinutes: 0 } } })

describe('the course of a run', () => {
  it('holds step 0, the evaluations on the way and the end, their time without evaluations', () => {
    const course = courseOf(run(0, 'sf', 'ssss'))
    expect(course.map(({ bin, evaluation }) => [bin, evaluation.robotSteps, evaluation.time])).toEqual([
      [0, 0, 60 - 30],
      [1, 310, 100 - 30 - 6],
      [2, 600, 150 - 30 - 6 - 6 - 20], // the one on the way at the very end gives way to the final one
    ])
  })
})

it('the end of a run shorter than half an interval stands beside its step 0', () => {
  const short = measured(0, { pick: 'ffff' }, { pick: 'ssss' }, { set: { evaluation: { everyRobotMinutes: 5 } } })
  expect(courseOf(short).map(({ bin }) => bin)).toEqual([0, 1])
})

describe('curves of fabricated runs', () => {
  const rows = [
    { method: methodCalled('cloning'), runs: [control(0, 'ssff'), control(1, 'sssf')] },
    { method: methodCalled('dual'), runs: [run(0, 'sf', 'ssss'), run(1, 'ss', 'sssf')] },
  ]
  const section = sectionOf(rows)
  const { plots, tables } = section

  it('mean over seeds with the band that they span, step 0 included', () => {
    const dual = plots[0]!.plot.series.find(({ name }) => name === 'dual actor')!
    expect(dual.points).toEqual([
      { x: 0, y: 0, low: 0, high: 0 },
      { x: expect.closeTo(310.5 / 600, 9), y: 0.75, low: 0.5, high: 1 },
      { x: 1, y: 0.875, low: 0.75, high: 1 },
    ])
  })

  it('draw the control where it stands, for all of the time, and no practice of it', () => {
    const drawn = plots[0]!.plot.series.find(({ name }) => name === 'no online phase')!
    expect(drawn).toMatchObject({
      look: 'dashed',
      points: [
        { x: 0, y: 0.625 },
        { x: 128, y: 0.625 },
      ],
    })
    expect(plots[2]!.plot.series.map(({ name }) => name)).toEqual(['dual actor'])
  })

  it('count no episode that a stop cut short against the policy', () => {
    const cut = anEpisode({ robotSteps: 200, length: 20, success: false, aborted: true })
    const stopped = rows.map((row) => ({
      ...row,
      runs: row.runs.map((each) => ({ ...each, metrics: [cut, ...each.metrics] })),
    }))
    const unaided = ({ plots: [, , practised] }: typeof section) =>
      practised!.plot.series.at(-1)!.points.map(({ x, y }) => [x, y])
    expect(unaided(sectionOf(stopped))).toEqual(unaided(section))
  })

  it('say how long a stretch is', () => {
    expect(minutesOf({ budget: 15, stretches: 12 })).toBe('1.25')
    expect(minutesOf({ budget: 30, stretches: 12 })).toBe('2.5')
    expect(plots[2]!.plot.caption).toContain('training episodes of each 0.08 robot minutes')
  })

  it("mark the paper's points, and the axis reaches them", () => {
    const paper = plots[0]!.plot.series.find(({ name }) => name === 'paper, dual actor')!
    expect(paper.points).toEqual([
      { x: 20, y: 0.6 },
      { x: 101, y: 1 },
    ])
    expect(plots[0]!.plot.x.domain).toEqual([0, 128])
  })

  it('name beginning and end in a table', () => {
    expect(tables[0]!.rows[1]!.slice(0, 5)).toEqual(['dual actor', '0 %', '-', '88 %', '1.0'])
  })
})

describe('stretches of practice', () => {
  it('an episode belongs to the stretch that it ended in; the border is part of the earlier', () => {
    const at = (robotSteps: number, success: boolean) => anEpisode({ robotSteps, success })
    const rate = (episodes: readonly { success: boolean }[]) =>
      episodes.filter(({ success }) => success).length / episodes.length
    const samples = binned(
      [at(300, true), at(600, false), at(601, true), at(2395, true), at(2430, false)],
      { budget: 4, stretches: 4 },
      rate,
    )
    expect(samples).toEqual([
      { bin: 0, x: 0.5, y: 0.5 },
      { bin: 1, x: 1.5, y: 1 },
      { bin: 3, x: 3.5, y: 0.5 }, // the last episode went on past the budget
    ])
  })

  it('a curve over seeds has only the stretches that all have', () => {
    const curve = (...bins: number[]) => bins.map((bin) => ({ bin, x: bin, y: bin }))
    expect(overSeeds([curve(0, 1, 2), curve(0, 2)]).map(({ x }) => x)).toEqual([0, 2])
    expect(overSeeds([])).toEqual([])
  })
})
