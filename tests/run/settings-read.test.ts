/**
 * @file No dead settings: the settings that a run is given note that somebody read them, in the process of the robots and,
 * where the learner's thread would read them, in a learner of this one.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it, vi } from 'vitest'
import { Learner } from '../../src/learn/learner.ts'
import { healthListener } from '../../src/review/health/watch.ts'
import { WorkcellConfig } from '../../src/robots/workcell/config.ts'
import { RunFolder } from '../../src/run/folder.ts'
import { presets } from '../../src/run/presets.ts'
import { mergeSettings, parseConfig } from '../../src/run/resolve.ts'
import { settingNames } from '../../src/run/settings.ts'
import { train } from '../../src/run/train.ts'
import { takeModelsAsWritten } from '../learn/as-written.ts'
import { aReplay, options } from '../learn/problem.ts'
import { openBriefly } from './brief.ts'

takeModelsAsWritten()

const read = new Set<string>()
const noting = vi.hoisted(() => ({ on: true }))

/** The thread's copy of a setup reads all of it, which says nothing. */
vi.mock('../../src/run/learner.ts', async (original) => {
  const real = await original<typeof import('../../src/run/learner.ts')>()
  const startLearner: typeof real.startLearner = (setup, events) => {
    noting.on = false
    const copy = structuredClone(setup)
    noting.on = true
    return real.startLearner(copy, events)
  }
  return { ...real, startLearner }
})

/** The same settings; each notes its dotted name when it is read. */
function watched<T extends object>(settings: T, prefix = ''): T {
  const copy = {} as T
  for (const [key, value] of Object.entries(settings)) {
    const name = prefix ? `${prefix}.${key}` : key
    const inner = value && typeof value === 'object' && !Array.isArray(value) ? watched(value, name) : value
    const get = () => {
      if (noting.on) read.add(name)
      return inner
    }
    Object.defineProperty(copy, key, { enumerable: true, get })
  }
  return copy
}

const runs = mkdtempSync(join(tmpdir(), 'duet-settings-'))
afterAll(() => rmSync(runs, { recursive: true }))

const whole = (settings: object) =>
  parseConfig(
    'test',
    mergeSettings(
      presets.tiny,
      {
        robot: { arm: 'gantry' },
        tasks: ['pick'],
        demonstrations: { perTask: 1 },
        warmUp: { updates: 2 },
        online: { robotMinutes: 0.05, pace: 1000, exploration: { after: 10 } },
        evaluation: { trials: 1 },
      },
      settings,
    ),
  )

/** Settings of other kinds of robots, rewards and demonstrations: their own tests read them. */
const ofAnotherKind = (name: string) =>
  name.startsWith('demonstrations.mapping.') ||
  (name.startsWith('robot.') && !Object.hasOwn(WorkcellConfig.shape, name.split('.')[1]!)) ||
  name === 'reward.targets'

it('every setting of a run is read by somebody', { timeout: 240_000 }, async () => {
  for (const [name, lockstep] of [
    ['tied', true],
    ['free', false],
  ] as const) {
    const config = whole({ online: { lockstep } })
    const optional = ['vlaPath', 'vlaLayer', 'vlaCameras', 'vlaStatistics', 'resnetPath', 't5Path']
    const given = { ...Object.fromEntries(optional.map((name) => [name, undefined])), ...config }
    const demonstrations = { path: undefined, ...config.demonstrations }
    const folder = RunFolder.create(join(runs, name), config)
    await train(
      folder,
      watched({ ...given, demonstrations, plan: { server: undefined, ...config.plan } }),
      { listeners: [healthListener()] },
      openBriefly,
    )
  }
  for (const method of ['dual', 'dsrl'] as const) {
    const { sizes, learner, ...rest } = options({ method })
    const network = watched(sizes.network, 'networks')
    const every = { interventionShare: undefined, ...learner, renewal: { every: 1, over: 1, cloningSteps: 1 } }
    const one = await Learner.create(
      { ...rest, sizes: { ...sizes, network }, learner: watched(every, 'learner') },
      aReplay(),
    )
    for (const phase of ['warm-up', 'online'] as const) await one.update(phase)
    await one.release()
  }
  const unread = settingNames().filter((name) => !read.has(name) && !ofAnotherKind(name))
  expect(unread).toEqual([])
})
