/** @file The primary actor whose noise the critics move: when its heads learn, and what a command does to the noise. */
import { describe, expect, it } from 'vitest'
import { actorLayouts } from '../../src/learn/actors.ts'
import { LearnerConfig } from '../../src/learn/config.ts'
import { Learner } from '../../src/learn/learner.ts'
import { Policy } from '../../src/learn/policy.ts'
import type { ReplayBuffer } from '../../src/replay/buffer.ts'
import { aReplay, commands, options, sizes, tasks } from './problem.ts'

const moved = { ...sizes, network: { ...sizes.network, criticsMove: 'noise' as const } }
const learner = LearnerConfig.parse({
  batch: 32,
  learningRate: 3e-3,
  noiseGain: 0.2,
  renewal: { every: 3, over: 2, cloningSteps: 4 },
  refinement: { batch: 8, startAfter: 1 },
})

/** The same rollouts, in which nobody took over. */
function uncorrected(): ReplayBuffer {
  const replay = aReplay({ online: false })
  const observation = () => ({
    h: new Float32Array(6).fill(0.1),
    features: [new Float32Array(24)],
    proprio: new Float32Array(4),
  })
  for (const [i, task] of tasks.entries()) {
    replay.begin({ episode: 100 + i, task, source: 'online', seed: null }, observation())
    for (let step = 0; step < 4; step++) {
      const end = step === 3
      const happened = {
        reward: end ? 1 : 0,
        terminated: end,
        truncated: false,
        by: 'robot',
        actor: 'primary',
      } as const
      const action = new Float32Array(7)
      replay.step(100 + i, { id: 1000 + 10 * i + step, step, action, command: null, ...happened }, observation())
    }
    replay.end(100 + i, { ending: 'success' })
  }
  return replay
}

async function after(replay: ReplayBuffer, updates: number) {
  const learning = await Learner.create(options({ sizes: moved, learner }), replay)
  await learning.update('warm-up')
  const before = learning.actorParameters()
  for (let i = 0; i < updates; i++) await learning.update('online')
  const now = learning.actorParameters()
  await learning.release()
  return { before, now }
}

describe('a primary actor whose noise the critics move', () => {
  it('has a noise actor beside its head in our methods, and in no other than DSRL', () => {
    expect(Object.keys(actorLayouts(moved, 'dual'))).toEqual(['head', 'refine', 'noiseActor'])
    expect(Object.keys(actorLayouts(moved, 'single'))).toEqual(['head', 'noiseActor'])
    expect(Object.keys(actorLayouts(sizes, 'dual'))).toEqual(['head', 'refine'])
    for (const method of ['hg-dagger', 'hil-conrft', 'dsrl'] as const)
      expect(actorLayouts(moved, method)).toEqual(actorLayouts(sizes, method))
  })

  it('lets its heads rest as long as nobody has corrected, while the noise actor learns', async () => {
    const { before, now } = await after(uncorrected(), 4)
    expect(now.head).toEqual(before.head)
    expect(now.noiseActor).not.toEqual(before.noiseActor)
  })

  it('clones and renews its head once there are corrections', async () => {
    const furthest = ({ before, now }: Awaited<ReturnType<typeof after>>) =>
      Math.max(...now.head!.map((x, i) => Math.abs(x - before.head![i]!)))
    const cloned = furthest(await after(aReplay(), 1)) // the second update of all; the third lets the successor act
    expect(cloned).toBeGreaterThan(0)
    expect(cloned).toBeLessThan(0.1) // some Adam steps of 0.003
    expect(furthest(await after(aReplay(), 2))).toBeGreaterThan(0.5) // fresh parameters
  })

  it('adds a command to the noise that the noise actor chose', async () => {
    const learning = await Learner.create(options({ sizes: moved, learner }), aReplay())
    for (let i = 0; i < 3; i++) await learning.update('online')
    const parameters = learning.actorParameters()
    await learning.release()
    const seen = { h: new Float32Array(6).fill(0.3), features: [new Float32Array(24)], proprio: new Float32Array(4) }
    const act = async (noise: number) => {
      const policy = await Policy.create(moved, commands, 'dual')
      const noiseActor = parameters.noiseActor!.slice()
      const bias = noiseActor.length - 2 * 7 - 7 * 16 // where the bias of the mean begins: bias, kernel and bias of log_std follow
      noiseActor.fill(noise, bias, bias + 7)
      policy.setParameters({ ...parameters, noiseActor })
      const zeros = new Float32Array(7)
      const action = [await policy.primary(seen, zeros), await policy.refined(seen, 'move left', zeros)]
      await policy.release()
      return action.map((a) => Array.from(a))
    }
    const [still, pushed] = [await act(0), await act(0.8)]
    expect(pushed[0]).not.toEqual(still[0])
    expect(pushed[1]).not.toEqual(still[1])
  })
})
