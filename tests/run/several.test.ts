/** @file Two robots in one run: what they share, what each has of its own, and that a seed still gives one curve. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Metric, readMetrics } from '../../src/metrics/metrics.ts'
import { ofKind } from '../../src/metrics/of-kind.ts'
import type { Summary } from '../../src/metrics/summary.ts'
import { readEpisodes } from '../../src/replay/log-reader.ts'
import { RunFolder } from '../../src/run/folder.ts'
import { presets } from '../../src/run/presets.ts'
import { mergeSettings, parseConfig } from '../../src/run/resolve.ts'
import { train } from '../../src/run/train.ts'
import { curve } from './one-task.ts'
import { openPlainly } from './plain-encoder.ts'

const runs = mkdtempSync(join(tmpdir(), 'duet-several-'))
afterAll(() => rmSync(runs, { recursive: true }))

const config = parseConfig(
  'test',
  mergeSettings(presets.tiny, {
    robot: { arm: 'gantry', cells: ['A', 'B'] },
    demonstrations: { perTask: 1 },
    warmUp: { updates: 10 },
    online: { robotMinutes: 0.2 },
    evaluation: { trials: 1 },
  }),
)

/** Truth read, and steps begun and ended, in their order; filled from the end of step 0 on. */
type Event = { what: 'look' | 'step' | 'stepped'; cell: string }

/** A session that tells what happens in its cells. */
async function watched(events: Event[]) {
  const session = await openPlainly(config)
  for (const { cell, robot, simulation } of session.rigs) {
    const operator = simulation!.operator
    simulation!.operator = (...given) => {
      const person = operator(...given)
      const tend = person.tend.bind(person)
      person.tend = (...seen) => {
        events.push({ what: 'look', cell })
        return tend(...seen)
      }
      return person
    }
    const step = robot.step.bind(robot)
    robot.step = async (action) => {
      events.push({ what: 'step', cell })
      const outcome = await step(action)
      events.push({ what: 'stepped', cell })
      return outcome
    }
  }
  return session
}

type Finished = { folder: RunFolder; summary: Summary; metrics: Metric[] }
const finished = (folder: RunFolder, summary: Summary): Finished => ({
  folder,
  summary,
  metrics: readMetrics(folder.metrics),
})

describe('two robots in one run', () => {
  const events: Event[] = []
  let first: Finished
  let again: Finished
  beforeAll(async () => {
    const one = RunFolder.create(join(runs, 'one'), config)
    first = finished(one, await train(one, config, {}, () => watched(events)))
    const two = RunFolder.create(join(runs, 'two'), config)
    const stop = new AbortController()
    let episodes = 0
    // the second run is stopped and resumed once its first curve can be compared
    const onProgress = ({ stage }: { stage: string }) => stage.startsWith('online') && ++episodes >= 4 && stop.abort()
    await train(two, config, { onProgress, stop: stop.signal }, openPlainly)
    again = finished(two, await train(two, config, {}, openPlainly))
  }, 600_000)

  it('practises with both at the same time: the clock is that of one robot', () => {
    const episodes = ofKind(first.metrics, 'episode')
    const steps = (cell: string) =>
      episodes.filter(({ robot }) => robot === cell).reduce((sum, { length }) => sum + length, 0)
    const clock = Math.max(...first.metrics.map(({ robotSteps }) => robotSteps))
    expect(clock).toBe(Math.max(steps('A'), steps('B')))
    for (const cell of ['A', 'B']) {
      expect(steps(cell)).toBeGreaterThanOrEqual(120) // 0.2 min at 10 Hz
      expect(steps(cell)).toBeLessThan(120 + 80) // the episode that was running
    }
    expect(first.summary.robotMinutes).toBeCloseTo(clock / 600, 9)
  })

  it('scores each robot and all together', () => {
    const { robots, tasks } = ofKind(first.metrics, 'evaluation').at(-1)!
    expect(Object.keys(robots!)).toEqual(['A', 'B'])
    for (const [task, score] of Object.entries(tasks)) {
      const own = [robots!.A![task]!, robots!.B![task]!]
      expect(own.map(({ trials }) => trials)).toEqual([1, 1])
      expect(score.trials).toBe(2)
      expect(score.successes).toBe(own[0]!.successes + own[1]!.successes)
    }
    expect(Object.keys(first.summary.robots!.B!.tasks)).toEqual(['pick', 'assemble'])
    // the final evaluation comes last, in cell A and then in cell B
    const last = events.filter(({ what }) => what === 'step').map(({ cell }) => cell)
    const lengths = ['A', 'B'].map((cell) => {
      const { meanSteps: pick } = robots![cell]!.pick!
      return pick + robots![cell]!.assemble!.meanSteps
    })
    expect(last.slice(-lengths[1]!)).toEqual(Array(lengths[1]).fill('B'))
    expect(last.slice(-lengths[1]! - lengths[0]!, -lengths[1]!)).toEqual(Array(lengths[0]).fill('A'))
  })

  it('gives each robot a log of its own, with numbers that no other has', () => {
    const logs = [first.folder.log, join(first.folder.log, 'B')].map((log) => [...readEpisodes(log)])
    const numbers = logs.map((log) => log.map(({ start }) => start.episode))
    expect(new Set(numbers.flat()).size).toBe(numbers.flat().length)
    expect(Math.min(...numbers.flat())).toBe(4) // one demonstration of two tasks by two robots came before
    const ids = logs.flatMap((log) => log.flatMap(({ steps }) => steps.map(({ id }) => id)))
    expect(new Set(ids).size).toBe(ids.length)
    const seeds = logs.flatMap((log) => log.map(({ start }) => start.seed))
    expect(new Set(seeds).size).toBe(seeds.length)
    const tasks = logs.map((log) => log.slice(0, 2).map(({ start }) => start.task))
    expect(tasks).toEqual([
      ['pick', 'assemble'],
      ['assemble', 'pick'],
    ])
  })

  it('lets no operator look into the cell of the other', () => {
    const looks: { at: string; stepped: string }[] = []
    const inside = new Set<string>()
    for (const [i, { what, cell }] of events.entries()) {
      if (what === 'step') inside.add(cell)
      else if (what === 'stepped') inside.delete(cell)
      else if (!inside.has(cell)) {
        const next = events.slice(i).find((event) => event.what === 'step')
        if (next) looks.push({ at: cell, stepped: next.cell })
      }
    }
    expect(new Set(looks.map(({ at }) => at))).toEqual(new Set(['A', 'B']))
    expect(looks.filter(({ at, stepped }) => at !== stepped)).toEqual([])
  })

  it('takes turns step by step', () => {
    const online = events.filter(({ what }) => what === 'step').map(({ cell }) => cell)
    const changes = online.filter((cell, i) => i > 0 && cell !== online[i - 1]).length
    const steps = ofKind(first.metrics, 'episode').reduce((sum, { length }) => sum + length, 0)
    // demonstrations and evaluations are one robot after the other
    expect(changes).toBeGreaterThan(0.8 * (steps - 2 * 80))
  })

  it('gives the same curve twice, until the second run is stopped', () => {
    const [episodes, updates] = curve(again.metrics)
    const [expected, figures] = curve(first.metrics)
    expect(episodes!.slice(0, 4)).toEqual(expected!.slice(0, 4))
    const warmUp = figures!.filter((figure) => 'phase' in figure && figure.phase === 'warm-up')
    expect(warmUp.length).toBeGreaterThan(0)
    expect(updates!.slice(0, warmUp.length + 1)).toEqual(figures!.slice(0, warmUp.length + 1))
  })

  it('resumes with both', () => {
    const episodes = ofKind(again.metrics, 'episode')
    for (const [cell, log] of [
      ['A', again.folder.log],
      ['B', join(again.folder.log, 'B')],
    ] as const) {
      const own = episodes.filter(({ robot }) => robot === cell)
      const logged = [...readEpisodes(log)]
      expect(logged.map(({ start }) => start.episode)).toEqual(own.map(({ episode }) => episode))
      expect(logged.map(({ steps }) => steps.length)).toEqual(own.map(({ length }) => length))
      expect(own.reduce((sum, { length }) => sum + length, 0)).toBeGreaterThanOrEqual(120)
    }
    expect(ofKind(again.metrics, 'evaluation').at(-1)!.stage).toBe('final')
  })
})
