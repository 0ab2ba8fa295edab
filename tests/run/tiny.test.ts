/** @file One tiny run through all its parts, by the command line, killed in the middle and resumed; then evaluated and steered. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Metric, readMetrics } from '../../src/metrics/metrics.ts'
import { ofKind } from '../../src/metrics/of-kind.ts'
import { readEpisodes } from '../../src/replay/log-reader.ts'

const duet = fileURLToPath(new URL('../../bin/duet.mjs', import.meta.url))
const runs = mkdtempSync(join(tmpdir(), 'duet-tiny-'))
const run = join(runs, 'tiny')

function start(...args: string[]) {
  const child = spawn(process.execPath, [duet, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { out: '', errors: '' }
  child.stdout.on('data', (chunk) => (said.out += chunk))
  child.stderr.on('data', (chunk) => (said.errors += chunk))
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  return { child, said, ended }
}

async function succeed(...args: string[]) {
  const { said, ended } = start(...args)
  expect(await ended, said.errors).toBe(0)
  return said
}

const loggedSteps = () =>
  existsSync(join(run, 'log')) ? [...readEpisodes(join(run, 'log'))].reduce((n, { steps }) => n + steps.length, 0) : 0

const SETTINGS = ['demonstrations.perTask=1', 'online.robotMinutes=0.2', 'evaluation.trials=1']
const NEW = [
  'train',
  '--preset',
  'tiny',
  '--runs',
  runs,
  '--name',
  'tiny',
  ...SETTINGS.flatMap((one) => ['--set', one]),
]

/** Kills the run with no warning once some online steps are on disk. Returns how many these are. */
async function killOnline(): Promise<number> {
  const { child, said, ended } = start(...NEW)
  while (loggedSteps() < 30) {
    if (child.exitCode !== null) throw new Error(`the run ended before it could be killed: ${said.errors}`)
    await sleep(100)
  }
  child.kill('SIGKILL')
  await ended
  return loggedSteps()
}

let stepsAtKill = 0
let metrics: Metric[] = []

beforeAll(async () => {
  stepsAtKill = await killOnline()
  await succeed('train', '--resume', run)
  metrics = readMetrics(join(run, 'metrics.jsonl'))
}, 300_000)

describe('a tiny run, killed with SIGKILL and resumed', () => {
  it('ends with a summary of every task', () => {
    const summary = JSON.parse(readFileSync(join(run, 'summary.json'), 'utf8'))
    expect(Object.keys(summary.tasks)).toEqual(['pick', 'assemble'])
    for (const task of Object.values(summary.tasks) as Record<string, number>[])
      expect(task).toMatchObject({
        step0: expect.any(Number),
        success: expect.any(Number),
        trials: 1,
        meanSteps: expect.any(Number),
      })
    expect(summary).toMatchObject({ seed: 0, robotMinutes: expect.any(Number), wallMinutes: expect.any(Number) })
    expect(summary.robotMinutes).toBeGreaterThanOrEqual(0.2)
    expect(summary.interventionShare).toBeGreaterThan(0)
  })

  it('keeps in its log every step from before the kill, each episode whole, ids counting on', () => {
    const episodes = [...readEpisodes(join(run, 'log'))]
    const ids = episodes.flatMap(({ steps }) => steps.map(({ id }) => id))
    expect(ids).toEqual(ids.map((_, i) => i))
    expect(ids.length).toBeGreaterThan(stepsAtKill)
    expect(episodes.filter(({ end }) => end.ending === 'interrupted').length).toBeLessThanOrEqual(1)
    for (const { episode, length } of ofKind(metrics, 'episode'))
      expect(episodes.find(({ start }) => start.episode === episode)?.steps).toHaveLength(length)
  })

  it('has learned something: the cloning loss fell in the warm-up', () => {
    const bc = ofKind(metrics, 'update')
      .filter(({ phase }) => phase === 'warm-up')
      .map(({ figures }) => figures['actor.bc'])
    expect(bc.at(-1)).toBeLessThan(0.7 * bc[0]!)
  })

  it('goes on counting updates and time after the resume', () => {
    const online = ofKind(metrics, 'update').filter(({ phase }) => phase === 'online')
    expect(online.at(-1)!.update).toBeGreaterThan(60)
    const times = metrics.map(({ time }) => time)
    expect(Math.max(...times)).toBe(times.at(-1))
  })

  it('turned corrections into commands', () => {
    const counts = ofKind(metrics, 'labels').at(-1)!.counts
    expect(Object.keys(counts).some((command) => command.startsWith('move '))).toBe(true)
  })

  it('draws its report into one file that needs no other', () => {
    const html = readFileSync(join(run, 'report.html'), 'utf8')
    expect(html).toContain('<svg')
    expect(html).not.toMatch(/(src|href)="http/)
  })

  it('evaluates from its folder, the same as at its end', async () => {
    const { out } = await succeed('eval', '--checkpoint', run, '--json')
    const evaluation = ofKind(metrics, 'evaluation').at(-1)!
    expect(JSON.parse(out).tasks).toEqual(evaluation.tasks)
  }, 120_000)

  it('evaluates to the same by two threads', async () => {
    const told = async (threads: string) =>
      JSON.parse((await succeed('eval', '--checkpoint', run, '--trials', '2', '--json', '--threads', threads)).out)
    const [alone, together] = [await told('1'), await told('2')]
    expect([alone.threads, together.threads]).toEqual([1, 2])
    expect(together.tasks).toEqual(alone.tasks)
  }, 120_000)

  it('says after how many steps an evaluation tried something: none as in the run, or as many as it was told', async () => {
    const told = async (...args: string[]) =>
      JSON.parse((await succeed('eval', '--checkpoint', run, '--trials', '1', '--json', ...args)).out).exploration
    expect([await told(), await told('--explore', '7')]).toEqual([0, 7])
  }, 120_000)

  it('is steered by six directions and twelve pairs', async () => {
    const { out } = await succeed('steer', '--checkpoint', run, '--states', '1', '--json')
    const { commands, nullChange } = JSON.parse(out)
    expect(Object.keys(commands)).toHaveLength(18)
    expect(commands['move left and up'].trials).toBe(2)
    expect(nullChange).toBeGreaterThanOrEqual(0)
  }, 120_000)

  it('is refused a second life under the same name', async () => {
    const { said, ended } = start(...NEW)
    expect(await ended).toBe(2)
    expect(said.errors).toContain('already holds a run')
  })
})
