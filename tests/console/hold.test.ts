/** @file What holds a robot: stop, pause, verdict and its undo, and demonstrations; from the page down to the log. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TIMES } from '../../src/console/protocol.ts'
import { readEpisodes } from '../../src/replay/log-reader.ts'
import { type Axes, Page } from './page.ts'
import { moving, Stage } from './stage.ts'

const LEFT: Axes = [0, 0.6, 0, 0, 0, 0]
const PERIOD = 100 // ms

let stage: Stage
let page: Page
const open = async () => {
  stage = await Stage.open()
  page = await Page.open(stage.server.address)
  await page.until('state', ({ stage }) => stage === 'practice')
}

afterEach(async () => {
  page.close()
  await stage.close()
})

const logged = () => [...readEpisodes(stage.folder.log)]
const steps = () => logged().flatMap((episode) => episode.steps)

describe('a stop', () => {
  beforeEach(() => open(), 60_000)

  it('is anybody’s, ends motion, is read back, latches, and ends the episode as cut off', async () => {
    const watcher = await Page.open(stage.server.address)
    await page.takeControl()
    const asked = performance.now()
    watcher.send({ kind: 'stop' })
    const { speed, why } = await watcher.until('robot', ({ status }) => status === 'stopped')
    expect(speed).toBeLessThan(0.01)
    expect(why).toContain('stopped by page 2')
    expect(stage.executed.findLast(moving)!.at - asked).toBeLessThan(150)
    await sleep(3 * PERIOD)
    expect(stage.executed.filter(moving).at(-1)!.at - asked).toBeLessThan(150)
    const stopped = logged().at(-1)!
    expect(stopped.end).toEqual({ ending: 'abort', verdict: { reward: 0, terminated: false } })
    expect(stopped.steps.at(-1)).toMatchObject({ truncated: true, terminated: false })

    page.send({ kind: 'resume' })
    await page.until('refused', ({ what }) => what === 'resume')
    watcher.send({ kind: 'clear' })
    await watcher.until('refused', ({ what }) => what === 'clear') // has no control
    page.forget()
    page.send({ kind: 'clear' })
    await page.until('robot', ({ status }) => status === 'paused')
    const { length } = stage.executed
    await sleep(3 * PERIOD)
    expect(stage.executed.length).toBe(length) // clearing alone moves nothing
    page.send({ kind: 'resume' })
    await page.until('robot', ({ status }) => status === 'moving')
    while (!moving(stage.executed.at(-1)!)) await sleep(10)
    watcher.close()
  })

  it('comes through a takeover', async () => {
    await page.takeControl()
    const holding = page.hold(LEFT, 800)
    await sleep(400)
    page.send({ kind: 'stop' })
    const asked = performance.now()
    await holding
    await page.until('robot', ({ status }) => status === 'stopped')
    expect(stage.executed.findLast(moving)!.at - asked).toBeLessThan(150)
  })

  it('lets the run end when it is told to', async () => {
    page.send({ kind: 'stop' })
    await page.until('robot', ({ status }) => status === 'stopped')
    stage.observer.dismiss()
    while (!stage.error) await sleep(10)
    expect((stage.error as Error).message).toMatch(/stopped by a person.*can be resumed/)
  })
})

describe('a pause', () => {
  beforeEach(() => open(), 60_000)

  it('holds the robot between two steps, and the episode goes on where it was', async () => {
    await page.takeControl()
    page.send({ kind: 'pause' })
    await page.until('robot', ({ status }) => status === 'paused')
    const { length } = stage.executed
    const episodes = stage.episodes.length
    await sleep(4 * PERIOD)
    expect(stage.executed.length).toBe(length)
    page.forget()
    page.send({ kind: 'resume' })
    await page.until('robot', ({ status }) => status === 'moving')
    while (stage.executed.length < length + 3) await sleep(10)
    expect(stage.episodes.length).toBe(episodes)
  })
})

describe('a verdict', () => {
  beforeEach(() => open(), 60_000)
  const judge = async (verdict: 'success' | 'failure' | 'abort') => {
    await page.takeControl()
    while (stage.observer.live!.inFocus.view.step < 3) await sleep(5)
    page.send({ kind: 'verdict', verdict })
    await page.until('robot', ({ status }) => status === 'holding')
  }

  it.each([
    ['success', { reward: 1, terminated: true }],
    ['failure', { reward: 0, terminated: true }],
    ['abort', { reward: 0, terminated: false }],
  ] as const)('%s judges the last step that was taken, as a person’s', async (verdict, expected) => {
    await judge(verdict)
    const taken = stage.executed.length
    page.send({ kind: 'confirm' })
    await page.until('episode', ({ ending, judge }) => ending === verdict && judge === 'person')
    const episode = logged()[0]!
    expect(episode.end).toEqual({ ending: verdict, verdict: expected })
    expect(episode.steps.at(-1)).toMatchObject(expected)
    expect(episode.steps.length).toBe(taken) // none was taken after it
    expect(episode.steps.slice(0, -1).every(({ reward, terminated }) => reward === 0 && !terminated)).toBe(true)
    expect(stage.journal).toContainEqual(expect.objectContaining({ what: 'verdict', verdict }))
  })

  it('counts by itself when nobody takes it back', async () => {
    await judge('success')
    const since = performance.now()
    await page.until('episode', ({ judge }) => judge === 'person')
    expect(performance.now() - since).toBeGreaterThan(TIMES.undo - 300)
    expect(performance.now() - since).toBeLessThan(TIMES.undo + 500)
  })

  it('is taken back by an undo: nothing of it is in the log, and the episode goes on', async () => {
    await judge('success')
    const { length } = stage.executed
    await sleep(2 * PERIOD)
    expect(stage.executed.length).toBe(length) // it holds meanwhile
    page.send({ kind: 'undo' })
    await page.until('verdict', ({ verdict }) => verdict === null)
    while (stage.executed.length < length + 3) await sleep(10)
    expect(stage.episodes).toEqual([])
    expect(steps().every(({ reward }) => reward === 0)).toBe(true)
    page.send({ kind: 'undo' })
    await page.until('refused', ({ what }) => what === 'undo')
  })

  it('is replaced by another one', async () => {
    await judge('success')
    page.send({ kind: 'verdict', verdict: 'failure' })
    await page.until('verdict', ({ verdict }) => verdict === 'failure')
    page.send({ kind: 'confirm' })
    await page.until('episode', ({ ending }) => ending === 'failure')
    expect(logged()[0]!.steps.at(-1)!.reward).toBe(0)
  })
})

describe('a demonstration', () => {
  beforeEach(() => open(), 60_000)

  it('is recorded by hand, looked at, kept in the log format; one that is discarded leaves nothing', async () => {
    const { origin } = new URL(stage.server.address)
    const get = async (path: string) => {
      const response = await fetch(`${origin}${path}`)
      return { status: response.status, type: response.headers.get('content-type'), body: await response.arrayBuffer() }
    }
    const json = async (path: string) => JSON.parse(new TextDecoder().decode((await get(path)).body))
    await page.takeControl()
    const demonstrate = async () => {
      page.forget()
      page.send({ kind: 'record', action: 'start', task: 'pick' })
      await page.until('recording', ({ phase }) => phase === 'recording')
      const before = stage.executed.length
      await sleep(3 * PERIOD)
      expect(stage.executed.length).toBe(before) // it waits for the hand
      await page.hold([0, 0, 0.5, 0, 0, 0], 800)
      page.send({ kind: 'verdict', verdict: 'success' })
      return page.until('recording', ({ phase }) => phase === 'review')
    }
    const first = await demonstrate()
    expect(first).toMatchObject({ task: 'pick', success: true })
    const review = await json('/api/recording')
    expect(review.steps).toHaveLength(first.steps)
    expect(await get(`/api/recording/frames/${first.steps}/front`)).toMatchObject({ status: 200, type: 'image/jpeg' })
    page.send({ kind: 'record', action: 'discard' })
    await page.until('recording', ({ phase }) => phase === 'off')
    expect((await get('/api/recording')).status).toBe(404)

    const second = await demonstrate()
    page.send({ kind: 'record', action: 'keep' })
    expect((await page.until('recording', ({ phase }) => phase === 'off')).kept).toEqual({ pick: 1 })
    const [episode, ...more] = [...readEpisodes(`${stage.folder.path}/recorded`)]
    expect(more).toEqual([])
    expect(episode!.start).toMatchObject({ task: 'pick', source: 'demonstration' })
    expect(episode!.steps).toHaveLength(second.steps)
    expect(episode!.steps.every(({ actor }) => actor === 'operator')).toBe(true)
    expect(episode!.steps.at(-1)).toMatchObject({ reward: 1, terminated: true })
    expect(await json('/api/runs/run/recorded/episodes')).toMatchObject([{ task: 'pick', length: second.steps }])
    while (!stage.executed.slice(-3).every(({ action }) => action[0] === Math.fround(0.3))) await sleep(10) // practice goes on
  }, 30_000)

  it('is not kept when it failed', async () => {
    await page.takeControl()
    page.send({ kind: 'record', action: 'start', task: 'pick' })
    await page.until('recording', ({ phase }) => phase === 'recording')
    await page.hold([0, 0, 0.5, 0, 0, 0], 300)
    page.send({ kind: 'verdict', verdict: 'failure' })
    await page.until('recording', ({ phase }) => phase === 'review')
    page.send({ kind: 'record', action: 'keep' })
    await page.until('refused', ({ what }) => what === 'record')
  })

  it('ends where the robot is stopped', async () => {
    await page.takeControl()
    page.send({ kind: 'record', action: 'start', task: 'pick' })
    await page.until('recording', ({ phase }) => phase === 'recording')
    const holding = page.hold(LEFT, 500)
    await sleep(200)
    page.send({ kind: 'stop' })
    await holding
    await page.until('robot', ({ status }) => status === 'stopped')
    expect(page.last('recording')!.phase).toBe('off')
  })
})
