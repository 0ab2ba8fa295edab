/**
 * @file Logs of both versions, as the code of their time wrote them on the gantry: what is read from them was read, and
 * looked at, when they were made.
 */
import fs, { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { indexEpisodes, readIndexed } from '../../src/replay/episode-index.ts'
import { EpisodeLog } from '../../src/replay/log.ts'
import { readEpisodes } from '../../src/replay/log-reader.ts'
import { whyUnusable } from '../../src/replay/usable.ts'
import { nameOf, vectorOf } from '../../src/robot/channels.ts'
import { WorkcellConfig } from '../../src/robots/workcell/config.ts'
import { workcell } from '../../src/robots/workcell/index.ts'

const golden = (name: string) => fileURLToPath(new URL(`../fixtures/log/${name}`, import.meta.url))
const spec = workcell.describe(WorkcellConfig.parse({ arm: 'gantry' }), 'A')
const root = mkdtempSync(join(tmpdir(), 'duet-versions-'))
afterAll(() => rmSync(root, { recursive: true }))
const rounded = (values: ArrayLike<number>) => Array.from(values, (value) => Math.round(value * 1e4) / 1e4)

describe('version 1', () => {
  const episodes = [...readEpisodes(golden('version-1'), spec)]

  it('is read whole: starts, ends, steps', () => {
    expect(episodes.map(({ start }) => start)).toEqual([
      { episode: 0, task: 'place', source: 'demonstration', seed: 70 },
      { episode: 1, task: 'pick', source: 'online', seed: 71 },
      { episode: 2, task: 'place', source: 'online', seed: 72 },
    ])
    expect(episodes.map(({ end }) => end)).toEqual([
      { ending: 'failure' },
      { ending: 'success', verdict: { reward: 1, terminated: true } },
      { ending: 'timeout' },
    ])
    const [, pick] = episodes
    expect(pick!.steps.map(({ id, actor, command }) => [id, actor, command])).toEqual([
      [2, 'operator', null],
      [3, 'primary', null],
      [4, 'refinement', 'move left and up'],
    ])
    expect([...pick!.steps[1]!.action]).toEqual([0.5, -0.25, 0, 0, 0, 0.125, 1])
  })

  it('is read with what the cameras and the other sensors told', () => {
    const { observations } = episodes[0]!
    expect(observations.map(({ time }) => time)).toEqual([0, 0.1, 0.2])
    expect(rounded(observations[1]!.proprio)).toEqual([
      0.5138, -0.0237, 0.1777, -0.0227, 0.0206, 0.0135, 0.0707, -0.0354, 0, 0.0054, 0.0115, 0.1854, 1, -1, 0, 0, 0,
    ])
    expect(observations.map(({ images }) => images.wrist!.data[9000])).toEqual([126, 126, 62])
    expect([...observations[0]!.images.front!.data.subarray(0, 3)]).toEqual([133, 128, 121])
  })

  it('has its judges inferred: a verdict is a person, a cut the clock, all else the robot', () => {
    expect(episodes.map(({ steps }) => steps.map(({ by }) => by))).toEqual([
      ['robot', 'robot'],
      ['robot', 'robot', 'person'],
      ['robot', 'clock'],
    ])
  })

  it('gives its channels their roles by the names that they had', async () => {
    const [first] = await indexEpisodes(golden('version-1'))
    const { robot } = await readIndexed(first!)
    expect(robot.channels.map(nameOf)).toEqual(spec.channels.map(nameOf))
    expect(robot.channels.map(({ role }) => role)).toEqual(spec.channels.map(({ role }) => role))
    expect(vectorOf(robot.channels, 'force')).toEqual([14, 15, 16])
    expect(robot).toMatchObject({ rate: 10, actionFrame: 'base' })
  })

  it('is gone on with in a new segment, and both are read as one log', () => {
    const folder = join(root, 'continued')
    cpSync(golden('version-1'), folder, { recursive: true })
    const log = EpisodeLog.open(folder, spec)
    expect([log.nextEpisode, log.nextId]).toEqual([3, 7])
    const { observations, steps } = episodes[2]!
    log.begin({ episode: 3, task: 'place', source: 'online', seed: 1 }, observations[0]!)
    log.step({ ...steps[0]!, id: log.nextId, by: 'classifier', confidence: 0.5 }, observations[1]!)
    log.close()
    expect(readdirSync(folder).filter((name) => name.endsWith('.duetlog'))).toHaveLength(2)
    const all = [...readEpisodes(folder, spec)]
    expect(all.map(({ start }) => start.episode)).toEqual([0, 1, 2, 3])
    expect(all[3]!.steps).toMatchObject([{ id: 7, by: 'classifier', confidence: 0.5 }])
  })

  it('may hold a reading that is no number, which is named', () => {
    const why = [...readEpisodes(golden('version-1-nan'), spec)].map((episode) => whyUnusable(episode, spec))
    expect(why).toEqual(['wrist.force.z [N] reads NaN in observation 2', undefined])
  })
})

describe('version 2', () => {
  const episodes = [...readEpisodes(golden('version-2'), spec)]

  it('keeps who judged each step, how sure they were, and why an episode was interrupted', () => {
    expect(episodes.map(({ steps }) => steps.map(({ by, confidence }) => [by, confidence]))).toEqual([
      [
        ['robot', undefined],
        ['classifier', 0.75],
      ],
      [['person', undefined]],
      [['robot', undefined]],
    ])
    expect(episodes.map(({ end }) => end)).toEqual([
      { ending: 'success' },
      { ending: 'failure', verdict: { reward: 0, terminated: true } },
      { ending: 'interrupted', why: 'sensor: wrist.force.z [N] reads NaN' },
    ])
    expect(episodes[0]!.steps[1]).toMatchObject({ reward: 1, terminated: true, command: 'move left and up' })
  })

  it('keeps what the robot tells of itself', async () => {
    const [first] = await indexEpisodes(golden('version-2'))
    const { tasks: _, ...told } = spec
    expect((await readIndexed(first!)).robot).toEqual(told)
  })

  it('takes no reading, no action and no reward that is not finite', () => {
    const log = EpisodeLog.open(join(root, 'finite'), spec)
    const [first, second] = episodes[0]!.observations
    log.begin({ episode: 0, task: 'place', source: 'online', seed: 1 }, first!)
    const spoilt = { ...second!, proprio: second!.proprio.with(16, Number.POSITIVE_INFINITY) }
    expect(() => log.step({ ...episodes[0]!.steps[0]!, id: 0 }, spoilt)).toThrow('wrist.force.z [N]: is Infinity')
    const step = { ...episodes[0]!.steps[0]!, id: 0 }
    expect(() => log.step({ ...step, reward: Number.NaN }, second!)).toThrow('reward NaN')
    expect(() => log.step({ ...step, action: step.action.with(2, Number.POSITIVE_INFINITY) }, second!)).toThrow(
      'Infinity',
    )
    expect(log.step(step, second!)).toBe(true)
    log.close()
  })

  it('is refused to a robot of another rate', () => {
    expect(() => [...readEpisodes(golden('version-2'), { ...spec, rate: 20 })]).toThrow('whose rate is 10')
  })
})

describe('version 4', () => {
  const [first] = [...readEpisodes(golden('version-2'), spec)]
  const planned = Float32Array.of(0.5, -0.25, 0, 0, 0, 0.125, 1)

  it('keeps what the policy planned beside what was executed, where it was asked', () => {
    const folder = join(root, 'plans')
    const log = EpisodeLog.open(folder, spec, { plans: true })
    const { observations, steps } = first!
    log.begin({ episode: 0, task: 'place', source: 'online', seed: 1 }, observations[0]!)
    log.step({ ...steps[0]!, id: 0, planned }, observations[1]!)
    log.step({ ...steps[1]!, id: 1 }, observations[2]!)
    log.end({ ending: 'success' })
    log.close()
    const [episode] = [...readEpisodes(folder, spec)]
    expect(episode!.steps.map((step) => step.planned && [...step.planned])).toEqual([[...planned], undefined])
    expect(episode!.steps.map(({ action }) => action)).toEqual(steps.map(({ action }) => action))
    expect(episode!.steps[0]!.by).toBe(steps[0]!.by) // its flags lie beside that of the plan
    expect(fs.readFileSync(join(folder, 'segment-000001.duetlog'), 'latin1')).toContain('"version":4')
  })

  it('is begun in a new segment where the log is of an older version, and takes no plan that is not finite', () => {
    const folder = join(root, 'older')
    cpSync(golden('version-2'), folder, { recursive: true })
    const log = EpisodeLog.open(folder, spec, { plans: true })
    log.begin({ episode: log.nextEpisode, task: 'place', source: 'online', seed: 1 }, first!.observations[0]!)
    const step = { ...first!.steps[0]!, id: log.nextId, planned: planned.with(3, Number.NaN) }
    expect(() => log.step(step, first!.observations[1]!)).toThrow('plan [0.5,-0.25,0,NaN')
    expect(log.step({ ...step, planned }, first!.observations[1]!)).toBe(true)
    log.close()
    expect(readdirSync(folder).filter((name) => name.endsWith('.duetlog'))).toHaveLength(2)
    expect([...readEpisodes(folder, spec)].at(-1)!.steps[0]!.planned).toEqual(planned)
  })
})

describe('version 5', () => {
  const [first] = [...readEpisodes(golden('version-2'), spec)]

  it.each([
    ['keeps which version of the policy planned a step', { policyVersions: true }, 5, 1200],
    ['is written only where that is asked for', { plans: true }, 4, undefined],
  ])('%s', (_, options, version, kept) => {
    const folder = join(root, `policy-versions-${version}`)
    const log = EpisodeLog.open(folder, spec, options)
    const { observations, steps } = first!
    log.begin({ episode: 0, task: 'place', source: 'online', seed: 1 }, observations[0]!)
    log.step({ ...steps[0]!, id: 0, policyVersion: 1200 }, observations[1]!)
    log.end({ ending: 'success' })
    log.close()
    expect([...readEpisodes(folder, spec)][0]!.steps[0]!.policyVersion).toBe(kept)
    expect(fs.readFileSync(join(folder, 'segment-000001.duetlog'), 'latin1')).toContain(`"version":${version}`)
  })
})
