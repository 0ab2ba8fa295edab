import { describe, expect, it } from 'vitest'
import { TASK_NAMES } from '../../src/robots/workcell/tasks/index.ts'
import { FOUR_TASKS, sectionOf } from '../../src/studies/fourth-task.ts'
import { experiments } from '../../src/studies/index.ts'
import { anEpisode, anUpdate } from '../run/builders.ts'
import { measured } from './fabricated.ts'

const untrained = { place: 'ffff', slide: 'sfff' }
const together = (seed: number, place: string, slide: string, weight: number) =>
  measured(
    seed,
    untrained,
    { place, slide },
    {
      metrics: [
        anUpdate({
          phase: 'warm-up',
          update: 1000,
          figures: { 'meanQ.place': 0.4, 'meanQ.slide': 0.2, 'weight.place': 0.9, 'weight.slide': 1.1 },
        }),
        anUpdate({
          update: 1050,
          figures: { 'meanQ.place': 0.5, 'meanQ.slide': Number.NaN, 'weight.place': 0.8, 'weight.slide': 1.2 },
        }),
        anUpdate({
          update: 1100,
          figures: { 'meanQ.place': 0.8, 'meanQ.slide': 0.6, 'weight.place': 1, 'weight.slide': weight },
        }),
        anEpisode({ task: 'slide', robotSteps: 500, length: 200, operatorSteps: 50 }),
      ],
    },
  )
const alone = (task: string, final: string) =>
  [0, 1].map((seed) => measured(seed, { [task]: 'ffff' }, { [task]: final }))

/** Two seeds, two tasks; the fabricated runs have 600 steps of place beside the 200 of slide. */
const section = sectionOf({
  together: [together(0, 'ssss', 'ssff', 1.05), together(1, 'sssf', 'ssss', 1.15)],
  alone: { place: alone('place', 'sssf'), slide: alone('slide', 'ssss') },
})
const [success, shares, weights] = section.tables

describe('the section of fourth-task', () => {
  it('sets success together against success alone, over all seeds', () => {
    expect(success!.rows.map((row) => [row[0], row[1]!.split(' ')[0], row[2]!.split(' ')[0], row[3]])).toEqual([
      ['place', '87.5', '75', '117 %'],
      ['slide', '75', '100', '75 %'],
    ])
    expect(success!.rows[1]!.slice(4)).toEqual(['25', '0'])
  })

  it('names a task below 80 % of its success alone as starved', () => {
    expect(section.notes[1]).toContain('slide with 75 %')
    expect(section.notes[1]).toContain('starved: slide.')
  })

  it('counts what each task had of batches and robot', () => {
    // 2 runs · 100 online updates · 128 rows, over 2 · 600 and 2 · 200 steps
    expect(shares!.rows).toEqual([
      ['place', '128 of 256', '67 %', '75 %', '1.0', '1.0', '21.3', '10', '6'],
      ['slide', '128 of 256', '33 %', '25 %', '0.3', '1.0', '64.0', '25', '5'],
    ])
  })

  it('shows value and weight at the ends of the phases, and what was not measured as absent', () => {
    expect(weights!.rows).toEqual([
      ['place', '0.40', '0.80', '0.90', '1.00', '0.80 to 1.00'],
      ['slide', '0.20', '0.60', '1.10', '1.10', '1.05 to 1.20'],
    ])
  })

  it('draws alone over the stretch of one share', () => {
    const series = section.plots[0]!.plot.series
    expect(series.map(({ name, look }) => [name, look])).toEqual([
      ['place', 'line'],
      ['place alone', 'dashed'],
      ['slide', 'line'],
      ['slide alone', 'dashed'],
    ])
    expect(series[2]!.points.at(-1)).toEqual({ x: 1, y: 0.75, low: 0.5, high: 1 })
    expect(series[3]!.points.at(-1)).toMatchObject({ x: 2, y: 1 })
  })

  it('draws ε and Q̄ over the updates', () => {
    const { series } = section.plots[1]!.plot
    expect(series[1]!.points.at(-1)).toMatchObject({ y: expect.closeTo(1.1, 9), low: 1.05, high: 1.15 })
    expect(section.plots[2]!.plot.series[1]!.points.length).toBe(2) // NaN is a gap
  })

  it('is about the four tasks of the workcell, and is published', () => {
    expect(FOUR_TASKS).toEqual(TASK_NAMES)
    expect(experiments.map(({ name }) => name)).toContain('fourth-task')
  })
})
