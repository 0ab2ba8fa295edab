/** @file Two robots of a run that people hold, judge and lay scenes for: each word is of one of them. Without page, loop and clock. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ClientMessage, ServerEvent } from '../../src/console/protocol.ts'
import { RunObserver } from '../../src/console/server/observer.ts'
import { Orders } from '../../src/console/server/orders.ts'
import type { Observation } from '../../src/robot/robot.ts'
import { SafeRobot } from '../../src/robot/safety.ts'
import { RunFolder } from '../../src/run/folder.ts'
import { parseConfig } from '../../src/run/resolve.ts'
import type { Session } from '../../src/run/session.ts'
import { scriptedSpec } from '../loop/scripted.ts'

const runs = mkdtempSync(join(tmpdir(), 'duet-two-held-'))
afterAll(() => rmSync(runs, { recursive: true }))

class Still {
  readonly spec = scriptedSpec({
    channels: (['x', 'y', 'z'] as const).map((axis) => ({
      name: axis,
      unit: 'm/s',
      role: `velocity.${axis}` as const,
    })),
  })
  answers = true
  speed = 0 // m/s
  private looks = 0
  reset = () => this.observe()
  observe = async (): Promise<Observation> => ({
    images: {},
    proprio: Float32Array.of(this.speed, 0, 0),
    time: this.looks++ / 10,
  })
  async step() {
    if (!this.answers) throw new Error('the line is dead')
    return { observation: await this.observe(), reward: 0, terminated: false }
  }
  stop = async () => {}
}

const ANNA = { client: '1', name: 'Anna' }
let times = 0
let observer: RunObserver
let orders: Orders
let told: ServerEvent[]
let notices: string[]
let inside: Still[] // the robots, in their envelopes

beforeEach(() => {
  const config = parseConfig('a test', { robot: { cells: ['A', 'B'] } })
  notices = []
  inside = [new Still(), new Still()]
  observer = new RunObserver({ onNotice: (line) => notices.push(line) })
  told = []
  const tell = (event: ServerEvent) => void told.push(event)
  observer.broadcast.seat({ viewers: 1, framesSkipped: 0, tell, show: () => {}, greet: () => {} })
  const rigs = ['A', 'B'].map((cell, index) => {
    const robot = new SafeRobot(inside[index]!, { limits: { heartbeatAge: Number.POSITIVE_INFINITY } })
    return { cell, robot, reset: 'person', real: true, close: async () => {} }
  })
  const folder = RunFolder.create(join(runs, String(times++)), config)
  observer.opened({ folder, config, session: { robot: rigs[0]!.robot, rigs } as unknown as Session })
  orders = new Orders(observer, () => {})
  ask({ kind: 'control', action: 'request' })
})
afterEach(() => observer.close())

const ask = (message: ClientMessage) => orders.handle(ANNA, message)
const hold = () => observer.live!.hold
const status = () => hold().state.status
const last = <K extends ServerEvent['kind']>(kind: K) =>
  told.findLast((event): event is Extract<ServerEvent, { kind: K }> => event.kind === kind)
const attend = (cell: string, stage: 'practice' | 'evaluation' = 'practice') =>
  observer.attend({ cell, stage, task: 'push', episode: 0 })
async function begun(cell: string) {
  const beside = attend(cell)
  const robot = observer.live!.cell(cell).rig.robot
  beside.begin(await robot.reset('push', 1))
  const step = {
    step: 0,
    action: new Float32Array(7),
    reward: 0,
    terminated: false,
    truncated: false,
    by: 'robot' as const,
  }
  const happening = { ...step, planned: step.action, actor: 'primary', command: null } as const
  beside.step(happening, step.action, await robot.observe(), undefined)
  return beside
}
const summary = { task: 'push', seed: 1, ending: 'timeout', length: 1, operatorSteps: 0, spokenSteps: 0, commands: 0 }

describe('a stop', () => {
  const again = async (wrong: Partial<Still>, right: Partial<Still>, why: RegExp) => {
    Object.assign(inside[1]!, wrong)
    ask({ kind: 'stop' })
    await expect.poll(() => hold().state.why).toMatch(why)
    expect(status()).toBe('stopping')
    Object.assign(inside[1]!, right)
    ask({ kind: 'stop' })
    await expect.poll(status).toBe('stopped') // or no page would offer to clear it
    expect(ask({ kind: 'clear' })).toBeUndefined()
  }

  it('of a robot that could not be read back is read back when it is pressed again', () =>
    again({ answers: false }, { answers: true }, /cannot be read back: the line is dead/))

  it('of a robot that did not come to rest is looked at again when it is pressed again', () =>
    again({ speed: 0.05 }, { speed: 0 }, /still reads 0.050 m\/s/))
})

describe('a verdict', () => {
  it('stays with its robot while another one’s episode goes on and ends', async () => {
    const [a, b] = [await begun('A'), await begun('B')]
    ask({ kind: 'verdict', verdict: 'failure' })
    expect(b.between()).toBeUndefined()
    const held = a.between()
    b.end({ ...summary, segments: [] } as never)
    expect(last('verdict')).toMatchObject({ verdict: 'failure', by: 'Anna' })
    ask({ kind: 'confirm' })
    expect(await held).toBe('failure')
  })

  it('is not the other one’s, to which the person turns meanwhile', async () => {
    const [a, b] = [await begun('A'), await begun('B')]
    ask({ kind: 'verdict', verdict: 'failure' })
    expect(ask({ kind: 'focus', robot: 'B' })).toBeUndefined()
    expect(b.between()).toBeUndefined()
    expect(ask({ kind: 'verdict', verdict: 'success' })).toMatch(/robot A/)
    const held = a.between()
    ask({ kind: 'confirm' })
    expect(await held).toBe('failure')
  })
})

describe('a command', () => {
  beforeEach(() => observer.started({ past: [], followsCommands: true }))
  const say = (text: string) => ask({ kind: 'command', text, source: 'typed' })

  it('is of the robot that it was said to, and over where the person turns to another', () => {
    expect(say('left')).toBeUndefined()
    expect(ask({ kind: 'focus', robot: 'A' })).toBeUndefined()
    expect(last('command')!.command).toMatchObject({ text: 'move left' })
    expect(ask({ kind: 'focus', robot: 'B' })).toBeUndefined()
    expect(last('command')!.command).toBeNull()
  })

  it('has no distance with a robot that does not tell where its tool is', () => {
    expect(say('left 20 mm')).toMatch(/does not tell where its tool is/)
    expect(last('command')).toBeUndefined()
  })
})

describe('a verdict that comes late', () => {
  it('is refused between two episodes: it is about the one that is over', async () => {
    const a = await begun('A')
    a.end({ ...summary, segments: [] } as never)
    expect(ask({ kind: 'verdict', verdict: 'failure' })).toMatch(/no episode/)
    expect((await begun('A')).between()).toBeUndefined()
  })
})

describe('the robot that is shown', () => {
  it('is another one only when no demonstration of it is asked for: the hand would move what nobody sees', async () => {
    ask({ kind: 'record', action: 'start', task: 'push' })
    expect(ask({ kind: 'focus', robot: 'B' })).toMatch(/demonstration/)
    ask({ kind: 'record', action: 'discard' })
    expect(ask({ kind: 'focus', robot: 'B' })).toBeUndefined()
    const wanted = { folder: join(runs, 'wanted'), tasks: ['push'], perTask: 1, onKept: () => {} }
    const shown = observer.demonstrate('A', wanted)
    await expect.poll(() => last('recording')?.wanted).toBe(1)
    expect(ask({ kind: 'focus', robot: 'B' })).toMatch(/demonstration/)
    observer.dismiss()
    await shown
    expect(ask({ kind: 'focus', robot: 'B' })).toBeUndefined()
  })
})

describe('the robot that was shown a task', () => {
  it('stays the one that is shown until the demonstration is kept, as its own, or discarded', async () => {
    ask({ kind: 'record', action: 'start', task: 'push' })
    const over = attend('A').ready()!
    await expect.poll(() => last('scene')?.waits).toBe(true)
    ask({ kind: 'ready' })
    const phase = () => last('recording')!.phase
    await expect.poll(phase).toBe('recording')
    let seq = 0
    const push = () => {
      ask({ kind: 'input', seq: seq++, t: performance.now(), axes: [0.1, 0, 0, 0, 0, 0], gripper: 0, hold: true })
      return last('recording')!.steps
    }
    await expect.poll(push).toBeGreaterThan(0)
    ask({ kind: 'verdict', verdict: 'success' })
    await expect.poll(phase).toBe('review')
    ask({ kind: 'input', seq: seq++, t: performance.now(), axes: [0, 0, 0, 0, 0, 0], gripper: 0, hold: false })
    expect(ask({ kind: 'focus', robot: 'B' })).toMatch(/demonstration/)
    ask({ kind: 'record', action: 'discard' })
    expect(ask({ kind: 'focus', robot: 'B' })).toBeUndefined()
    await over
  })
})

describe('a scene that is waited for', () => {
  it('comes after a pause that was said on the way to it, which goes on to be shown and ends when it is told to', async () => {
    ask({ kind: 'pause' })
    await expect.poll(status).toBe('paused')
    const laid = attend('A').scene(1)!
    await sleep(20)
    expect(status()).toBe('paused')
    ask({ kind: 'resume' })
    await expect.poll(status).toBe('waiting')
    expect(ask({ kind: 'ready' })).toBeUndefined()
    await laid
    expect(status()).toBe('idle')
  })

  it('comes after a stop that was said on the way to it: the page shows the stop, and can clear it', async () => {
    ask({ kind: 'stop' })
    await expect.poll(status).toBe('stopped')
    const laid = attend('A').scene(1)!
    await sleep(20)
    expect(status()).toBe('stopped')
    expect(ask({ kind: 'clear' })).toBeUndefined()
    await expect.poll(status).toBe('paused')
    ask({ kind: 'resume' })
    await expect.poll(status).toBe('waiting')
    ask({ kind: 'ready' })
    await laid
  })

  it('is ready for the robot that it was laid for, whichever is shown, and the next one is asked for again', async () => {
    const [a, b] = [attend('A').scene(1)!, attend('B').scene(2)!]
    expect(last('scene')).toMatchObject({ waits: true, robot: 'B' })
    let gone = false
    void a.then(() => {
      gone = true
    })
    expect(ask({ kind: 'ready', robot: 'B' })).toBeUndefined()
    await b
    expect([gone, last('scene')]).toMatchObject([false, { waits: true, robot: 'A' }])
    ask({ kind: 'ready', robot: 'A' })
    await a
    expect(last('scene')).toMatchObject({ waits: false, robot: 'A' })
  })

  it('of two is not ready by Enter at the terminal, which does not say which', async () => {
    const [a, b] = [attend('A').scene(1)!, attend('B').scene(2)!]
    expect(observer.sceneIsReady('at the terminal')).toBe(false)
    expect(notices.at(-1)).toMatch(/A and B.*console/)
    ask({ kind: 'ready', robot: 'A' })
    await a
    expect(observer.sceneIsReady('at the terminal')).toBe(true)
    await b
  })

  it('is waited for no longer when the demonstration is discarded that it was for', async () => {
    ask({ kind: 'record', action: 'start', task: 'push' })
    const over = attend('A').ready()!
    await expect.poll(() => last('scene')?.waits).toBe(true)
    expect(ask({ kind: 'record', action: 'discard' })).toBeUndefined()
    await over
    expect([last('scene')!.waits, last('recording')!.phase, told.some(isRecording)]).toEqual([false, 'off', false])
  })
})

const isRecording = (event: ServerEvent) => event.kind === 'recording' && event.phase === 'recording'

describe('a pause', () => {
  /** As drivers have it: a way that is told to stop is given up. */
  function slowly(robot: Still): { arrive(): void } {
    let arrive = () => {}
    robot.reset = () =>
      new Promise((resolve, reject) => {
        arrive = () => resolve(robot.observe())
        robot.stop = async () => reject(new Error('was stopped on its way'))
      })
    return { arrive: () => arrive() }
  }

  it.each([
    ['alone', false, false],
    ['beside one that holds at once', true, false],
    ['after it was held', false, true],
  ])('lets a robot arrive that goes to its start, %s, and is then of all', async (_, besideAnother, heldBefore) => {
    const other = besideAnother ? await begun('A') : undefined
    const beside = attend('B')
    if (heldBefore) ask({ kind: 'pause' })
    const readied = beside.ready()
    if (heldBefore) ask({ kind: 'resume' })
    await readied
    const way = slowly(inside[1]!)
    const going = observer.live!.cell('B').rig.robot.reset('push', 1)
    ask({ kind: 'pause' })
    const held = other?.between()
    await sleep(30)
    expect(status()).toBe('pausing')
    way.arrive()
    beside.begin(await going)
    const waits = beside.between()
    await expect.poll(status).toBe('paused')
    ask({ kind: 'resume' })
    expect(await Promise.all([held, waits])).toEqual([undefined, undefined])
  })
})
