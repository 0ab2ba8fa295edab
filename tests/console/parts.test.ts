/** @file Small parts of the console by hand-made figures: the loop's regularity, the age of inputs, the lease of control. */
import { describe, expect, it } from 'vitest'
import { type Change, Control } from '../../src/console/server/control.ts'
import { Freshness } from '../../src/console/server/freshness.ts'
import { LoopStatistics } from '../../src/console/server/loop-statistics.ts'
import { PictureStream } from '../../src/console/server/pictures.ts'
import { SmoothTending } from '../../src/console/server/smooth-tending.ts'
import { Person } from '../../src/operator/person.ts'
import type { Action } from '../../src/robot/robot.ts'

describe('the loop’s figures', () => {
  it('are the distance of each step from its due time after the one before', () => {
    const loop = new LoopStatistics()
    for (const at of [0, 100, 203, 299, 404]) loop.step(at, 100)
    // intervals 100, 103, 96, 105: off by 0, 3, 4, 5; between two of them a quantile lies where it falls
    const jitter = { rate: 4000 / 404, jitterMedian: 3.5, jitter99: 4.97, steps: 4 }
    expect(loop.figures).toEqual({ ...jitter, latencyMedian: null, latency99: null })
    for (const latency of [10, 30]) loop.commanded(latency)
    expect(loop.figures).toEqual({ ...jitter, latencyMedian: 20, latency99: 29.8 })
  })

  it('leave out what lies between two episodes', () => {
    const loop = new LoopStatistics()
    for (const at of [0, 100]) loop.step(at, 100)
    loop.pause()
    for (const at of [5000, 5100]) loop.step(at, 100)
    expect(loop.figures).toMatchObject({ rate: 10, jitter99: 0, steps: 2 })
  })
})

describe('the age of an input', () => {
  it('is what it took longer than the quickest message, whatever the page’s clock says', () => {
    const freshness = new Freshness()
    expect(freshness.received(0, 70_000, 1005)).toBe(1005) // nothing to compare it with
    expect(freshness.received(1, 70_100, 1105)).toBeCloseTo(1105, 1)
    expect(freshness.received(2, 70_200, 1505)).toBeCloseTo(1205, 0) // read 300 ms before it came
  })

  it('of one that comes out of turn is not asked for', () => {
    const freshness = new Freshness()
    freshness.received(5, 0, 0)
    expect(freshness.received(5, 1, 1)).toBeNull()
    expect(freshness.received(4, 1, 1)).toBeNull()
    expect(freshness.received(6, 1, 1)).not.toBeNull()
  })

  it('is known from pings before the first input', () => {
    const freshness = new Freshness()
    freshness.heard(0, 1000)
    expect(freshness.received(0, 100, 1600)).toBeCloseTo(1100, 0)
  })
})

describe('control', () => {
  const anna = { client: '1', name: 'Anna' }
  const ben = { client: '2', name: 'Ben' }
  const open = () => {
    const clock = { now: 0 }
    const changes: Change[] = []
    const control = new Control(
      2000,
      () => clock.now,
      (change) => changes.push(change),
    )
    return { clock, changes, control }
  }

  it('is lost by silence alone, after the lease, to whoever waits', () => {
    const { clock, changes, control } = open()
    control.request(anna)
    expect(control.request(ben)).toBe(false)
    clock.now = 1500
    control.renew('1')
    clock.now = 3500
    control.expire()
    expect(control.holds('1')).toBe(true)
    clock.now = 3501
    control.expire()
    expect(control.holder).toEqual(ben)
    expect(changes.at(-1)).toEqual({ from: anna, to: ben, cause: 'silence' })
  })

  it('is not renewed by somebody else', () => {
    const { clock, control } = open()
    control.request(anna)
    clock.now = 1500
    control.renew('2')
    clock.now = 2001
    control.expire()
    expect(control.holder).toBeNull()
  })

  it('is given only by its holder, and only to one who waits', () => {
    const { control } = open()
    control.request(anna)
    expect(control.grant('1', '2')).toBe(false)
    control.request(ben)
    expect(control.grant('2', '2')).toBe(false)
    expect(control.grant('1', '2')).toBe(true)
    expect([control.holder, control.waiting]).toEqual([ben, []])
  })

  it('is waited for once, and no longer when a page has gone', () => {
    const { control } = open()
    control.request(anna)
    control.request(ben)
    control.request(ben)
    expect(control.waiting).toEqual([ben])
    control.gone('2')
    expect(control.waiting).toEqual([])
    control.gone('1')
    expect(control.holder).toBeNull()
  })
})

describe('pictures', () => {
  it('are made one at a time; of those that wait the newest is shown', async () => {
    const shown: number[] = []
    let done = () => {}
    const over = new Promise<void>((resolve) => {
      done = resolve
    })
    const stream = new PictureStream<number>((_, jpeg, moment) => {
      expect([...jpeg.subarray(0, 2)]).toEqual([0xff, 0xd8])
      if (shown.push(moment) === 2) done()
    })
    const image = { width: 4, height: 4, data: new Uint8Array(48) }
    for (let moment = 0; moment < 10; moment++) stream.offer(0, image, moment)
    await over
    expect(shown).toEqual([0, 9])
  })
})

describe('a hand that comes on and goes off', () => {
  const observation = { images: {}, proprio: new Float32Array(0), time: 0 }
  const plan = Float32Array.of(0.9, 0, 0, 0, 0, 0, -1)

  /** Executes step after step, 100 ms each; `hand`: what the person pushes along x, null where it is off. */
  function execute(hands: (number | null | 'silent')[]): number[] {
    let now = 0
    const person = new Person({ inputAge: 200, period: () => 100, now: () => now, tool: () => undefined })
    const robot: { executed: Action } = { executed: plan }
    const tending = new SmoothTending(person, robot)
    person.come()
    tending.begin('pick')
    return hands.map((hand) => {
      now += 100
      if (hand !== 'silent')
        person.input({ axes: [hand ?? 0, 0, 0, 0, 0, 0], gripper: 0, hold: hand !== null, at: now })
      const action = tending.tend(observation, plan).takeover ?? plan
      robot.executed = action
      return Number(action[0]!.toFixed(6))
    })
  }

  it('changes what is executed by half its range a step at most', () => {
    // from the plan's 0.9 to -1 and back, by 0.5 a step
    expect(execute([-1, -1, -1, -1, -1, null, null, null, null, null])).toEqual([
      0.4, -0.1, -0.6, -1, -1, -0.5, 0, 0.5, 0.9, 0.9,
    ])
  })

  it('stands still at once where it falls silent', () => {
    expect(execute([0.9, 0.9, 'silent', 'silent', 'silent', 'silent'])).toEqual([0.9, 0.9, 0.9, 0.9, 0, 0])
  })
})
