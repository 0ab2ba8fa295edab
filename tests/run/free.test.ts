/** @file A whole run in free mode with two shifted copies: parameters are published, received and acted with, and counted as made. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, type MockInstance, vi } from 'vitest'
import { readSafetensors } from '../../src/formats/safetensors.ts'
import { actorLayouts, actorSizes } from '../../src/learn/actors.ts'
import { readPolicy } from '../../src/learn/checkpoint.ts'
import { Policy } from '../../src/learn/policy.ts'
import { type Metric, readMetrics } from '../../src/metrics/metrics.ts'
import { ofKind } from '../../src/metrics/of-kind.ts'
import { formatSummary, type Summary } from '../../src/metrics/summary.ts'
import { readEpisodes } from '../../src/replay/log-reader.ts'
import { reportListener } from '../../src/review/report/index.ts'
import type { SafeRobot } from '../../src/robot/safety.ts'
import { RunFolder } from '../../src/run/folder.ts'
import { presets } from '../../src/run/presets.ts'
import { parseConfig } from '../../src/run/resolve.ts'
import type { openSession } from '../../src/run/session.ts'
import { train } from '../../src/run/train.ts'
import { oneTask } from './one-task.ts'
import { openPlainly } from './plain-encoder.ts'

const runs = mkdtempSync(join(tmpdir(), 'duet-free-'))
afterAll(() => rmSync(runs, { recursive: true }))

const WARM_UP = 4
const config = oneTask({
  replay: { shiftedCopies: 2 },
  warmUp: { updates: WARM_UP },
  online: { robotMinutes: 0.2, lockstep: false, publishEvery: 2, startAfter: 10, pace: 20 },
  checkpointEveryRobotMinutes: 0.05,
})

describe('a run in free mode', () => {
  const folder = RunFolder.create(join(runs, 'free'), config)
  const heads: { values: Float32Array; stage: string }[] = [] // what the policy was given
  const planned: string[] = [] // stages in which it planned
  let sizes: ReturnType<typeof actorSizes>
  let summary: Summary
  let supervisors: MockInstance<SafeRobot['supervisedBy']>
  let heartbeats: MockInstance<SafeRobot['heartbeat']>
  let metrics: Metric[]
  const newest = () => folder.latestCheckpoint()!

  beforeAll(async () => {
    let stage = ''
    const set = Policy.prototype.setParameters
    const spy = vi.spyOn(Policy.prototype, 'setParameters').mockImplementation(function (this: Policy, values) {
      heads.push({ values: values.head!.slice(), stage })
      set.call(this, values)
    })
    const primary = Policy.prototype.primary
    const plans = vi.spyOn(Policy.prototype, 'primary').mockImplementation(function (this: Policy, ...seen) {
      planned.push(stage)
      return primary.apply(this, seen)
    })
    const open: typeof openSession = async (settings) => {
      const session = await openPlainly(settings)
      supervisors = vi.spyOn(session.robot, 'supervisedBy')
      heartbeats = vi.spyOn(session.robot, 'heartbeat')
      const width = session.robot.spec.channels.length
      sizes = actorSizes(config.networks, session.encoder.description, width, session.commands.width)
      return session
    }
    const onProgress = ({ stage: now }: { stage: string }) => (stage = now === 'evaluation, step 0' ? 'online' : now) // its one trial is over
    summary = await train(folder, config, { onProgress, listeners: [reportListener] }, open)
    metrics = readMetrics(folder.metrics)
    spy.mockRestore()
    plans.mockRestore()
  }, 120_000)

  it('acts online with parameters that are newer than those of the warm-up, more than once', () => {
    const warm = heads.find(({ stage }) => stage === 'warm-up')!.values
    const online = heads.filter(({ stage }) => stage.startsWith('online')).map(({ values }) => values.join())
    expect(online).not.toContain(warm.join())
    expect(new Set(online).size).toBeGreaterThan(1)
    expect(planned.filter((stage) => stage.startsWith('online')).length).toBeGreaterThan(10)
  })

  it('is evaluated with the parameters of its last checkpoint', async () => {
    const { head } = await readPolicy(newest(), actorLayouts(sizes))
    expect([...heads.at(-1)!.values]).toEqual([...head!])
  })

  it('is watched over by the learner, whose life the robot hears of while the run lasts', () => {
    expect(supervisors.mock.calls).toEqual([[['the learner']]])
    const heard = heartbeats.mock.calls.filter(([who]) => who === 'the learner')
    expect(heard.length).toBeGreaterThan(2) // beside the one of being named
  })

  it('names each checkpoint by the updates that it holds', async () => {
    const names = readdirSync(folder.checkpoints)
    expect(names.length).toBeGreaterThan(1)
    for (const name of names) {
      const { metadata } = await readSafetensors(join(folder.checkpoints, name, 'learner.safetensors'))
      expect(name).toMatch(new RegExp(`-update-0*${JSON.parse(metadata.state!).updates}$`))
    }
  })

  it('counts the updates that were made, and states them a step', () => {
    const counted = ofKind(metrics, 'learning')
    expect(counted.length).toBeGreaterThan(1)
    const { updates, steps } = counted.at(-1)!
    expect(basename(newest())).toMatch(new RegExp(`-update-0*${WARM_UP + updates}$`))
    expect(updates).toBeGreaterThan(0)
    expect(steps).toBe([...readEpisodes(folder.log)].reduce((sum, episode) => sum + episode.steps.length, 0))
    expect(summary.learning).toEqual({ updates, updatesPerStep: updates / steps })
    expect(formatSummary(summary)).toContain(`${updates} online updates, ${(updates / steps).toFixed(2)} for each step`)
    expect(readFileSync(folder.report, 'utf8')).toContain(`updates a step, ${updates} online in all`)
  })
})

it.each(Object.entries(presets))(
  'preset %s ties a simulated robot to a stated number of updates a step',
  (name, preset) => {
    const { online } = parseConfig(name, preset)
    expect(online.lockstep).toBe(true)
    expect(online.updatesPerStep).toBeGreaterThan(0)
  },
)
