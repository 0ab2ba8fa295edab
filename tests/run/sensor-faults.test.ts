/** @file A sensor that lies once: the run stops with the robot, its log stays whole, and it can be resumed. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readMetrics } from '../../src/metrics/metrics.ts'
import { readEpisodes } from '../../src/replay/log-reader.ts'
import { healthListener } from '../../src/review/health/watch.ts'
import type { Action, Observation, Outcome, Robot } from '../../src/robot/robot.ts'
import { SafeRobot } from '../../src/robot/safety.ts'
import { ChainStarts } from '../../src/robots/workcell/chain-starts.ts'
import { simulationOf } from '../../src/robots/workcell/rig.ts'
import { Workcell } from '../../src/robots/workcell/workcell.ts'
import { recordDemonstrations } from '../../src/run/demonstrations.ts'
import { RunFolder } from '../../src/run/folder.ts'
import type { openSession } from '../../src/run/session.ts'
import { train } from '../../src/run/train.ts'
import { hurry, openBriefly, STEPS } from './brief.ts'
import { oneTask } from './one-task.ts'

const root = mkdtempSync(join(tmpdir(), 'duet-sensors-'))
afterAll(() => rmSync(root, { recursive: true }))

const config = oneTask({
  demonstrations: { path: join(root, 'demonstrations') },
  warmUp: { updates: 2 },
  online: { robotMinutes: 0.2, startAfter: 1000 },
  checkpointEveryRobotMinutes: 0.1,
})

/** Of a method that is soon compiled: these runs are opened again and again. */
const quick = { ...config, method: 'hg-dagger' as const }

/** A workcell whose sensors can lie. */
class Lying implements Robot {
  private steps = 0
  constructor(
    private readonly cell: Workcell,
    private readonly spoil: (seen: Observation, steps: number) => Observation,
  ) {}
  get spec() {
    return this.cell.spec
  }
  reset = (task: string, seed?: number) => this.cell.reset(task, seed)
  observe = () => this.cell.observe()
  stop = () => this.cell.stop()
  async step(action: Action): Promise<Outcome> {
    const outcome = await this.cell.step(action)
    return { ...outcome, observation: this.spoil(outcome.observation, ++this.steps) }
  }
}

/** As the run would open it, but that what the robot senses passes through `spoil`, and an episode ends after so many steps. */
const opened =
  (spoil?: (seen: Observation, steps: number) => Observation, steps = STEPS) =>
  async (settings: Parameters<typeof openSession>[0]) => {
    const session = await openBriefly(settings)
    if (!spoil) return session
    const workcell = await Workcell.create({ arm: 'gantry' })
    const robot = new SafeRobot(new Lying(workcell, spoil), { limits: { force: Number.POSITIVE_INFINITY } })
    hurry(robot, steps)
    const simulation = simulationOf({ robot, workcell })
    const rig = {
      ...session.rigs[0]!,
      robot,
      simulation: { ...simulation, starts: () => new ChainStarts({ robot, workcell }, 0, 0) },
    }
    return { ...session, robot, rigs: [rig as (typeof session.rigs)[number]] }
  }

const reading = (index: number, value: number) => (seen: Observation) => ({
  ...seen,
  proprio: seen.proprio.with(index, value),
})

beforeAll(async () => {
  const workcell = await Workcell.create({ arm: 'gantry' })
  const robot = new SafeRobot(workcell)
  const { demonstrator } = simulationOf({ robot, workcell })
  await recordDemonstrations(join(root, 'demonstrations'), {
    robot,
    demonstrator,
    tasks: ['pick'],
    perTask: 1,
    noise: 0,
    seed: 0,
  })
  workcell.free()
})

it('one bad observation in practice stops the robot, is written down nowhere, and the run is resumed to its end', async () => {
  const folder = RunFolder.create(join(root, 'bad'), quick)
  const EVALUATED = STEPS // at most, before the first online step; a resumed part is in practice at once
  const LIES: [number, (seen: Observation) => Observation, RegExp][] = [
    [EVALUATED + 33, reading(16, Number.NaN), /wrist\.force\.z \[N\] reads NaN/],
    [20, reading(16, 1e9), /wrist\.force\.z \[N\] reads 1000000000/],
    [20, (seen) => ({ ...seen, images: { front: seen.images.front! } }), /camera wrist sent no picture/],
  ]
  for (const [at, spoil, words] of LIES) {
    const lying = opened((seen, steps) => (steps === at ? spoil(seen) : seen))
    await expect(train(folder, quick, {}, lying)).rejects.toThrow(words)
  }
  const episodes = [...readEpisodes(folder.log)]
  const broken = episodes.filter(({ end }) => end.ending === 'interrupted')
  expect(broken.map(({ end }) => end.why)).toEqual(LIES.map(([, , words]) => expect.stringMatching(words)))
  for (const { observations } of episodes)
    for (const { proprio } of observations) expect(proprio.every((value) => Math.abs(value) < 1e6)).toBe(true)
  const summary = await train(folder, quick, {}, opened())
  expect(summary.robotMinutes).toBeGreaterThanOrEqual(0.2)
})

it('a camera that freezes is a health sign before it is a fault', async () => {
  const folder = RunFolder.create(join(root, 'frozen'), config)
  let kept: Observation['images'][string] | undefined
  const frozen = opened((seen, steps) => {
    if (steps < 90) return seen
    kept ??= { ...seen.images.wrist!, data: seen.images.wrist!.data.slice() }
    return { ...seen, images: { ...seen.images, wrist: kept } }
  }, 80) // it is frozen for 25 of an episode's steps before it is a fault
  const signs: string[] = []
  const heard = new Set<string>()
  const listeners = [healthListener(({ appeared }) => signs.push(...appeared.map(({ sign }) => sign)))]
  await expect(
    train(folder, config, { listeners }, async (settings) => {
      const session = await frozen(settings)
      const beat = session.robot.heartbeat.bind(session.robot)
      session.robot.heartbeat = (who = '') => {
        heard.add(who)
        beat(who)
      }
      return session
    }),
  ).rejects.toThrow('camera wrist has shown the same picture')
  expect(heard).toContain('the learner')
  expect(signs).toEqual(['camera wrist of A frozen'])
  expect(readMetrics(folder.metrics).some((metric) => metric.kind === 'camera' && metric.look === 'frozen')).toBe(true)
})

it('a demonstration with a reading that is no number is refused, with its number and the channel', async () => {
  const workcell = await Workcell.create({ arm: 'gantry' })
  const robot = new SafeRobot(
    new Lying(workcell, (seen, steps) => (steps === 5 ? reading(13, Number.NaN)(seen) : seen)),
  )
  const { demonstrator } = simulationOf({ robot, workcell })
  const recording = { robot, demonstrator, tasks: ['pick'], perTask: 1, noise: 0, seed: 0 }
  const folder = join(root, 'refused')
  await expect(recordDemonstrations(folder, recording)).rejects.toThrow(
    /demonstration 0, of pick: is not recorded: .*gripper\.command \[-1 open, 1 close\] reads NaN/,
  )
  expect([...readEpisodes(folder)]).toEqual([])
  workcell.free()
})

it('a log of version 1 with such a reading opens without that episode, and says so', async () => {
  const folder = RunFolder.create(join(root, 'older'), quick)
  cpSync(fileURLToPath(new URL('../fixtures/log/version-1-nan', import.meta.url)), folder.log, { recursive: true })
  const lines: string[] = []
  const stop = new AbortController()
  const events = {
    onNotice: (line: string) => lines.push(line),
    onProgress: ({ stage }: { stage: string }) => stage.startsWith('evaluation') && stop.abort(), // it is open
    stop: stop.signal,
  }
  await train(folder, quick, events, opened()).catch((error) => lines.push(String(error)))
  expect(lines.filter((line) => line.includes('left out'))).toEqual([
    `Log: episode 1 of ${folder.log} is left out, wrist.force.z [N] reads NaN in observation 2.`,
  ])
})
