import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PNG } from 'pngjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { duetHere } from './here.ts'

const program = fileURLToPath(new URL('../../bin/duet.mjs', import.meta.url))
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'duet-demo-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function duet(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { cwd: folder, encoding: 'utf8' })
  return { status, stdout, stderr }
}

describe('duet demo', () => {
  it('records demonstrations that end in success, and lists and draws them', async () => {
    const demos = join(folder, 'demos')
    const recorded = duet('demo', 'record', 'demos', '--task', 'pick', '--count', '2', '--arm', 'gantry', '--json')
    expect(recorded.status).toBe(0)
    const { episodes } = JSON.parse(recorded.stdout)
    expect(episodes).toHaveLength(2)
    expect(new Set(episodes.map(({ seed }: { seed: number }) => seed)).size).toBe(2)
    for (const { task, ending, steps, operatorSteps } of episodes) {
      expect([task, ending]).toEqual(['pick', 'success'])
      expect(operatorSteps).toBe(steps)
    }
    expect((await duetHere('demo', 'show', demos)).stdout).toMatch(
      new RegExp(`^1 +pick +success +${episodes[1].steps} `, 'm'),
    )

    const [one, zero] = [join(folder, 'one.png'), join(folder, 'zero.gif')]
    expect((await duetHere('demo', 'show', demos, '--episode', '1', '--out', one)).status).toBe(0)
    const { width, height } = PNG.sync.read(readFileSync(one))
    const frames = episodes[1].steps + 1
    // two cameras of 128 pixels side by side, doubled, ten a row, with 2 pixels between
    expect(width).toBe(Math.min(10, frames) * 514 - 2)
    expect(height).toBe(Math.ceil(frames / 10) * 258 - 2)

    const drawn = await duetHere('demo', 'show', demos, '--episode', '0', '--out', zero, '--json')
    expect(JSON.parse(drawn.stdout)).toEqual({ folder: demos, out: zero, episodes: [episodes[0]] })
    expect(readFileSync(zero).subarray(0, 6).toString()).toBe('GIF89a')
  })

  it('refuses demonstrations of one scene in another, before anything is learned', () => {
    const given = ['--set', 'demonstrations.path=demos', '--set', 'tasks=[pick]', '--set', 'robot.arm=gantry']
    const { status, stderr } = duet('train', '--preset', 'tiny', '--regime', 'hard', ...given)
    expect(status).toBe(2)
    expect(stderr).toContain(
      'was written by a robot whose name is "workcell-gantry-1", this one\'s is "workcell-gantry-1-friction1',
    )
    expect(stderr).not.toContain('warm-up')
  })

  it.each([
    [['demo', 'show', 'nowhere'], 'nowhere: holds no episode'], // by what it does
    [['console', '--port', '70000'], 'Give a number from 0 to 65535'], // by how it is called
  ])('ends for %j with exit code 2, a remedy and no stack', (args, message) => {
    const { status, stderr, stdout } = duet(...args)
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toContain(message)
    expect(stderr).not.toContain('    at ')
  })

  it.each([
    [['demo', 'show', '<demos>', '--episode', '99'], 'demos: holds no episode 99'],
    [['demo', 'show', '<demos>', '--out', 'one.bmp'], '--out one.bmp: is neither .png nor .gif'],
    [['train', '--seed', ''], 'Give a whole number'],
    [['eval', '--checkpoint', 'runs/quick', '--trials', '0'], 'Give a whole number, 1 or more'],
    [['eval', '--checkpoint', 'runs/quick', '--chain', '0'], 'Give a whole number, 1 or more'],
    [['steer', '--checkpoint', 'runs/quick', '--states', '0'], 'Give a whole number, 1 or more'],
    [['steer', '--checkpoint', 'runs/quick', '--millimetres', '500'], 'Give a number from 5 to 100'],
    [['steer', '--checkpoint', 'runs/quick', '--millimetres', 'far'], 'Give a number from 5 to 100'],
    [['steer', '--checkpoint', 'runs/quick', '--noise', 'nrmal'], 'Allowed choices are none, normal'],
    [['audit', 'labels', 'runs/quick', '--count', '0'], 'Give a whole number, 1 or more'],
    [['experiments', 'regimes', '--trials', '0'], 'Give a whole number, 1 or more'],
    [['serve', 'workcell', '--fps', '0'], 'Give a whole number, 1 or more'],
    [['pretrain', '--frames', '0'], 'Give a whole number, 1 or more'],
    [['pretrain', '--four-bolts', 'half'], 'Give a number from 0 to 1'],
    [['demo', 'record', '<demos>', '--noise', ''], 'Give a number from 0 to 0.5'],
    [['demo', 'record', program], 'file already exists (EEXIST)'],
    [['train', '--regime', 'wide', '--set', 'robot.bolts=4'], 'setting "robot.starts.fixtures": four bolts stand too'],
    [['train', '--regime', 'easy'], 'Allowed choices are standard, weak'],
    [['train', '--resume', 'runs/quick', '--regime', 'hard'], '--regime: is given with --resume'],
    [['experiments', 'label-audit', '--regime', 'none'], 'experiment "label-audit" trains no run'],
  ])('refuses %j with a remedy, without a stack, with exit code 2', async (args, message) => {
    const given = args.map((arg) => arg.replace('<demos>', join(folder, 'demos')))
    const { status, stderr, stdout } = await duetHere(...given)
    expect(status).toBe(2)
    expect(stderr).toContain(message)
    expect(stderr).not.toContain('    at ')
    expect(stdout).toBe('')
  })
})

it('says which version it is, as the package does', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  const { status, stdout } = await duetHere('--version')
  expect(status).toBe(0)
  expect(stdout.split(/[ \n]/)[0]).toBe(version)
})

describe('duet doctor', () => {
  it('reports each part as JSON and fails exactly if one of them does', () => {
    const { status, stdout } = duet('doctor', '--json')
    const { ok, checks } = JSON.parse(stdout) as {
      ok: boolean
      checks: { check: string; ok: boolean; found: string }[]
    }
    const by = Object.fromEntries(checks.map((check) => [check.check, check]))
    expect(by.node!.found).toContain(process.versions.node)
    for (const part of ['node', 'onnxruntime', 'optimiser kernel', 'MuJoCo'])
      expect(by[part]!.ok, by[part]!.found).toBe(true)
    expect(ok).toBe(checks.every((check) => check.ok))
    expect(status).toBe(ok ? 0 : 1)
  })
})
