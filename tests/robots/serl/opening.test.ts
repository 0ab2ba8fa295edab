/** @file Opening an arm behind a SERL server: what is wrong is said before anything moves. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { InputError } from '../../../src/errors.ts'
import { openRig, RobotConfig } from '../../../src/robots/index.ts'
import { SerlConfig } from '../../../src/robots/serl/config.ts'
import { type SerlServer, serveWorkcell } from '../../../src/robots/workcell/serve/server.ts'
import { Between } from './between.ts'
import { settings } from './cell.ts'

const state = mkdtempSync(join(tmpdir(), 'duet-serl-'))
let serving: SerlServer
let between: Between
beforeAll(async () => {
  vi.stubEnv('DUET_STATE', state)
  serving = await serveWorkcell({ task: 'pick', seed: 0, port: 0, standing: true, cell: { arm: 'gantry' } })
})
beforeEach(async () => {
  between = await Between.open(serving.url)
})
afterEach(() => between.close())
afterAll(async () => {
  vi.unstubAllEnvs()
  rmSync(state, { recursive: true })
  await serving.close()
})

const { safety } = settings('http://a/')
const box = { low: [...safety.workBox.low], high: [...safety.workBox.high] }
const turnTo = (yaw: number) => ({ low: [3, -0.1, 1.4], high: [3.3, 0.1, yaw] }) // the start has a yaw of 1.5708

const opening = (more: object = {}) => openRig(settings(between.url, more), 'A')

describe('an arm behind a SERL server', () => {
  it('is opened as a real robot: watched for old commands and silence, its faults kept, and nothing has moved', async () => {
    const rig = await opening()
    expect(rig).toMatchObject({ real: true, reset: 'person', cell: 'A' })
    expect(rig.robot.spec.name).toBe('gantry-A')
    expect(rig.robot.limits).toMatchObject({ commandAge: 0.3, heartbeatAge: 1, force: 30 })
    expect(rig.robot.keepsFaults).toBe(true)
    expect([...new Set(between.asked.map(({ route }) => route))]).toEqual(['getstate'])
    await rig.close()
  }, 60_000)

  it.each([
    ['a page', () => ({ text: '<html>' }), 'answers with a page (HTML) where JSON is expected. Is this a SERL server?'],
    ['an exception', () => ({ status: 500 }), 'fails inside the server (500)'],
    ['another program', () => ({ status: 404 }), 'is not a route of this server (404). Is this a SERL server?'],
    ['NaN', () => ({ text: '{"pose": [NaN, 0]}' }), 'tells NaN: the state of the arm is lost'],
    ['other JSON', () => ({ text: '{"ok": true}' }), 'tells no state of an arm: pose'],
  ])('is refused where getstate gives %s', async (_, spoil, words) => {
    between.spoil = spoil
    const error = await opening().catch((thrown) => thrown)
    expect(error).toBeInstanceOf(InputError)
    expect(error.message).toContain(`${between.url}getstate: `)
    expect(error.message).toContain(words)
    expect(between.poses).toEqual([])
  })

  it('is refused where nobody listens, with what to do', async () => {
    await between.close()
    await expect(opening()).rejects.toThrow(
      'nobody listens there (connection refused). Start the SERL server of this arm, and check its address',
    )
  })

  it.each([
    [{ startPose: [0.9, 0, 0.2, Math.PI, 0, 0] }, 'is 0.9 m on x, the work box reaches from 0.3 to 0.7'],
    [{ startSpread: { xy: 0.21 } }, 'is 0.5 ± 0.21 m on x'],
    [{ startPoses: { juggle: [0.5, 0, 0.2, Math.PI, 0, 0] } }, 'robot.startPoses.juggle: is the start of no task'],
    [
      { safety: { ...safety, workBox: { ...box, turn: turnTo(1.5) } } },
      'robot.startPose of "pick": is turned 0.07 rad out',
    ],
    [
      { safety: { ...safety, workBox: { ...box, turn: turnTo(1.6) } }, startSpread: { yaw: 0.1 } },
      'is turned 0.07 rad out',
    ],
    [{ actionScale: { translation: 0.03 } }, 'safety.speed: is 0.2 m/s, and an action of size 1 asks for 0.300 m/s'],
  ])('is refused before a connection is made where %j', async (more, words) => {
    await expect(opening(more)).rejects.toThrow(words)
    expect(between.asked).toEqual([])
  })

  it('has an address of its own in each of several cells', () => {
    expect(() => settings('http://a/', { cells: ['A', 'B'], servers: { A: 'http://a/' } })).toThrow('its own server')
    const one = { A: 'http://a/', B: 'http://a/' } // two loops would move it
    expect(() => settings('http://a/', { cells: ['A', 'B'], servers: one })).toThrow('its own server')
    expect(SerlConfig.safeParse({ ...settings('http://a/'), url: 'ftp://a/' }).success).toBe(false)
  })

  it.each([
    ['twice in one cell', ['A', 'A'], 'names a cell twice'],
    ['in a cell whose name leads out of the folder of the run', ['A', '..'], 'has to name a folder'],
    ['in a cell whose name is of two folders', ['A', 'lab/B'], 'has to name a folder'],
    ['in a cell without a name, where the log of the first one lies', ['A', ''], 'has to name a folder'],
  ])('does not stand %s', (_, cells, words) => {
    const servers = Object.fromEntries(cells.map((cell, k) => [cell, `http://${k}/`]))
    expect(() => settings('http://a/', { cells, servers })).toThrow(words)
    const arms = { kind: 'driver', module: './arm.mjs', safety, cells }
    expect(() => RobotConfig.parse(arms)).toThrow(words)
  })
})
