/** @file A robot whose time passes by itself: nothing that can wait stands between what it sees and its next command. */
import { describe, expect, it } from 'vitest'
import type { Sighting } from '../../src/learn/planner.ts'
import type { Policy } from '../../src/learn/policy.ts'
import { type Recorder, type Rollout, runEpisode } from '../../src/loop/episode.ts'
import { LoopTiming } from '../../src/loop/timing.ts'
import { holdAction } from '../../src/robot/guard.ts'
import type { Image, Observation, Outcome, Robot } from '../../src/robot/robot.ts'
import { SafeRobot } from '../../src/robot/safety.ts'
import type { VlaEncoder } from '../../src/vla/encoder.ts'
import { attendant, noNoise, perceptionOf, scriptedSpec } from './scripted.ts'

const STEPS = 3

/** What is done to it, by it and around it, in order. Its one picture, whose memory it uses again, shows the step count. */
class Scene implements Robot {
  readonly events: string[] = []
  readonly spec = scriptedSpec({
    cameras: { front: { width: 1, height: 1 } },
    rate: 1000,
    tasks: { push: { instruction: 'push', maxSteps: STEPS } },
  })
  private readonly picture: Image = { width: 1, height: 1, data: new Uint8Array(3) }
  private steps = 0
  breaksAt = Number.POSITIVE_INFINITY

  async reset() {
    this.steps = 0
    return this.observe()
  }
  async observe(): Promise<Observation> {
    this.picture.data.fill(this.steps)
    return { images: { front: this.picture }, proprio: Float32Array.of(this.steps), time: performance.now() / 1000 }
  }
  /** Its command leaves as a request does, once the event loop comes round to it. */
  async step(): Promise<Outcome> {
    await new Promise<void>((sent) => process.nextTick(sent))
    this.events.push(`command ${this.steps}`)
    this.steps++
    this.picture.data.fill(99) // while it moves
    if (this.steps > this.breaksAt) throw new Error('the cable is out')
    return { observation: await this.observe(), reward: 0, terminated: false }
  }
  async stop() {
    this.events.push('stop')
  }
}

function crewOf(scene: Scene, realTime: Rollout['realTime']): Rollout {
  const { events } = scene
  const encoder = {
    encode: async (inputs: { images: Record<string, Image>; proprio: Float32Array }[]) => {
      events.push(`see ${inputs.length} of ${inputs[0]!.proprio[0]}`)
      return inputs.map(({ proprio }) => ({ h: proprio.slice(), features: Float32Array.of(0) }))
    },
  } as unknown as VlaEncoder
  const recorder: Recorder = {
    copies: { count: 2, pixels: 0, seed: 0 },
    observationId: (step) => step,
    begin: (_task, _seed, { images }, { features }) =>
      void events.push(`log start ${images.front!.data[0]} x${features.length}`),
    step: ({ step }, { images }, { features }) =>
      void events.push(`log ${step} to ${images.front!.data[0]} x${features.length}`),
    end: () => void events.push('log end'),
    interrupt: () => void events.push('log interrupted'),
  }
  return {
    robot: new SafeRobot(scene),
    perception: perceptionOf(['push'], encoder),
    policy: {
      followsCommands: false,
      primary: async ({ h }: { h: Float32Array }, _xi: Float32Array, { afresh }: Sighting) => {
        events.push(`plan for ${h[0]}${afresh ? ' afresh' : ''}`)
        return holdAction()
      },
    } as unknown as Policy,
    noise: noNoise,
    recorder,
    realTime,
  }
}

const IN_TURN = [
  ...['see 1 of 0', 'plan for 0 afresh', 'command 0', 'see 2 of 0', 'log start 0 x3'],
  ...['see 1 of 1', 'plan for 1', 'command 1', 'see 2 of 1', 'log 0 to 1 x3'],
  ...['see 1 of 2', 'plan for 2', 'command 2', 'see 2 of 2', 'log 1 to 2 x3'],
  ...['see 1 of 3', 'see 2 of 3', 'log 2 to 3 x3', 'log end'],
]

describe('in real time', () => {
  it('log and copies come after the next command, in their order, with the pictures of their moment', async () => {
    const scene = new Scene()
    const summary = await runEpisode(crewOf(scene, { during: (wait) => wait }), 'push', 0)
    expect(scene.events).toEqual(IN_TURN)
    expect(summary).toMatchObject({ ending: 'timeout', length: STEPS, timing: { steps: STEPS, period: 1 } })
  })

  it('a simulation waits for the log of each step, and is not timed', async () => {
    const scene = new Scene()
    const summary = await runEpisode(crewOf(scene, undefined), 'push', 0)
    expect(scene.events.slice(0, 6)).toEqual([
      ...['see 3 of 0', 'log start 0 x3', 'plan for 0 afresh', 'command 0'],
      ...['see 3 of 1', 'log 0 to 1 x3'],
    ])
    expect(summary.timing).toBeUndefined()
  })

  it.each([
    ['a real robot plans while it waits for its tick', { during: <T>(wait: Promise<T>) => wait }, ['plan', 'tick']],
    ['a simulated one after it, with what was learned until then', undefined, ['tick', 'plan']],
  ] as const)('%s', async (_, realTime, order) => {
    const scene = new Scene()
    const pace = { tick: async () => void scene.events.push('tick') }
    await runEpisode({ ...crewOf(scene, realTime), pace }, 'push', 0)
    const turns = scene.events.flatMap((event) => event.match(/^(plan|tick|command)/)?.[1] ?? [])
    expect(turns).toEqual(Array.from({ length: STEPS }, () => [...order, 'command']).flat())
  })

  it('what has happened before a robot fails is logged, once it has been stopped', async () => {
    const scene = new Scene()
    scene.breaksAt = 2
    await expect(runEpisode(crewOf(scene, { during: (wait) => wait }), 'push', 0)).rejects.toThrow('the cable is out')
    expect(scene.events.filter((event) => /^log|stop/.test(event))).toEqual([
      'log start 0 x3',
      'log 0 to 1 x3',
      'log 1 to 2 x3',
      'stop',
    ])
  })

  it('while a person holds the robot the log is whole, and it looks again before it goes on', async () => {
    const scene = new Scene()
    const crew = crewOf(scene, { during: (wait) => wait })
    let asked = 0
    const between = () => {
      if (asked++ !== 1) return undefined
      return Promise.resolve().then(() => {
        scene.events.push('held')
        return undefined
      })
    }
    await runEpisode({ ...crew, attendant: attendant({ between }) }, 'push', 0)
    const { events } = scene
    expect(events.indexOf('log 0 to 1 x3')).toBeLessThan(events.indexOf('see 1 of 1', events.indexOf('held')))
    expect(events.slice(events.indexOf('held')).slice(0, 5)).toEqual([
      ...['held', 'log 0 to 1 x3', 'see 1 of 1'],
      ...['plan for 1 afresh', 'command 1'], // not what was planned before
    ])
  })
})

describe('the times of an episode', () => {
  const at = (time: number, taken?: Record<string, number>): Observation => ({
    images: {},
    proprio: new Float32Array(0),
    time,
    taken,
  })

  it('are how far intervals are from the period, and how old the oldest picture was', () => {
    const timing = new LoopTiming(10)
    timing.received(at(7, { front: 6.98, wrist: 6.99 }), 1000) // 20 ms old at 1000
    expect(timing.commanded(1005)).toBeCloseTo(25, 9)
    timing.received(at(7.1), 1090)
    expect(timing.commanded(1107)).toBeCloseTo(17, 9)
    timing.received(at(7.2), 1190)
    timing.pause()
    timing.commanded(5000) // after a pause of 3.8 s
    timing.received(at(11), 5091)
    timing.commanded(5097)
    // jitters 2 and 3, latencies 25, 17, 3810 and 6
    expect(timing.times).toMatchObject({ period: 100, steps: 4, jitterMedian: 2.5 })
    expect(timing.times!.latencyMedian).toBeCloseTo(21, 9)
    expect(timing.times!.jitter99).toBeCloseTo(2.99, 9)
  })

  it('are not told of fewer than two commands in a row', () => {
    const timing = new LoopTiming(10)
    timing.received(at(0), 0)
    timing.commanded(3)
    expect(timing.times).toBeUndefined()
  })
})
