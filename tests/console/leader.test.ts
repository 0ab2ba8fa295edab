/** @file A leader arm through the console: with the page's hand on, the robot moves as the leader does. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { type LoggedEpisode, readEpisodes } from '../../src/replay/log-reader.ts'
import { Page, REST } from './page.ts'
import { Stage } from './stage.ts'

/** The whole of what the leader below asks for. */
const led = ({ action }: { action: ArrayLike<number> }) => Math.abs(action[1]! + 0.5) < 1e-6

/** A busy machine may take a page for silent: it asks for control again. */
async function holdUntil(page: Page, test: () => boolean): Promise<void> {
  for (const end = performance.now() + 20_000; !test() && performance.now() < end; await sleep(33)) {
    page.send({ kind: 'control', action: 'request' })
    page.input(REST, true)
  }
  expect(test()).toBe(true)
  page.input(REST, false)
}

it('a hand that rests on the page moves the robot by the leader of its rig, and off it by nothing of it', async () => {
  let engaged = 0
  const leader = { engage: () => void engaged++, motion: () => Float32Array.of(0, -0.5, 0, 0, 0, 0, 0) }
  const stage = await Stage.open({ leader })
  const page = await Page.open(stage.server.address)
  try {
    await page.until('state', ({ stage }) => stage === 'practice', 30_000)
    await page.takeControl()
    await sleep(300)
    expect(engaged).toBe(0)
    expect(stage.executed.every(({ action }) => action[1] === 0)).toBe(true) // the policy moves along x
    await holdUntil(page, () => stage.executed.some(led))
    expect(engaged).toBeGreaterThan(0)
  } finally {
    page.close()
    await stage.close()
  }
}, 60_000)

it('records a demonstration by the leader of the rig, with the hand on the page', async () => {
  const leader = { engage: () => {}, motion: () => Float32Array.of(0, -0.5, 0, 0, 0, 0, 0) }
  const stage = await Stage.open({ leader })
  const page = await Page.open(stage.server.address)
  try {
    await page.until('state', ({ stage }) => stage === 'practice', 30_000)
    await page.takeControl()
    page.send({ kind: 'record', action: 'start', task: 'pick' })
    await page.until('recording', ({ phase }) => phase === 'recording', 30_000)
    await holdUntil(page, () => stage.executed.some(led))
    page.send({ kind: 'control', action: 'request' })
    page.send({ kind: 'verdict', verdict: 'success' })
    await page.until('recording', ({ phase }) => phase === 'review', 30_000)
    page.send({ kind: 'control', action: 'request' })
    page.send({ kind: 'record', action: 'keep' })
    await page.until('recording', ({ kept }) => kept.pick === 1, 30_000)
    const [{ steps }] = [...readEpisodes(join(stage.folder.path, 'recorded'))] as [LoggedEpisode]
    expect(steps.some(led)).toBe(true)
  } finally {
    page.close()
    await stage.close()
  }
}, 60_000)
