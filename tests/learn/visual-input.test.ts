/** @file What judges and refinement actor see: pooled feature maps, or h and nothing else. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { METHODS, type MethodName } from '../../src/learn/actors.ts'
import { readGroup } from '../../src/learn/checkpoint.ts'
import type { NetworkConfig } from '../../src/learn/config.ts'
import { CriticJudge } from '../../src/learn/judge.ts'
import { Learner, methodGroups } from '../../src/learn/learner.ts'
import { Policy } from '../../src/learn/policy.ts'
import { takeModelsAsWritten } from './as-written.ts'
import { aReplay, commands, network, options, sizes } from './problem.ts'

takeModelsAsWritten()

const seeing = (sees: NetworkConfig['sees'], method: MethodName) =>
  options({ method, sizes: { ...sizes, network: { ...network, sees } } })

/** Actors and critics after a few updates on images of that brightness; h is the same. */
async function trained(sees: NetworkConfig['sees'], method: MethodName, brightness: number) {
  const of = seeing(sees, method)
  const learner = await Learner.create(of, aReplay({ brightness }))
  for (const phase of ['warm-up', 'online', 'online'] as const) await learner.update(phase)
  const directory = mkdtempSync(join(tmpdir(), 'duet-sight-'))
  await learner.save(directory)
  const groups = methodGroups(method, { ...of, tasks: 2, batchPerTask: 16 })
  const critic = groups.critic && (await readGroup(directory, 'critic', groups.critic.layout))
  const actors = learner.actorParameters()
  await learner.release()
  return { actors, critic, directory, of }
}

const seen = {
  h: new Float32Array(6).fill(0.3),
  features: [new Float32Array(24).fill(0.1)],
  proprio: new Float32Array(4),
}
const darker = { ...seen, features: [new Float32Array(24).fill(-2)] }

describe.each(METHODS)('%s that sees h', (method) => {
  it('learns the same whatever the feature maps hold', async () => {
    const [one, other] = [await trained('h', method, 1), await trained('h', method, 3)]
    expect(other.actors).toEqual(one.actors)
    expect(other.critic).toEqual(one.critic)
  })
})

describe('dual', () => {
  it('learns from the feature maps where it sees them', async () => {
    const [one, other] = [await trained('features', 'dual', 1), await trained('features', 'dual', 3)]
    expect(other.critic).not.toEqual(one.critic)
    expect(other.actors.refine).not.toEqual(one.actors.refine)
  })

  it('acts and judges by what it sees', async () => {
    for (const sees of ['features', 'h'] as const) {
      const { actors, directory, of } = await trained(sees, 'dual', 1)
      const policy = await Policy.create(of.sizes, commands)
      policy.setParameters(actors)
      const refined = async (at: typeof seen) => policy.refined(at, 'move left', new Float32Array(7))
      const judge = await CriticJudge.load(directory, of)
      const action = new Float32Array(7).fill(0.2)
      const q = async (at: typeof seen) => (await judge.q([{ seen: at, action, task: 'push' }]))[0]
      const blind = sees === 'h'
      expect((await q(seen)) === (await q(darker))).toBe(blind)
      const [here, there] = [await refined(seen), await refined(darker)]
      expect(here.every((x, i) => x === there[i])).toBe(blind)
      await policy.release()
      await judge.release()
    }
  })
})
