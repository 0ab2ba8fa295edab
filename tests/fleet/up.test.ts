/** @file A whole fleet by the command line: a person tends its robot, its learner is killed while the robot acts. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { FleetFolder } from '../../src/fleet/folder.ts'
import type { RobotStanding } from '../../src/fleet/standings.ts'
import { readStatus } from '../../src/fleet/status.ts'
import { decodeMessage } from '../../src/link/codec.ts'
import type { ToLearner } from '../../src/link/messages.ts'
import { readMetrics } from '../../src/metrics/metrics.ts'
import { ofKind } from '../../src/metrics/of-kind.ts'
import { FrameReader } from '../../src/replay/frames.ts'
import { readEpisodes } from '../../src/replay/log-reader.ts'
import { RunFolder } from '../../src/run/folder.ts'
import { Page } from '../console/page.ts'
import { natsServer, WITHOUT } from '../link/nats-server.ts'

const duet = fileURLToPath(new URL('../../bin/duet.mjs', import.meta.url))
const runs = mkdtempSync(join(tmpdir(), 'duet-up-'))
let fleet: ChildProcess | undefined
afterAll(async () => {
  if (fleet && fleet.exitCode === null) {
    fleet.kill('SIGINT') // it ends those that it started
    await once(fleet, 'close')
  }
  rmSync(runs, { recursive: true })
})

const WARM_UP = 4
/**
 * In the last of its episodes, of at most 80 steps, the learner has enough to learn from, and does so all the time: for
 * 16 s at this pace, and it has 46 s to be there again. Two updates after the warm-up it publishes.
 */
const SETTINGS = [
  ...['robot.arm=gantry', 'tasks=[pick]', 'demonstrations.perTask=1', 'networks.sees=h', `warmUp.updates=${WARM_UP}`],
  ...['learner.batch=8', 'learner.refinement.batch=4'],
  ...['online.robotMinutes=0.4', 'online.startAfter=100', 'online.publishEvery=6', 'online.pace=0.4'],
]

/**
 * Somebody at the page of robot A, before it begins: holds it until the fleet knows, lets it go, and pushes it to the right.
 * Returns what the fleet knew.
 */
async function tend(address: string): Promise<RobotStanding | undefined> {
  const page = await Page.open(address, { brief: true })
  await page.until('hello', () => true, 60_000) // once the robot is there
  await page.takeControl()
  page.send({ kind: 'pause' })
  const folder = new FleetFolder(join(runs, 'arms'))
  const known = () => (existsSync(folder.status) ? readStatus(folder).robots[0] : undefined)
  await expect.poll(() => known()?.does, { timeout: 120_000, interval: 200 }).toBe('is held')
  const held = known()
  page.send({ kind: 'resume' })
  await page.until('robot', ({ status }) => status === 'moving', 60_000)
  await page.hold([0, -1, 0, 0, 0, 0], 1000)
  page.close()
  return held
}

/** The steps that the learner was told of and keeps, in their order. */
function journalled(path: string): string[] {
  const reader = new FrameReader(path)
  const steps: string[] = []
  reader.next() // its head
  for (let next = reader.next(); next; next = reader.next()) {
    const { head } = decodeMessage<ToLearner>(new Uint8Array(next.payload).buffer)
    if (head.kind === 'step') steps.push(`${head.episode} ${head.step.step} by ${head.step.policyVersion}`)
  }
  reader.close()
  return steps
}

describe.skipIf(!natsServer)(natsServer ? 'a fleet' : WITHOUT, () => {
  it('goes on where its learner was killed: each step is learned from once, and says which policy planned it', async () => {
    const sets = SETTINGS.flatMap((one) => ['--set', one])
    const up = ['fleet', 'up', join(runs, 'arms'), '--preset', 'tiny', '--port', '0', '--json', '--console', ...sets]
    const child = spawn(process.execPath, [duet, ...up], { stdio: ['ignore', 'pipe', 'pipe'] })
    fleet = child
    let errors = ''
    let tended: ReturnType<typeof tend> | undefined
    child.stderr.on('data', (chunk) => {
      errors += chunk
      const page = /^A: Console: (http\S+)/m.exec(errors)?.[1]
      if (page !== undefined) tended ??= tend(page)
      tended?.catch(() => {}) // heard of below
    })
    const learners: number[] = []
    let killed = false
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { from, started, said } = JSON.parse(line)
      if (from === 'learner' && started !== undefined) learners.push(started)
      if (said?.kind !== 'kept' || said.steps < 15 || killed) return
      killed = true
      process.kill(learners[0]!, 'SIGKILL')
    })
    expect(await new Promise((resolve) => child.once('close', resolve)), errors).toBe(0)
    expect(await tended).toMatchObject({
      robot: 'A',
      steps: 0,
      page: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/$/),
    })
    expect(learners).toHaveLength(2)

    const acts = [...readEpisodes(join(runs, 'arms-A', 'log'))].flatMap(({ steps }) => steps)
    const pushed = acts.filter(({ actor, action }) => actor === 'operator' && action[1]! < -0.9)
    expect(pushed.length).toBeGreaterThan(0)
    const logged = [...readEpisodes(join(runs, 'arms-A', 'log'))].flatMap(({ start, steps }) =>
      steps.map(({ step, policyVersion }) => `${start.episode} ${step} by ${policyVersion}`),
    )
    expect(logged.length).toBeGreaterThanOrEqual(240)
    expect(journalled(join(runs, 'arms', 'fleet', 'A.experience'))).toEqual(logged)
    const versions = logged.map((step) => Number(step.split(' by ')[1]))
    expect(versions[0]).toBe(WARM_UP)
    expect(Math.max(...versions)).toBeGreaterThan(WARM_UP)
    const metrics = readMetrics(join(runs, 'arms', 'metrics.jsonl'))
    const episodes = ofKind(metrics, 'episode').map(({ episode }) => episode)
    expect(episodes.length).toBeGreaterThan(0)
    expect(new Set(episodes).size).toBe(episodes.length)
    expect(ofKind(metrics, 'episode').reduce((sum, { length }) => sum + length, 0)).toBe(logged.length)

    const again = ['fleet', 'up', join(runs, 'arms'), '--robots', '0', '--set', 'keepCheckpoints=7']
    const { status, stderr } = spawnSync(process.execPath, [duet, ...again], { encoding: 'utf8' })
    expect(status, stderr).toBe(0) // its robots are through
    expect(RunFolder.open(join(runs, 'arms')).config.keepCheckpoints).toBe(7)
  }, 600_000)
})
