import { expect, it } from 'vitest'
import type { Episode } from '../../src/replay/source.ts'
import { vector } from '../../src/robot/channels.ts'
import type { Rig } from '../../src/robot/rig.ts'
import type { Action, Observation } from '../../src/robot/robot.ts'
import { replayMapped } from '../../src/run/replay-mapped.ts'

/** A robot that goes 1 mm along x with each step. */
function aRig(real = false): Rig {
  let steps = 0
  const observe = (): Observation => ({ images: {}, proprio: Float32Array.of(steps / 1000, 0, 0), time: steps / 10 })
  const robot = {
    spec: { name: 'test arm', channels: vector('tcp', 'm', { of: 'position' }) },
    reset: async () => observe(),
    step: async () => {
      steps++
      return { observation: observe(), reward: steps === 3 ? 1 : 0, terminated: false }
    },
    stop: async () => {},
  }
  return { cell: 'A', robot, real, reset: 'itself', close: async () => {} } as unknown as Rig
}

const episode = {
  start: { episode: 0, task: 'place', source: 'demonstration', seed: null },
  steps: [0, 1, 2].map(() => ({ action: new Float32Array(7) as Action })),
  async *observations() {
    for (const x of [0.5, 0.503, 0.504, 9]) yield { images: {}, proprio: Float32Array.of(x, 0, 0), time: 0 }
  },
} as unknown as Episode

it('tells how far the way parts from the recorded one, wherever either began', async () => {
  const { parted, steps, succeeded } = await replayMapped(aRig(), episode, 0)
  expect(parted).toBeCloseTo(0.002, 6)
  expect([steps, succeeded]).toEqual([3, true])
})

it('plays nothing on a real robot', () =>
  expect(replayMapped(aRig(true), episode, 0)).rejects.toThrow('test arm: is real'))
