/** @file A robot that holds after a fault, and one whose page falls silent, as people at the console meet them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { FaultFile, keptFaults } from '../../src/robot/fault-file.ts'
import { Page } from './page.ts'
import { moving, Stage, type StageSettings } from './stage.ts'

let stage: Stage
let page: Page
const folder = mkdtempSync(join(tmpdir(), 'duet-console-faults-'))
const open = async (settings: StageSettings) => {
  stage = await Stage.open(settings)
  page = await Page.open(stage.server.address)
}
afterEach(async () => {
  page.close()
  await stage.close()
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

it('a fault of an earlier session holds the robot: the page says which and why, and a person there clears it', async () => {
  const faults = new FaultFile('workcell-gantry-1', folder)
  faults.write({ kind: 'sensor', what: 'wrist.force.z [N] reads NaN' })
  await open({ safety: { faults, limits: { force: Number.POSITIVE_INFINITY } } })
  const { why } = await page.until('robot', ({ status }) => status === 'stopped')
  expect(why).toBe('sensor: wrist.force.z [N] reads NaN')
  expect(stage.executed.filter(moving)).toEqual([])
  expect(keptFaults(folder)).toHaveLength(1)
  await page.takeControl()
  page.send({ kind: 'clear' })
  await page.until('robot', ({ status }) => status === 'paused')
  expect(keptFaults(folder)).toEqual([])
  page.send({ kind: 'resume' })
  await page.until('robot', ({ status }) => status === 'moving')
  while (stage.executed.filter(moving).length < 2) await sleep(10)
}, 60_000)

it('a scene that a person puts back: the robot waits before every episode, says for what, and goes on at their word', async () => {
  await open({ reset: 'person' })
  const scene = await page.until('scene', ({ waits }) => waits)
  expect(scene).toMatchObject({ robot: 'A', task: 'pick' })
  await page.until('robot', ({ status }) => status === 'waiting')
  await sleep(300)
  expect(stage.executed.filter(moving)).toEqual([])
  await page.takeControl()
  page.send({ kind: 'ready' })
  await page.until('robot', ({ status }) => status === 'moving')
  page.forget()
  while (stage.observer.live!.inFocus.view.step < 3) await sleep(5)
  page.send({ kind: 'verdict', verdict: 'failure' })
  page.send({ kind: 'confirm' })
  await page.until('scene', ({ waits }) => waits) // of the next episode
  page.forget()
  page.send({ kind: 'stop' }) // a person whose hands are in the scene
  await page.until('robot', ({ status }) => status === 'stopped')
  page.send({ kind: 'ready' })
  expect((await page.until('refused')).why).toContain('stopped')
  page.send({ kind: 'clear' })
  await page.until('robot', ({ status }) => status === 'paused')
  const before = stage.executed.filter(moving).length
  page.send({ kind: 'resume' })
  await page.until('robot', ({ status }) => status === 'waiting')
  await sleep(300)
  expect(stage.executed.filter(moving)).toHaveLength(before) // it still waits for the scene
  page.send({ kind: 'ready' })
  while (stage.executed.filter(moving).length === before) await sleep(5)
}, 60_000)

it('the page in control is waited for while it has control: its silence stops a robot that is watched', async () => {
  await open({ safety: { limits: { heartbeatAge: 0.6, force: Number.POSITIVE_INFINITY } } })
  const { robot } = stage.observer.live!.inFocus.rig
  robot.supervisedBy([])
  await sleep(800)
  expect(robot.fault).toBeNull() // nobody has control, nobody is waited for
  await page.takeControl()
  await sleep(800)
  expect(robot.fault).toBeNull() // it speaks
  page.fallSilent()
  for (let i = 0; i < 40 && !robot.fault; i++) await sleep(50)
  expect(robot.fault?.kind).toBe('lost heartbeat')
}, 60_000)
