/** @file A whole run with its console: watched, it is the same run; joined, it waits for people and ends well; then it is replayed. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EpisodeDetail, EpisodeEntry, RunDetail, RunEntry } from '../../src/console/api.ts'
import { RunLibrary } from '../../src/console/server/library.ts'
import { RunObserver } from '../../src/console/server/observer.ts'
import { ConsoleServer } from '../../src/console/server/server.ts'
import { type Metric, readMetrics } from '../../src/metrics/metrics.ts'
import { ofKind } from '../../src/metrics/of-kind.ts'
import { readEpisodes } from '../../src/replay/log-reader.ts'
import { RunFolder } from '../../src/run/folder.ts'
import { presets } from '../../src/run/presets.ts'
import { mergeSettings, parseConfig } from '../../src/run/resolve.ts'
import { train } from '../../src/run/train.ts'
import { openBriefly } from '../run/brief.ts'
import { Page } from './page.ts'

const runs = mkdtempSync(join(tmpdir(), 'duet-console-run-'))
afterAll(() => rmSync(runs, { recursive: true }))

const config = parseConfig(
  'test',
  mergeSettings(presets.tiny, {
    robot: { arm: 'gantry' },
    demonstrations: { perTask: 1 },
    warmUp: { updates: 10 },
    online: { robotMinutes: 0.2 },
    evaluation: { trials: 1 },
  }),
)

/** All that is the same in two runs of one seed. */
const curve = (metrics: readonly Metric[]) => [
  ofKind(metrics, 'episode').map(({ time: _, ...rest }) => rest),
  ofKind(metrics, 'update').map(({ time: _, robotSteps: __, ...rest }) => rest),
  ofKind(metrics, 'evaluation').map(({ tasks }) => tasks),
]

const actions = (folder: RunFolder) =>
  [...readEpisodes(folder.log)].map(({ steps }) => steps.map(({ action }) => [...action]))

async function open(folder: RunFolder) {
  const observer = new RunObserver()
  const library = new RunLibrary(runs, { path: folder.path, running: true })
  return { observer, server: await ConsoleServer.open({ observer, library, page: runs, port: 0 }) }
}

describe('a run with its console', () => {
  const alone = RunFolder.create(join(runs, 'alone'), config)
  const watched = RunFolder.create(join(runs, 'watched'), config)
  let page: Page

  beforeAll(async () => {
    await train(alone, config, {}, openBriefly)
    const { observer, server } = await open(watched)
    page = await Page.open(server.address)
    await train(watched, config, { observer }, openBriefly)
    page.close()
    await server.close()
  }, 300_000)

  it('that people only watch is the run that nobody watches', () => {
    expect(curve(readMetrics(watched.metrics))).toEqual(curve(readMetrics(alone.metrics)))
    expect(actions(watched)).toEqual(actions(alone))
  })

  it('shows it: frames, states, metrics as they are written, labels, the end', () => {
    expect(page.frames.length).toBeGreaterThan(20)
    for (const { camera, jpeg } of page.frames) {
      expect(page.last('hello')!.cameras[camera]).toBeDefined()
      expect([...jpeg.subarray(0, 2)]).toEqual([0xff, 0xd8]) // JPEG, start of image
    }
    expect(new Set(page.all('state').map(({ stage }) => stage))).toEqual(new Set(['practice', 'evaluation']))
    const metrics = [...page.last('metrics')!.metrics, ...page.all('metric').map(({ metric }) => metric)]
    expect(JSON.parse(JSON.stringify(metrics))).toEqual(JSON.parse(JSON.stringify(readMetrics(watched.metrics))))
    const labels = page.all('label').map(({ command }) => command)
    expect(labels.length).toBeGreaterThan(0)
    expect(page.last('ended')!.summary!.tasks.pick!.trials).toBe(1)
    expect(page.last('coach')!.line.length).toBeGreaterThan(10)
  })

  it('says in each step, of demonstrations and of practice, what the gripper is asked for from then on', () => {
    for (const folder of [watched.demonstrations, watched.log]) {
      const episodes = [...readEpisodes(folder)]
      const asked = episodes.flatMap(({ steps }) => steps.map(({ action }) => action[6]))
      expect(new Set(asked)).toEqual(new Set([-1, 1]))
      const told = episodes.flatMap(({ observations }) => observations.slice(1).map(({ proprio }) => proprio[13]))
      expect(asked).toEqual(told) // "gripper.command"
    }
  })

  it('tells in its last practice state of an episode what the log holds of that step', () => {
    const logged = new Map([...readEpisodes(watched.log)].map((episode) => [episode.start.episode, episode]))
    const states = page.all('state').filter(({ stage, executed }) => stage === 'practice' && executed)
    expect(states.length).toBeGreaterThan(5)
    for (const { episode, episodeStep, executed, actor, task, gripper } of states) {
      const { start, steps, observations } = logged.get(episode!)!
      expect(task).toBe(start.task)
      expect(executed).toEqual([...steps[episodeStep - 1]!.action])
      expect(actor).toBe(steps[episodeStep - 1]!.actor)
      expect(gripper).toBe(observations[episodeStep]!.proprio[12]) // "gripper.opening"
    }
  })
})

describe('duet console', () => {
  let address = ''
  let child: ReturnType<typeof spawn>
  const get = async <T>(path: string): Promise<T> => (await (await fetch(`${address}${path}`)).json()) as T

  beforeAll(async () => {
    const duet = fileURLToPath(new URL('../../bin/duet.mjs', import.meta.url))
    child = spawn(process.execPath, [duet, 'console', '--runs', runs, '--port', '0'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    address = await new Promise<string>((resolve, reject) => {
      let said = ''
      child.stdout!.on('data', (chunk) => {
        said += chunk
        const found = /Console: (http:\S+)\//.exec(said)
        if (found) resolve(found[1]!)
      })
      child.stderr!.on('data', (chunk) => (said += chunk))
      child.on('exit', () => reject(new Error(said)))
    })
  }, 60_000)

  afterAll(async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGINT')
    expect(await ended).toBe(0)
  }, 30_000)

  it('says to a page that nothing goes on', async () => {
    const page = await Page.open(`${address}/`)
    expect(await page.until('hello')).toMatchObject({ mode: 'replay' })
    page.send({ kind: 'control', action: 'request' })
    await page.until('refused')
    page.close()
  })

  it('lists the runs, with summary, settings and metrics', async () => {
    const list = await get<RunEntry[]>('/api/runs')
    expect(list.map(({ run }) => run).sort()).toEqual(['alone', 'watched'])
    expect(list.every(({ finished, live, summary }) => finished && !live && summary)).toBe(true)
    const run = await get<RunDetail>('/api/runs/watched')
    expect(run.settings).toEqual(JSON.parse(JSON.stringify(config)))
    expect(run.parts).toEqual(['online', 'demonstrations'])
    expect(ofKind(run.metrics, 'evaluation')).toHaveLength(2)
  })

  it('replays every step of every episode as the log has it', async () => {
    const logged = [...readEpisodes(join(runs, 'watched', 'log'))]
    const entries = await get<EpisodeEntry[]>('/api/runs/watched/online/episodes')
    expect(entries.map(({ episode, task, length }) => [episode, task, length])).toEqual(
      logged.map(({ start, steps }) => [start.episode, start.task, steps.length]),
    )
    for (const { start, steps, observations, end } of logged) {
      const detail = await get<EpisodeDetail>(`/api/runs/watched/online/episodes/${start.episode}`)
      expect(detail.ending).toBe(end.ending)
      expect(detail.steps.map(({ action }) => action)).toEqual(steps.map(({ action }) => [...action]))
      expect(detail.steps.map(({ actor, command, reward }) => [actor, command, reward])).toEqual(
        steps.map(({ actor, command, reward }) => [actor, command, reward]),
      )
      expect(detail.observations).toEqual(observations.map(({ proprio }) => [...proprio]))
      expect(detail.tcp[0]!.position).toEqual([...observations[0]!.proprio.subarray(0, 3)])
      expect(detail.steps.filter(({ label }) => label !== null).length).toBe(detail.operatorSteps)
    }
  })

  it('gives the picture of any step', async () => {
    const [{ episode, length }] = (await get<EpisodeEntry[]>('/api/runs/watched/online/episodes')) as [EpisodeEntry]
    const path = (step: number | string, camera = 'wrist') =>
      `${address}/api/runs/watched/online/episodes/${episode}/frames/${step}/${camera}`
    const response = await fetch(path(length))
    expect(response.headers.get('content-type')).toBe('image/jpeg')
    expect([...new Uint8Array(await response.arrayBuffer()).subarray(0, 2)]).toEqual([0xff, 0xd8])
    for (const wrong of [path(length + 1), path(-1), path('1e1'), path(0, 'side')])
      expect((await fetch(wrong)).status).toBe(404)
  })

  it('answers reading alone', async () => {
    for (const method of ['POST', 'PUT', 'DELETE'])
      expect((await fetch(`${address}/api/runs/watched`, { method })).status).toBe(405)
  })
})
