import { describe, expect, it, vi } from 'vitest'
import { BASE } from '../../src/console/devices/index.ts'
import type { ControlEvent, Hello, RobotEvent, State } from '../../src/console/protocol.ts'
import { encodeFrame } from '../../src/console/protocol.ts'
import {
  DEFAULT_SETTINGS,
  frameCamera,
  handFrame,
  loadSettings,
  mappingOf,
} from '../../src/console/web/hand/settings.ts'
import { ServerClock } from '../../src/console/web/link/clock.ts'
import { Frames } from '../../src/console/web/link/frames.ts'
import {
  acting,
  current,
  inControl,
  lost,
  noted,
  reduce,
  START,
  sceneInFocus,
} from '../../src/console/web/link/model.ts'

const hello = { kind: 'hello', client: '7', mode: 'live' } as Hello
const state = (step: number, changes: Partial<State> = {}) =>
  ({ kind: 'state', step, stage: 'practice', actor: 'primary', episodeStep: step, ...changes }) as State
const robot = (status: RobotEvent['status']): RobotEvent => ({ kind: 'robot', status, why: '', speed: null })
const holder = { client: '7', name: 'Anna' }
const control = (changes: Partial<ControlEvent>): ControlEvent => ({
  kind: 'control',
  holder: null,
  holding: false,
  waiting: [],
  operator: 'none',
  ...changes,
})

describe('what the page knows', () => {
  it('says "stopped" only when the robot has said so, not while it is stopping', () => {
    const moving = reduce(reduce(START, state(4), 0), robot('stopping'), 0)
    expect(acting(moving)).toBe('primary')
    expect(acting(reduce(moving, robot('stopped'), 0))).toBe('stopped')
  })

  it('says that the operator acts while a hand is on the robot', () => {
    const held = reduce(reduce(START, state(4), 0), control({ holder, holding: true }), 0)
    expect(acting(held)).toBe('operator')
    expect(acting(reduce(held, state(5, { stage: 'evaluation' }), 0))).toBe('primary') // where nobody helps
  })

  it('has control only where the holder is this page', () => {
    const greeted = reduce(START, hello, 0)
    expect(inControl(greeted)).toBe(false)
    expect(inControl(reduce(greeted, control({ holder }), 0))).toBe(true)
    expect(inControl(reduce(greeted, control({ holder: { client: '8', name: '' } }), 0))).toBe(false)
  })

  it('keeps one act a step, marks the ending, and begins anew when steps count from the start again', () => {
    let model = START
    for (const step of [1, 2, 2, 3]) model = reduce(model, state(step), 0)
    model = reduce(model, { kind: 'episode', ending: 'failure' } as never, 0)
    expect(model.acts.map(({ step, ending }) => [step, ending])).toEqual([
      [1, undefined],
      [2, undefined],
      [3, 'failure'],
    ])
    expect(reduce(model, state(1), 0).acts).toHaveLength(1)
  })

  it('marks the ending of the robot that is shown in what it did, not that of another one', () => {
    let model = START
    for (const step of [1, 2]) model = reduce(model, state(step, { robot: 'A' }), 0)
    const ends = (robot: string) => reduce(model, { kind: 'episode', robot, ending: 'failure' } as never, 0)
    expect(ends('B').acts.map(({ ending }) => ending)).toEqual([undefined, undefined])
    expect(ends('A').acts.map(({ ending }) => ending)).toEqual([undefined, 'failure'])
  })

  it('waits for the scene of the robot that is shown, or of any before one has moved', () => {
    const scene = { kind: 'scene', waits: true, robot: 'B', task: 'pick', scene: null, start: null } as const
    const waits = (robot?: string) =>
      sceneInFocus(reduce(robot === undefined ? START : reduce(START, state(1, { robot }), 0), scene, 0))?.robot
    expect([waits(), waits('A'), waits('B')]).toEqual(['B', undefined, 'B'])
    expect(sceneInFocus(reduce(START, state(1, { robot: 'A' }), 0))).toBeNull()
  })

  it('counts a command and a verdict down on its own clock', () => {
    const command = { text: 'move up', said: 'up', source: 'typed', lasts: 1500, left: 1500 } as const
    const said = reduce(START, { kind: 'command', command }, 10_000)
    expect(said.command!.until).toBe(11_500)
    expect(reduce(said, { kind: 'command', command: null }, 0).command).toBeNull()
    const judged = reduce(START, { kind: 'verdict', verdict: 'success', left: 3000, by: 'Anna' }, 500)
    expect(judged.verdict!.until).toBe(3500)
    expect(reduce(judged, { kind: 'verdict', verdict: null, left: 0, by: '' }, 0).verdict).toBeNull()
  })

  it('forgets on a new connection what the server will tell again, and is lost from the first loss on', () => {
    const full = reduce(reduce(reduce(START, hello, 0), robot('stopped'), 0), control({ holder }), 0)
    const away = lost(lost(full, 100), 900)
    expect([away.link, away.lostAt]).toEqual(['lost', 100])
    const again = reduce(away, { ...hello, client: '9' }, 1000)
    expect([again.link, again.lostAt, again.robot, again.control]).toEqual(['open', null, null, null])
  })

  it('appends metrics to the history told at the beginning', () => {
    const metric = (robotSteps: number) => ({ kind: 'labels', time: 0, robotSteps, counts: {} }) as const
    const told = reduce(START, { kind: 'metrics', metrics: [metric(1), metric(2)] }, 0)
    expect(reduce(told, { kind: 'metric', metric: metric(3) }, 0).metrics.map((m) => m.robotSteps)).toEqual([1, 2, 3])
  })

  it('tells what was refused, for six seconds', () => {
    const refused = reduce(START, { kind: 'refused', what: 'pause', why: 'no control' }, 0)
    expect(refused.notices[0]!.words).toContain('no control')
    expect(current(refused.notices, 5999)).toHaveLength(1)
    expect(current(refused.notices, 6001)).toHaveLength(0)
    expect(noted(refused, 'next', 7000).notices.map(({ words }) => words)).toEqual(['next'])
  })
})

describe('the server’s clock', () => {
  it('is taken from the quickest answer: 1000 ms ahead, though a later answer came back late', () => {
    const clock = new ServerClock()
    expect(clock.at(0)).toBeNull()
    clock.hear(100, 1104, 108) // 4 ms each way
    clock.hear(600, 1604, 700) // 4 ms there, 96 ms back: would say 954
    expect(clock.at(2000)).toBe(3000)
    expect(clock.roundTrip).toBe(100)
  })

  it('follows a clock that was set, once the old answers are gone', () => {
    const clock = new ServerClock()
    clock.hear(0, 1000, 0)
    for (let t = 500; t < 500 + 20 * 500; t += 500) clock.hear(t, t + 5004, t + 8)
    expect(clock.at(0)).toBe(5000)
  })
})

describe('frames', () => {
  it('decodes one at a time and of those that wait only the newest', async () => {
    const finish: (() => void)[] = []
    const closed: number[] = []
    vi.stubGlobal('createImageBitmap', async (blob: Blob) => {
      const [id] = new Uint8Array(await blob.arrayBuffer())
      await new Promise<void>((resolve) => finish.push(resolve))
      return { id, close: () => closed.push(id!) }
    })
    const frames = new Frames()
    const shown: number[] = []
    frames.subscribe(1, ({ frame }) => shown.push(frame.step))
    const push = (step: number) => frames.push({ camera: 1, flags: 0, step, time: 0, jpeg: Uint8Array.of(step) })
    for (const step of [1, 2, 3, 4]) push(step)
    for (let i = 0; i < 4; i++) {
      await vi.waitUntil(() => finish.length > i || shown.length === 2)
      finish[i]?.()
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    vi.unstubAllGlobals()
    expect(shown).toEqual([1, 4])
    expect(closed).toEqual([1, 4])
    expect(frames.overtaken).toBe(2)
  })

  it('show whoever looks later the newest one, as a robot that rests sends no other', async () => {
    vi.stubGlobal('createImageBitmap', async () => ({ close: () => {} }))
    const frames = new Frames()
    for (const step of [1, 2]) frames.push({ camera: 0, flags: 0, step, time: 0, jpeg: Uint8Array.of(step) })
    const shown: number[] = []
    frames.subscribe(0, ({ frame }) => shown.push(frame.step))
    await vi.waitUntil(() => shown.length > 0)
    vi.unstubAllGlobals()
    expect(shown).toEqual([2])
  })

  it('have a header of 16 bytes, big endian: version, camera, flags, step, time', () => {
    const bytes = encodeFrame({ camera: 2, flags: 0x0102, step: 0x01020304, time: 1, jpeg: Uint8Array.of(0xff) })
    expect([...bytes]).toEqual([3, 2, 1, 2, 1, 2, 3, 4, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xff]) // 1.0 is 3ff0...
  })
})

describe('how the hand is set', () => {
  const storage = (text: string | null) => ({ getItem: () => text })
  it('takes what fits of what was kept, and its defaults otherwise', () => {
    expect(loadSettings(storage(null))).toEqual(DEFAULT_SETTINGS)
    expect(loadSettings(storage('{broken'))).toEqual(DEFAULT_SETTINGS)
    const kept = loadSettings(storage('{"translation":0.5,"rotation":"fast","deadZone":0.2,"unknown":1}'))
    expect([kept.translation, kept.rotation, kept.deadZone]).toEqual([0.5, 1, 0.2])
  })

  it('goes by a camera only where it is known how that one stands; else forward is the robot’s', () => {
    const placed = (mount: 'base' | 'tool') =>
      ({ mount, position: [0, 0, 1], rotation: [0.5, 0.5, -0.5, -0.5], fovy: 1 }) as const // looks to the robot's left
    const cameras = [
      { name: 'side', calibration: placed('base') },
      { name: 'wrist', calibration: placed('tool') },
      { name: 'lamp', calibration: null },
    ].map((camera) => ({ width: 128, height: 128, ...camera }))
    const chosen = (tool: boolean) =>
      ['side', 'wrist', 'lamp', 'of another robot', 'base'].filter((name) => frameCamera(name, cameras, tool))
    expect([chosen(true), chosen(false)]).toEqual([['side', 'wrist'], ['side']])
    for (const name of ['wrist', 'lamp', 'base']) expect(handFrame(name, cameras, null)).toBe(BASE)
    expect(handFrame('side', cameras, null)).not.toBe(BASE)
  })

  it('leaves each device its own dead zone until one is chosen', () => {
    expect(mappingOf(DEFAULT_SETTINGS, { deadZone: 0.06 }, BASE).deadZone).toBe(0.06)
    expect(mappingOf({ ...DEFAULT_SETTINGS, deadZone: 0.2 }, { deadZone: 0.06 }, BASE).deadZone).toBe(0.2)
  })
})
