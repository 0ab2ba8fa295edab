/** @file A person at the console while a robot acts: takeover, words, lost lines; down to replay and log. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { COMMAND_TIMES } from '../../src/console/protocol.ts'
import { readEpisodes } from '../../src/replay/log-reader.ts'
import type { Operator } from '../../src/robot/operator.ts'
import { type Axes, Page } from './page.ts'
import { moving, Stage } from './stage.ts'

const LEFT: Axes = [0, 0.6, 0, 0, 0, 0]
const PERIOD = 100 // ms

let stage: Stage
let page: Page
const open = async (settings: Parameters<typeof Stage.open>[0] = {}) => {
  stage = await Stage.open(settings)
  page = await Page.open(stage.server.address)
  await page.until('state', ({ stage }) => stage === 'practice')
}

afterEach(async () => {
  page.close()
  await stage.close()
})

const logged = () => [...readEpisodes(stage.folder.log)]
const steps = () => logged().flatMap((episode) => episode.steps)
/** Ends the episode that runs, so that it goes to the replay. */
async function endEpisode(verdict: 'success' | 'failure' | 'abort' = 'abort') {
  const { length } = stage.episodes
  page.send({ kind: 'verdict', verdict })
  page.send({ kind: 'confirm' })
  while (stage.episodes.length === length) await sleep(5)
}

describe('a takeover', () => {
  beforeEach(() => open(), 60_000)

  it('is executed, logged as the operator’s, and joins the replay with its label', async () => {
    await page.takeControl()
    await sleep(2 * PERIOD) // pictures are kept once somebody looks on
    await page.hold(LEFT, 900)
    await page.until('state', ({ actor }) => actor === 'operator')
    await endEpisode()
    const { steps } = logged()[0]!
    const taken = steps.filter(({ actor }) => actor === 'operator')
    expect(taken.length).toBeGreaterThanOrEqual(8)
    const full = taken.filter(({ action }) => Math.abs(action[1]! - 0.6) < 1e-6)
    expect(full.length).toBeGreaterThanOrEqual(5)
    const { interventions, rollouts, labels } = stage.replay.stats().tasks.pick!
    expect(interventions).toBe(taken.length)
    expect(rollouts).toBe(steps.length - taken.length)
    expect(labels['move left']).toBeGreaterThanOrEqual(5) // 0.6 of 15 mm a step, to the left
    const label = await page.until('label', ({ command }) => command === 'move left')
    expect(label.delta[1]).toBeGreaterThan(0.015)
    expect(label.thumbnail).toMatch(/^data:image\/jpeg;base64,/)
  })

  it('is seen by others, with who holds and what is done', async () => {
    const watcher = await Page.open(stage.server.address)
    page.send({ kind: 'name', name: 'Anna' })
    await page.takeControl()
    const holding = page.hold(LEFT, 600)
    const control = await watcher.until('control', ({ holding }) => holding)
    expect(control).toMatchObject({ holder: { name: 'Anna' }, operator: 'person' })
    const state = await watcher.until(
      'state',
      ({ actor, executed }) => actor === 'operator' && executed?.[1] === Math.fround(0.6),
    )
    expect(state.executedMotion![1]).toBeCloseTo(0.009, 6) // 0.6 of 15 mm
    expect(state.planned![0]).toBeCloseTo(0.3, 6)
    expect(watcher.frames.length).toBeGreaterThan(0)
    await holding
    watcher.close()
  })

  it('takes the gripper along, even for a short press', async () => {
    await page.takeControl()
    page.input([0, 0, 0, 0, 0, 0], true, 1)
    page.input([0, 0, 0, 0, 0, 0], true, 0)
    await page.until('state', ({ executed }) => executed?.[6] === 1)
  })
})

describe('the run’s own operator', () => {
  const scripted: Operator & { begun: number } = {
    begun: 0,
    begin() {
      this.begun++
    },
    tend: () => ({ takeover: Float32Array.of(0, 0, 0.25, 0, 0, 0, 0) }),
  }

  it('steps back while a person is there, and looks anew when it comes back', async () => {
    await open({ operator: scripted })
    const lifts = () => stage.executed.filter(({ action }) => action[2] === 0.25).length
    while (lifts() === 0) await sleep(10)
    await page.takeControl()
    await sleep(2 * PERIOD)
    const before = lifts()
    const { begun } = scripted
    await sleep(5 * PERIOD)
    expect(lifts()).toBe(before)
    page.send({ kind: 'control', action: 'release' })
    while (lifts() === before) await sleep(10)
    expect(scripted.begun).toBe(begun + 1)
  }, 60_000)
})

describe('a command', () => {
  beforeEach(() => open(), 60_000)

  it.each([
    ['to the left, please', 'usual'],
    ['a bit to the left, please', 'small'],
  ] as const)('%s: steers, is stored with the steps it steered, and expires', async (said, size) => {
    await page.takeControl()
    page.send({ kind: 'command', text: said, source: 'typed' })
    const lasts = COMMAND_TIMES[size]
    const { command } = await page.until('command', ({ command }) => command !== null)
    expect(command).toMatchObject({ text: 'move left', said, source: 'typed', lasts })
    await page.until('command', ({ command }) => command === null)
    await sleep(3 * PERIOD)
    await endEpisode()
    const spoken = steps().filter(({ command }) => command !== null)
    expect(spoken.length).toBeGreaterThanOrEqual(lasts / PERIOD - 2)
    expect(spoken.length).toBeLessThanOrEqual(lasts / PERIOD)
    for (const { command, actor, action } of spoken) {
      expect([command, actor]).toEqual(['move left', 'refinement'])
      expect(action[1]).toBeCloseTo(stage.obedience, 5)
    }
    expect(steps().at(-1)).toMatchObject({ command: null, actor: 'primary' })
  })

  it('with a distance is over once the tool has come so far, and not with its time', async () => {
    stage.obedience = -0.3 // the policy steers back
    await page.takeControl()
    page.send({ kind: 'command', text: 'left 20 mm', source: 'typed' })
    const { command } = await page.until('command', ({ command }) => command !== null)
    expect(command).toMatchObject({ text: 'move left', said: 'left 20 mm', distance: 0.02, lasts: 3000 })
    await page.until('command', ({ command }) => command === null)
    await endEpisode()
    const told = logged().flatMap((episode) => {
      const tools = episode.observations.map(({ proprio }) => proprio[1]!)
      return episode.steps.map((step, t) => ({ ...step, from: tools[t]!, to: tools[t + 1]! }))
    })
    const spoken = told.filter(({ command }) => command !== null)
    expect(spoken.length).toBeLessThan(3000 / PERIOD - 5)
    const came = spoken.at(-1)!.to - spoken[0]!.from
    expect(came).toBeGreaterThan(0.015)
    expect(came).toBeLessThan(0.025)
  })

  it('that is not understood is refused with a reason, and changes nothing', async () => {
    await page.takeControl()
    page.send({ kind: 'command', text: 'make me a sandwich', source: 'spoken' })
    const { why } = await page.until('refused')
    expect(why.length).toBeGreaterThan(10)
    expect(page.all('command')).toEqual([])
  })

  it('to stop is a stop, whoever says it', async () => {
    page.send({ kind: 'command', text: 'Stop!', source: 'spoken' })
    await page.until('robot', ({ status }) => status === 'stopped')
  })
})

describe('a page that falls silent', () => {
  beforeEach(() => open(), 60_000)

  /** Holds the device until `then`, and says when the last input was sent. */
  async function holdUntilSilent(): Promise<number> {
    await page.takeControl()
    for (let i = 0; i < 20; i++) {
      page.input(LEFT)
      await sleep(33)
    }
    expect(moving(stage.executed.at(-1)!)).toBe(true)
    return performance.now()
  }
  const lastMotion = () => stage.executed.findLast(moving)!.at

  it('with the hand on: the robot holds within two periods, and the run waits once its lease is over', async () => {
    const silent = await holdUntilSilent()
    page.fallSilent()
    await page.until('robot', ({ status }) => status === 'paused', 4000)
    expect(lastMotion() - silent).toBeLessThanOrEqual(2 * PERIOD)
    const waited = stage.executed.filter(({ at }) => at > silent + 2 * PERIOD)
    expect(waited.length).toBeGreaterThan(10) // it was stepped, holding
    expect(page.last('control')).toMatchObject({ holder: null })
    expect(page.last('robot')!.why).toContain('lost')
  })

  it('because its line breaks: the robot holds at once, and the run waits', async () => {
    const watcher = await Page.open(stage.server.address)
    await holdUntilSilent()
    const cut = performance.now()
    page.socket.terminate()
    await watcher.until('robot', ({ status }) => status === 'paused')
    await sleep(3 * PERIOD)
    expect(lastMotion() - cut).toBeLessThanOrEqual(PERIOD)
    watcher.send({ kind: 'control', action: 'request' })
    watcher.send({ kind: 'resume' })
    await watcher.until('robot', ({ status }) => status === 'moving')
    while (lastMotion() < cut + 3 * PERIOD) await sleep(10)
    watcher.close()
  })

  it('with the hand off: the run just goes on', async () => {
    await page.takeControl()
    page.fallSilent()
    page.forget()
    await page.until('control', ({ holder }) => holder === null, 4000)
    const { length } = stage.executed
    await sleep(3 * PERIOD)
    expect(stage.executed.length).toBeGreaterThan(length)
    expect(page.all('robot').some(({ status }) => status === 'paused')).toBe(false)
  })
})

describe('control', () => {
  beforeEach(() => open(), 60_000)

  it('is handed over by its holder, or to whoever waits when they let go', async () => {
    const second = await Page.open(stage.server.address)
    await page.takeControl()
    second.send({ kind: 'control', action: 'request' })
    const { waiting } = await page.until('control', ({ waiting }) => waiting.length > 0)
    page.send({ kind: 'control', action: 'grant', to: waiting[0]!.client })
    await second.until('control', ({ holder }) => holder?.client === waiting[0]!.client)
    page.send({ kind: 'control', action: 'request' })
    await second.until('control', ({ waiting }) => waiting.length === 1)
    second.send({ kind: 'control', action: 'release' })
    const { client } = (await page.until('hello'))!
    await page.until('control', ({ holder, waiting }) => holder?.client === client && waiting.length === 0)
    second.close()
  })

  it('makes a fast run go at real time while somebody has it', async () => {
    page.send({ kind: 'control', action: 'request' })
    page.send({ kind: 'speed', speed: 8 })
    expect(await page.until('pace', ({ chosen }) => chosen === 8)).toMatchObject({ now: 1 })
    const rate = async () => {
      const { length } = stage.executed
      await sleep(1000)
      return stage.executed.length - length
    }
    expect(await rate()).toBeLessThanOrEqual(11)
    page.send({ kind: 'control', action: 'release' })
    await page.until('pace', ({ now }) => now === 8)
    expect(await rate()).toBeGreaterThan(20)
  })
})

describe('before the first episode', () => {
  it('the robot is shown as it stands, by every camera', async () => {
    stage = await Stage.open({ run: false })
    page = await Page.open(stage.server.address)
    while (page.frames.length < 2) await sleep(5)
    expect(page.frames.map(({ camera }) => camera).sort()).toEqual([0, 1])
    expect(stage.executed).toEqual([])
  }, 60_000)
})
