/** @file The gripper through the console: whoever acts, the log says in each step what it is asked for from then on, -1 or 1. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readEpisodes } from '../../src/replay/log-reader.ts'
import { type Axes, Page, REST } from './page.ts'
import { Stage } from './stage.ts'

const LEFT: Axes = [0, 0.6, 0, 0, 0, 0]
const UNDECIDED = 0.4
const PERIOD = 100 // ms

let stage: Stage
let page: Page
beforeEach(async () => {
  stage = await Stage.open()
  stage.plan = () => [0.3, 0, 0, 0, 0, 0, UNDECIDED]
  page = await Page.open(stage.server.address)
  await page.until('state', ({ stage }) => stage === 'practice')
}, 60_000)
afterEach(async () => {
  page.close()
  await stage.close()
})

/** By episode, what was recorded of the gripper, and what the robot's channel "gripper.command" told after each step. */
const recorded = (folder: string) =>
  [...readEpisodes(folder)].map(({ steps, observations }) => ({
    entries: steps.map(({ action }) => action[6]!),
    told: observations.slice(1).map(({ proprio }) => proprio[13]!),
    operator: steps.map(({ actor }) => actor === 'operator'),
  }))
/** Runs of equal entries: [-1, -1, 1] is "-1 1". */
const changes = (entries: number[]) => entries.filter((entry, t) => t === 0 || entry !== entries[t - 1]).join(' ')
const shut = ({ grip }: { grip: number }) => grip === 1
const open = ({ grip }: { grip: number }) => grip === -1

async function endEpisode(): Promise<void> {
  const { length } = stage.episodes
  page.send({ kind: 'verdict', verdict: 'abort' })
  page.send({ kind: 'confirm' })
  while (stage.episodes.length === length) await sleep(5)
}

describe('a takeover', () => {
  it('in which nothing is pressed keeps what is asked for, in numbers, as the undecided policy around it does', async () => {
    await page.takeControl()
    await page.hold(LEFT, 600)
    await sleep(2 * PERIOD)
    await endEpisode()
    const { entries, told, operator } = recorded(stage.folder.log)[0]!
    expect(new Set(operator)).toEqual(new Set([true, false]))
    expect(new Set(entries)).toEqual(new Set([-1])) // a pick begins open
    expect(entries).toEqual(told)
    const acted = page.all('state').filter(({ executed }) => executed !== null)
    expect(new Set(acted.map(({ executed }) => executed![6]))).toEqual(new Set([-1]))
    expect(new Set(acted.map(({ planned }) => planned![6]))).toEqual(new Set([-1]))
    expect(new Set(stage.executed.map(({ action }) => action[6]))).toEqual(new Set([-1])) // at the motors, too
  })

  it('in which the button is pressed turns it at that step, for all that come: the hand’s, the policy’s, till it is pressed again', async () => {
    await page.takeControl()
    await page.hold(LEFT, 300)
    page.input(LEFT, true, 1) // shortly
    await page.hold(LEFT, 400)
    await page.until('state', (state) => shut(state) && state.actor === 'primary')
    page.forget()
    page.input(REST, true, -1)
    await page.hold(LEFT, 200)
    await page.until('state', (state) => open(state) && state.actor === 'primary')
    await endEpisode()
    const { entries, told, operator } = recorded(stage.folder.log)[0]!
    expect(entries).toEqual(told)
    expect(changes(entries)).toBe('-1 1 -1')
    expect(operator[entries.indexOf(1)]).toBe(true)
    expect(operator[entries.lastIndexOf(1) + 1]).toBe(true)
    expect(entries.some((entry, t) => entry === 1 && !operator[t])).toBe(true)
  })

  it('does not bring its grip along into the next episode', async () => {
    await page.takeControl()
    page.input(REST, true, 1)
    await page.until('state', shut)
    page.forget()
    await endEpisode()
    await page.until('state', ({ actor }) => actor === null) // the first observation of the next one
    await page.hold(LEFT, 300)
    await endEpisode()
    const [first, second] = recorded(stage.folder.log)
    expect(first!.entries.at(-1)).toBe(1)
    expect(second!.operator).toContain(true)
    expect(new Set(second!.entries)).toEqual(new Set([-1]))
    expect(second!.entries).toEqual(second!.told)
  })
})

describe('a demonstration by hand', () => {
  it('is kept in the same numbers: what is asked for, from the first step on', async () => {
    await page.takeControl()
    page.send({ kind: 'record', action: 'start', task: 'pick' })
    await page.until('recording', ({ phase }) => phase === 'recording')
    page.forget()
    await page.hold([0, 0, 0.5, 0, 0, 0], 500)
    page.input(REST, true, 1)
    await page.hold([0, 0, 0.5, 0, 0, 0], 400)
    await page.until('state', shut)
    page.send({ kind: 'verdict', verdict: 'success' })
    await page.until('recording', ({ phase }) => phase === 'review')
    page.send({ kind: 'record', action: 'keep' })
    await page.until('recording', ({ phase }) => phase === 'off')
    const [{ entries, told }] = recorded(`${stage.folder.path}/recorded`) as [ReturnType<typeof recorded>[number]]
    expect(entries).toEqual(told)
    expect(changes(entries)).toBe('-1 1')
  }, 30_000)
})
