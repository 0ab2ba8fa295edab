/** @file Runs that end before their time, in processes of their own: by their learner's death, by signals, by disks and pipes. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { readMetrics } from '../../src/metrics/metrics.ts'
import { type Outcome, Place } from './death/harness.ts'
import { stopAt } from './death/stages.ts'

vi.setConfig({ testTimeout: 300_000 }) // for a machine with much else to do

const place = new Place()
beforeAll(() => place.record(), 60_000)
afterAll(() => rmSync(place.folder, { recursive: true }))

/** Bounds are wide: other tests share the machine. `death/table.ts` prints what they are. */
function expectOrderly({ stopAfter, movedAfterStop, endAfter }: Outcome): void {
  expect(stopAfter).not.toBeNull()
  expect(stopAfter).toBeLessThan(1500)
  expect(movedAfterStop).toBe(0)
  expect(endAfter).toBeLessThan(5000)
}

let unheard: Promise<{ run: string; code: number }> | undefined
/** A run that is stopped in its warm-up and resumed to its end, when nobody reads what it says any more; one for all tests. */
const resumedUnheard = () =>
  (unheard ??= (async () => {
    const first = place.start({ settings: ['warmUp.updates=600', 'online.robotMinutes=0.05'] })
    await first.says(/warm-up: 250 of 600/)
    first.signal('SIGINT')
    expect(await first.ended).toBe(0)
    const held = Number(/update-0*(\d+)/.exec(readdirSync(join(first.run, 'checkpoints')).at(-1)!)![1])
    expect(held).toBeLessThan(600)
    const second = place.start({
      arguments: ['train', '--resume', first.run, '--no-console'],
      shell: (command) => `${command} 2>&1 | head -1; exit \${PIPESTATUS[0]}`,
    })
    return { run: first.run, code: await second.ended }
  })())

describe.concurrent('a learner that dies', () => {
  it.each([
    ['while the run is opened', 'input', 'opening', 'lock-step', 2, 'setting "learner.x": cannot be. Choose another'],
    [
      'between two blocks',
      'exit',
      'idle',
      'lock-step',
      1,
      'the learner: its thread ended (exit code 3). Resume the run',
    ],
    ['while it learns freely', 'memory', 'block', 'free', 1, 'the learner: its thread ran out of memory'],
    ['while it saves', 'error', 'save', 'lock-step', 1, /^TypeError: the learner tripped \(at .*mortal\.mjs:\d+\)/],
  ] as const)('%s stops the robot and ends the run', async (_, how, when, mode, code, words) => {
    const running = place.start({ how, when, mode })
    const outcome = await running.outcome()
    if (how === 'memory')
      expect(outcome.movedAfterStop).toBe(0) // it takes a while to fill, and dies at no known moment
    else expectOrderly(outcome)
    expect(outcome.code).toBe(code)
    expect(outcome.lines).toHaveLength(1)
    expect(outcome.lines[0]).toMatch(words)
    expect(
      existsSync(join(running.run, 'checkpoints')) &&
        readdirSync(join(running.run, 'checkpoints')).filter((name) => name.startsWith('.')),
    ).toEqual([])
    if (when === 'idle') expect(outcome.loggedSteps).toBeGreaterThanOrEqual(5)
  })

  it('while a person holds the robot ends the run, and the page is told', async () => {
    const running = place.start({ how: 'error', when: 'cue', console: true })
    const page = await running.page()
    await running.says('evaluation, step 0: 1 of 1')
    await page.takeControl()
    page.send({ kind: 'pause' })
    await page.until('robot', ({ status }) => status === 'paused', 60_000)
    running.cue()
    const { error } = await page.until('ended', () => true, 60_000)
    expect(error).toBe('the learner tripped')
    const outcome = await running.outcome()
    expectOrderly(outcome)
    expect(outcome.code).toBe(1)
    page.close()
  })

  it('of numbers that are none says what they are', async () => {
    const running = place.start({ settings: ['method=dual', 'learner.learningRate=1e30'] })
    expect(await running.ended).toBe(2)
    expect(running.lastWords).toEqual([
      expect.stringMatching(/NaN.*(lower its learning rate|lower learner\.learningRate)$/),
    ])
  })
})

describe.concurrent('a run that is told to end', () => {
  it.each(['recording demonstrations', 'evaluation', 'many updates a step'])(
    'hears the first Ctrl-C in its stage: %s',
    async (stage) => {
      const { running, ...outcome } = await stopAt(place, stage, 'SIGINT')
      expectOrderly(outcome)
      expect(outcome.code).toBe(0)
      expect(running.out).toContain('Continue: duet train --resume')
    },
  )

  it('goes on when it is resumed, after a stop in the warm-up as after one online', async () => {
    const { run } = await resumedUnheard()
    const updates = readMetrics(join(run, 'metrics.jsonl')).flatMap((metric) =>
      metric.kind === 'update' && metric.phase === 'warm-up' ? [metric.update] : [],
    )
    expect(updates).toEqual(Array.from({ length: 60 }, (_, i) => 10 * (i + 1))) // none twice, none left out
  })

  const lastWords = (signal: string) => [`Ended by ${signal}: the robot is stopped, the log is whole.`]

  it('ends by SIGTERM as soon as the robot is stopped and the log whole', async () => {
    const { running, ...outcome } = await stopAt(place, 'online', 'SIGTERM')
    expectOrderly(outcome)
    expect(outcome).toMatchObject({ code: 143, lines: lastWords('SIGTERM') })
    expect(outcome.loggedSteps).toBeGreaterThan(0)
    expect(outcome.endAfter).toBeLessThan(1500) // what hangs is given that long
  })

  it('ends by SIGHUP while its learner compiles, and that does not abort it', async () => {
    const { running, ...outcome } = await stopAt(place, 'opening the learner', 'SIGHUP')
    expectOrderly(outcome)
    expect(outcome).toMatchObject({ code: 129, lines: lastWords('SIGHUP') })
  })

  it('stops the robot by the first Ctrl-C and ends at once by a second one, whatever its learner is in', async () => {
    const running = place.start({ how: 'native', when: 'opening' })
    await running.says(/encoding demonstrations: 1 of 1/)
    const first = running.signal('SIGINT')
    await running.says('Stopping; once more')
    await vi.waitFor(() => expect(running.notes.find(({ what, at }) => what === 'stop' && at >= first)).toBeDefined(), {
      timeout: 900, // ms
    })
    const second = running.signal('SIGINT')
    const outcome = await running.outcome(second)
    expect(outcome.code).toBe(130)
    expect(outcome.endAfter).toBeLessThan(3000)
  })
})

describe.concurrent('a run that the machine fails', () => {
  it('goes on to its end when nobody reads what it says any more', async () => {
    const { run, code } = await resumedUnheard()
    expect(code).toBe(0)
    expect(existsSync(join(run, 'summary.json'))).toBe(true)
  })

  it('says in one line that a file cannot grow, and leaves no half of a checkpoint and a log that can be read', async () => {
    const running = place.start({
      settings: ['method=dual', 'online.robotMinutes=60'],
      shell: (command) => `ulimit -f 600; ${command}`,
    })
    expect(await running.ended).toBe(2)
    expect(running.lastWords).toHaveLength(1)
    expect(running.lastWords[0]).toMatch(/^\S+: .* be written.*EFBIG/)
    const leftovers = readdirSync(running.run, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /draft|tmp$/.test(name),
    )
    expect(leftovers).toEqual([])
  })

  it('leaves no folder behind when its port is taken', async () => {
    const server = createServer()
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
    )
    const args = [
      'train',
      '--preset',
      'tiny',
      '--runs',
      place.folder,
      '--name',
      'taken',
      '--console',
      '--port',
      `${port}`,
    ]
    const running = place.start({ arguments: args })
    expect(await running.ended).toBe(2)
    expect(running.lastWords).toEqual([expect.stringContaining(`port ${port} is taken`)])
    expect(existsSync(join(place.folder, 'taken'))).toBe(false)
    server.close()
  })
})

it('a log that is damaged ends a resumed run at once, and does not keep it alive', async () => {
  const { run } = await resumedUnheard()
  const log = join(run, 'log', 'segment-000001.duetlog')
  const bytes = readFileSync(log)
  bytes[Math.floor(bytes.length / 2)]! ^= 1
  writeFileSync(log, bytes)
  const second = place.start({ arguments: ['train', '--resume', run, '--no-console'] })
  expect(await second.ended).toBe(2)
  expect(second.lastWords).toHaveLength(1)
})
