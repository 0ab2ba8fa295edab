/** @file Inputs that come late to a real robot loop, and such as only seem to. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Axes, Page } from './page.ts'
import { Stage } from './stage.ts'

const LEFT: Axes = [0, 0.6, 0, 0, 0, 0]

let stage: Stage
let page: Page
beforeAll(async () => {
  stage = await Stage.open()
  stage.plan = () => [0, 0, 0, 0, 0, 0, 0]
  page = await Page.open(stage.server.address)
  await page.until('state', ({ stage }) => stage === 'practice')
  await page.takeControl()
  await page.hold(LEFT, 500)
}, 60_000)
afterAll(async () => {
  page.close()
  await stage.close()
})

const fastest = () => Math.max(0, ...stage.executed.map(({ action }) => action[1]!))

it.each([
  ['stood still for 12 s, as while a laptop sleeps', -12_000],
  ['was set ahead by 3 s', 3000],
])('a hand moves the arm again soon after its page’s clock %s', async (_, by) => {
  const { clock } = page
  page.clock = () => clock() + by
  await sleep(600) // of pings
  stage.executed.length = 0
  page.forget()
  await page.hold(LEFT, 600)
  expect(fastest()).toBeCloseTo(0.6, 5)
  expect(page.all('late')).toEqual([])
})

it('an input that was read a second before it comes moves nothing; its page is told, and the journal', async () => {
  const other = await Page.open(stage.server.address)
  await sleep(300) // until the hand is off
  stage.executed.length = 0
  page.forget()
  for (let i = 0; i < 20; i++) {
    page.send({ kind: 'input', seq: 10_000 + i, t: page.clock() - 1000, axes: LEFT, gripper: 0, hold: true })
    await sleep(33)
  }
  expect(stage.executed.length).toBeGreaterThan(3)
  expect(fastest()).toBe(0)
  const told = page.all('late')
  expect(told[0]!.age).toBeGreaterThan(900)
  expect(told[0]!.age).toBeLessThan(1300)
  expect(told.length).toBeLessThan(6) // not one for each
  expect(other.all('late')).toEqual([])
  expect(stage.journal.filter(({ what }) => what === 'late')).toHaveLength(1)
  other.close()
})
