/**
 * @file A whole run on a rig whose time passes by itself, whose scene a person lays and whose success nobody but a person
 * knows: demonstrations, practice and evaluations, with a bot at the console.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import os, { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RunLibrary } from '../../src/console/server/library.ts'
import { RunObserver } from '../../src/console/server/observer.ts'
import { ConsoleServer } from '../../src/console/server/server.ts'
import { readMetrics } from '../../src/metrics/metrics.ts'
import { ofKind } from '../../src/metrics/of-kind.ts'
import { readEpisodes } from '../../src/replay/log-reader.ts'
import { demonstrator } from '../../src/robots/workcell/demonstrator.ts'
import { RunFolder } from '../../src/run/folder.ts'
import { presets } from '../../src/run/presets.ts'
import { PRECEDENCE_REFUSED } from '../../src/run/priority.ts'
import { mergeSettings, parseConfig } from '../../src/run/resolve.ts'
import { train } from '../../src/run/train.ts'
import { Bot } from '../console/bot.ts'
import { Page } from '../console/page.ts'
import { openReal, openRealSession, type RealRig } from '../real-rig.ts'

const runs = mkdtempSync(join(tmpdir(), 'duet-person-'))
afterAll(() => rmSync(runs, { recursive: true }))

const settings = (own: object = {}) =>
  parseConfig(
    'test',
    mergeSettings(
      presets.tiny,
      {
        robot: { arm: 'gantry' },
        tasks: ['pick'],
        operator: { kind: 'none' },
        demonstrations: { perTask: 2 },
        warmUp: { updates: 4 },
        online: { robotMinutes: 0.1, lockstep: false, publishEvery: 2, startAfter: 60 },
        evaluation: { trials: 1 },
      },
      own,
    ),
  )

const refusal = async (own: object, told: string[] = []) => {
  const config = settings(own)
  const rig = await openReal()
  const folder = RunFolder.create(join(runs, `refused-${Object.keys(own)}-${Math.random()}`), config)
  const events = { onNotice: (line: string) => told.push(line) }
  const error = await train(folder, config, events, () => openRealSession(config, rig)).catch((thrown: Error) => thrown)
  return (error as Error).message
}

describe('a real rig', () => {
  it('runs at no other pace than its own, and waits for no learner: both are refused by name', async () => {
    expect(await refusal({ online: { pace: 20 } })).toMatch(/setting "online.pace": is 20, .*set online.pace=1/)
    expect(await refusal({ online: { lockstep: true } })).toMatch(
      /setting "online.lockstep".*Set online.lockstep=false/,
    )
  })

  it('has nobody of software to tend it, which is said before anybody shows it anything', async () =>
    expect(await refusal({ operator: { kind: 'simulated' } })).toMatch(/setting "operator.kind".*no simulation/))

  it('that tries something by itself is announced before anything moves', async () => {
    const told: string[] = []
    await refusal({ online: { exploration: { after: 10 } }, evaluation: { exploration: 7 } }, told)
    const words =
      /^real-workcell-gantry-1 moves by itself .* in practice after 10 steps, in evaluations after 7 steps: /
    expect(told).toEqual([expect.stringMatching(words)])
    told.length = 0
    await refusal({}, told)
    expect(told).toEqual([])
  })

  it('without demonstrations and without a console has nobody to show it anything', async () =>
    expect(await refusal({})).toMatch(/"demonstrations.path": is not set.*Train with --console/))
})

describe('a run with a person', () => {
  const config = settings()
  const folder = RunFolder.create(join(runs, 'person'), config)
  let rig: RealRig
  let bot: Bot
  let page: Page
  let stopped: { from: number; to: number }
  const keptAtStart: (number | undefined)[] = []
  const notices: string[] = []
  const niceness = { before: os.getPriority(process.pid), inPractice: 0, after: 0 }

  /** A part of the run, with a page at its console; `act` is what the person does. */
  async function part(act: (end: () => void) => Promise<void>): Promise<void> {
    const observer = new RunObserver()
    const library = new RunLibrary(runs, { path: folder.path, running: true })
    const server = await ConsoleServer.open({ observer, library, page: runs, port: 0 })
    page = await Page.open(server.address)
    rig = await openReal({ reset: 'person', judges: false })
    const { workcell } = rig.cellOf
    bot = new Bot(page, {
      done: () => rig.cellOf.done,
      hand: () => demonstrator(() => workcell.truth(), 1, { noise: 0, memory: 0 }),
    })
    const stop = new AbortController()
    const onNotice = (line: string) => notices.push(line)
    const events = { observer, stop: stop.signal, onNotice }
    const training = train(folder, config, events, () => openRealSession(config, rig))
    const end = () => {
      stop.abort()
      observer.dismiss()
    }
    await page.until('hello', () => true, 240_000)
    await page.takeControl()
    await bot.until(() => page.all('recording').some(({ wanted }) => wanted !== null), 'a run that waits')
    keptAtStart.push(page.all('recording').find(({ wanted }) => wanted !== null)!.kept.pick)
    await Promise.all([training, bot.layScenes(), act(end)])
    page.close()
    await server.close()
  }

  const demonstrateAll = async (count: number) => {
    for (let kept = 0; kept < count; ) if (await bot.demonstrate('pick')) kept++
  }

  beforeAll(async () => {
    await part(async (end) => {
      await demonstrateAll(1)
      end()
    })
    await part(async () => {
      await demonstrateAll(1)
      await bot.until(() => page.last('state')?.stage === 'practice' && page.last('state')!.episodeStep > 1, 'practice')
      niceness.inPractice = os.getPriority(process.pid)
      stopped = await bot.stopAndGoOn()
      await bot.until(
        () => page.last('state')!.stage === 'practice' && page.last('state')!.episodeStep === 2,
        'the next episode',
      )
      bot.say('move left')
      await bot.takeOver()
      await bot.until(
        () =>
          page.last('state')!.stage === 'evaluation' && page.all('evaluation').some(({ stage }) => stage === 'final'),
        'the final evaluation',
      )
      await bot.until(
        () => page.last('state')!.stage === 'evaluation' && page.last('state')!.episodeStep > 2,
        'its trial',
      )
      bot.judge()
    })
    niceness.after = os.getPriority(process.pid)
  }, 900_000)

  it('has its loop come first on the cores while it goes on, or says why it does not', () => {
    const refused = notices.filter((line) => line === PRECEDENCE_REFUSED)
    if (process.platform === 'linux' && refused.length === 0) expect(niceness.inPractice).toBe(-15)
    else expect(niceness.inPractice).toBe(niceness.before)
    expect(niceness.after).toBe(niceness.before)
    expect(refused).toHaveLength(process.platform === 'linux' && niceness.inPractice > -15 ? 1 : 0)
  })

  it('begins from the demonstrations that a person kept, and goes on with those after it was ended', () => {
    expect(keptAtStart).toEqual([undefined, 1])
    const shown = [...readEpisodes(folder.demonstrations)]
    expect(shown).toHaveLength(2)
    for (const { start, end, steps } of shown) {
      expect(start).toMatchObject({ task: 'pick', source: 'demonstration' })
      expect(end.ending).toBe('success')
      expect(steps.at(-1)).toMatchObject({ reward: 1, terminated: true, by: 'person', actor: 'operator' })
    }
  })

  it('moves nothing while the scene is laid, and says how each is to be laid', () => {
    expect(bot.laid.length).toBeGreaterThanOrEqual(4)
    const moving = rig.cellOf.commands.filter(({ action }) => action.slice(0, 6).some((value) => value !== 0))
    for (const { from, to } of bot.laid) expect(moving.filter(({ at }) => at > from && at < to)).toEqual([])
    expect(bot.laid.every(({ start }) => start !== null)).toBe(true)
  })

  it('stands still from a stop until a person has cleared it', () => {
    const moving = rig.cellOf.commands.filter(({ action }) => action.slice(0, 6).some((value) => value !== 0))
    expect(moving.some(({ at }) => at < stopped.from)).toBe(true)
    expect(moving.filter(({ at }) => at > stopped.from + 300 && at < stopped.to)).toEqual([])
  })

  it('logs what the person did and said', () => {
    const steps = [...readEpisodes(folder.log)].flatMap((episode) => episode.steps)
    expect(steps.some(({ actor }) => actor === 'operator')).toBe(true)
    expect(steps.some(({ command }) => command === 'move left')).toBe(true)
    expect(steps.some(({ reward }) => reward > 0) ? bot.verdicts[0] : 'failure').toBe(bot.verdicts[0])
  })

  it('is judged by the person in evaluations, too, and says so', () => {
    const final = ofKind(readMetrics(folder.metrics), 'evaluation').find(({ stage }) => stage === 'final')!
    expect(final.tasks.pick!.outcomes).toMatchObject([{ success: bot.verdicts.at(-1) === 'success', by: 'person' }])
    const told = page.all('evaluation').at(-1)!
    expect(told).toMatchObject({ stage: 'final', over: true })
    expect(told.trials).toMatchObject([{ task: 'pick', outcome: { by: 'person' } }])
  })

  it('is timed: each episode of more than one step says how old its pictures were when the command left', () => {
    const timed = ofKind(readMetrics(folder.metrics), 'episode').filter(({ length }) => length > 2)
    expect(timed.length).toBeGreaterThan(0)
    for (const { timing } of timed) {
      expect(timing!.period).toBe(100)
      expect(timing!.latencyMedian).toBeGreaterThan(5) // its pictures are that old when they arrive
    }
  })
})
