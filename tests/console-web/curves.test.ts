import { describe, expect, it } from 'vitest'
import { align, valueAt } from '../../src/console/web/curves/align.ts'
import { chartsOf, clocksOf, thin, updateRates } from '../../src/console/web/curves/charts.ts'
import { taskRows } from '../../src/console/web/curves/tasks.ts'
import { toSlider, toSpeed } from '../../src/console/web/panels/speed.ts'
import type { Metric, MetricOf } from '../../src/metrics/metrics.ts'

const episode = (robotSteps: number, success: boolean, operatorSteps = 0, length = 20): Metric => ({
  kind: 'episode',
  time: robotSteps / 10,
  robotSteps,
  episode: robotSteps,
  task: 'pick',
  success,
  length,
  operatorSteps,
  seed: 0,
})
const update = (count: number, time: number, changes: Partial<MetricOf<'update'>> = {}): MetricOf<'update'> => ({
  kind: 'update',
  time,
  robotSteps: 600 * time,
  update: count,
  phase: 'online',
  figures: {},
  ...changes,
})

describe('curves with times of their own', () => {
  it('share one table, with gaps where a curve has no point', () => {
    const table = align([
      { points: [{ x: 2, y: 20 }, { x: 1, y: 10, low: 5, high: 15 }] }, // biome-ignore format: one line
      { points: [{ x: 1.5, y: Number.NaN }] },
    ])
    expect(table.x).toEqual([1, 1.5, 2])
    expect(table.columns[0]).toEqual({ y: [10, null, 20], low: [5, null, null], high: [15, null, null] })
    expect(table.columns[1]!.y).toEqual([null, null, null]) // NaN is no value
  })

  it('show at the cursor the value that was last known there', () => {
    expect(valueAt([null, 10, null, 20], 2)).toBe(10)
    expect(valueAt([null, 10], 0)).toBeNull()
  })

  it('keep their last point when they are thinned out', () => {
    expect(thin([1, 2, 3, 4, 5], 2)).toEqual([2, 5])
    expect(thin([1, 2], 2)).toEqual([1, 2])
  })
})

describe('charts of a run', () => {
  it('has updates a second between two lines, but not across phases: 100 in 4 s are 25', () => {
    const points = updateRates([update(0, 0, { phase: 'warm-up' }), update(10, 2), update(110, 6)], clocksOf().wall)
    expect(points).toEqual([{ x: 0.1, y: 25 }])
  })

  it('puts robot steps at 10 Hz, or at the robot’s own rate, on an axis of minutes, and helped success above success alone', () => {
    const metrics = [episode(600, true, 5), episode(1200, true), episode(1800, false)]
    const [pick] = chartsOf(metrics, null, ['pick'], clocksOf().robot)
    const [helped, alone] = pick!.curves
    expect(helped!.points.map(({ x }) => x)).toEqual([1, 2, 3])
    const [slow] = chartsOf(metrics, null, ['pick'], clocksOf(5).robot)
    expect(slow!.curves[0]!.points.map(({ x }) => x)).toEqual([2, 4, 6])
    expect(helped!.points.map(({ y }) => y)).toEqual([1, 1, 2 / 3])
    expect(alone!.points.map(({ y }) => y)).toEqual([0, 1 / 2, 1 / 3])
  })

  it('draws the loop only for a run that goes on', () => {
    const titles = (loop: [] | null) => chartsOf([], loop, ['pick'], clocksOf().wall).map(({ title }) => title)
    expect(titles([])).toContain('Loop jitter, ms')
    expect(titles(null)).not.toContain('Loop jitter, ms')
  })
})

describe('a line a task', () => {
  it('counts the last 20 episodes, has the newest evaluation and the newest finite Q̄', () => {
    const evaluation = (success: number): Metric => ({
      kind: 'evaluation',
      time: 0,
      robotSteps: 0,
      update: 0,
      tasks: { pick: { success, successes: 25 * success, trials: 25, interval: [0, 1], meanSteps: 10 } },
    })
    const metrics = [
      ...Array.from({ length: 5 }, (_, i) => episode(i, false, 0, 80)),
      ...Array.from({ length: 20 }, (_, i) => episode(5 + i, i < 15)),
      evaluation(0.2),
      evaluation(0.8),
      update(1, 1, { figures: { 'meanQ.pick': 0.4, 'weight.pick': 1.1 } }),
      update(2, 2, { figures: { 'meanQ.pick': Number.NaN } }),
    ]
    metrics.push({ ...episode(25, false), aborted: true } as Metric) // neither success nor failure
    const [row, empty] = taskRows(metrics, ['pick', 'place'])
    expect([row!.episodes, row!.running!.rate, row!.evaluated!.success]).toEqual([26, 0.75, 0.8])
    expect([row!.meanLength, row!.value, row!.weight]).toEqual([20, 0.4, 1.1])
    expect([empty!.running, empty!.evaluated, empty!.value]).toEqual([null, null, null])
  })
})

describe('the slider of the speed', () => {
  it('is logarithmic from a tenth of real time, and easy to set to real time', () => {
    expect(toSpeed(0, 1000)).toBe(0.1)
    expect(toSpeed(1, 1000)).toBe(1000)
    expect(toSpeed(0.25, 1000)).toBe(1) // a quarter of four decades
    expect(toSpeed(0.26, 1000)).toBe(1) // not 1.1
    expect(toSpeed(toSlider(50, 1000), 1000)).toBe(50)
  })
})
