/** @file The tables of `two-robots`: runs with made-up numbers, results worked out by hand. */
import { describe, expect, it } from 'vitest'
import type { Metric, MetricOf, TaskScore } from '../../src/metrics/metrics.ts'
import { summarise } from '../../src/metrics/summary.ts'
import { RunFolder } from '../../src/run/folder.ts'
import { resolveConfig } from '../../src/run/resolve.ts'
import type { Measured } from '../../src/studies/outcomes.ts'
import { sectionOf } from '../../src/studies/two-robots.ts'
import { anEpisode, anEvaluation } from '../run/builders.ts'

const config = resolveConfig('quick', undefined, [
  { tasks: ['place'], evaluation: { trials: 20, trialsOnTheWay: 10, everyRobotMinutes: 5 } },
])
const score = (successes: number, trials = 20): TaskScore => ({
  success: successes / trials,
  successes,
  trials,
  interval: [0, 1],
  meanSteps: 30,
  outcomes: Array.from({ length: trials }, (_, k) => ({ seed: k, success: k < successes, length: 30 })),
})
type Stage = MetricOf<'evaluation'>['stage']
const evaluation = (stage: Stage, minutes: number, tasks: Record<string, TaskScore>, robots?: [number, number]) =>
  anEvaluation({
    stage,
    robotSteps: 600 * minutes,
    tasks,
    robots: robots && { A: { place: score(robots[0]) }, B: { place: score(robots[1]) } },
  })
const run = (metrics: Metric[]): Measured => ({
  folder: new RunFolder('none'),
  config,
  summary: summarise(metrics, config),
  metrics,
})

const alone = run([
  evaluation('step 0', 0, { place: score(12) }),
  anEpisode({ robot: 'A', robotSteps: 6000, length: 6000, operatorSteps: 600 }),
  evaluation('on the way', 5, { place: score(18) }),
  evaluation('final', 10, { place: score(19) }),
])
const together = run([
  evaluation('step 0', 0, { place: score(28, 40) }, [19, 9]),
  anEpisode({ robot: 'A', robotSteps: 5900, length: 5900, operatorSteps: 0 }),
  anEpisode({ robot: 'B', robotSteps: 6000, length: 6000, operatorSteps: 119 }),
  evaluation('on the way', 5, { place: score(37, 40) }, [20, 17]),
  evaluation('final', 10, { place: score(38, 40) }, [20, 18]),
])
const section = sectionOf(
  [
    { name: 'A', cells: ['A'], runs: [alone] },
    { name: 'A+B', cells: ['A', 'B'], runs: [together] },
  ],
  [
    { trained: 'A', tested: 'A', scores: [{ place: score(19) }], step0: [{ place: score(12) }] },
    { trained: 'A', tested: 'B', scores: [{ place: score(2) }] },
    { trained: 'A+B', tested: 'B', scores: [{ place: score(18) }], step0: [{ place: score(9) }] },
  ],
)
const [success, time] = section.tables

describe('two-robots', () => {
  it("puts each test beside the paper's", () => {
    const column = (title: string) => success!.rows.map((row) => row[success!.header.indexOf(title)])
    expect(column('mean').map((text) => text!.split(' ')[0])).toEqual(['95', '10', '90'])
    expect(column('step 0').map((text) => text!.split(' ')[0])).toEqual(['60', '-', '45'])
    expect(column('paper: mean')).toEqual(['-', '0', '100'])
    expect(column('place')[1]).toBe('10 (0 to 30)') // Wilson, 2 of 20: to 30.1; Student's t over the starts: from -4
  })

  it('asks for the success on every robot that was trained', () => {
    const row = (name: string) => time!.rows.find(([first]) => first === name)!
    const at = (name: string, title: string) => row(name)[time!.header.indexOf(title)]
    expect([at('A', '90 % after [min on the clock]'), at('A', '95 % after [min on the clock]')]).toEqual([
      '5.0',
      '10.0',
    ])
    // B has 85 % after 5 minutes, 90 % after 10, never 95 %; the mean of both is beyond 90 % after 5
    expect([at('A+B', '90 % after [min on the clock]'), at('A+B', '95 % after [min on the clock]')]).toEqual([
      '10.0',
      'not reached',
    ])
  })

  it('tells the clock from the data', () => {
    const row = time!.rows.find(([name]) => name === 'A+B')!
    const at = (title: string) => row[time!.header.indexOf(title)]
    expect([at('clock [min]'), at('data [robot min]'), at('data / clock')]).toEqual(['10.0', '19.8', '1.98'])
    expect(at('operator, % of steps')).toBe('1.0') // 119 of 11900
    expect(at('operator, s')).toBe('12') // 119 steps of 100 ms
  })

  it('draws what one robot would need for the data of both at half the speed', () => {
    const series = section.plots[0]!.plot.series
    const called = (name: string) => series.find((one) => one.name === name)!.points.map(({ x, y }) => [x, y])
    expect(called('trained on A+B, tested on B')).toEqual([
      [0, 0.45],
      [5, 0.85],
      [10, 0.9],
    ])
    expect(called('the same data by one robot, tested on B')).toEqual([
      [0, 0.45],
      [10, 0.85],
      [20, 0.9],
    ])
  })
})
