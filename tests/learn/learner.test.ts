import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { actorLayouts } from '../../src/learn/actors.ts'
import { readPolicy } from '../../src/learn/checkpoint.ts'
import { LearnerConfig } from '../../src/learn/config.ts'
import { Learner } from '../../src/learn/learner.ts'
import { Policy } from '../../src/learn/policy.ts'
import { aReplay, commands, network, options, sizes } from './problem.ts'

const folder = () => mkdtempSync(join(tmpdir(), 'duet-learner-'))

async function after(updates: number, learner: Learner) {
  const bc: number[] = []
  for (let i = 0; i < updates; i++) bc.push((await learner.update(i % 2 ? 'online' : 'warm-up')).figures['actor.bc']!)
  return bc
}

/** A learner whose programs are few and soon compiled, where it matters what it holds, not how it learns. */
const quick = { method: 'hg-dagger' } as const

describe('the learner', () => {
  it('clones what the demonstrations do', async () => {
    const learner = await Learner.create(options(), aReplay())
    const bc = await after(300, learner)
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length
    expect(mean(bc.slice(-30))).toBeLessThan(0.4 * mean(bc.slice(0, 30)))
  })

  it('moves both actors', async () => {
    const learner = await Learner.create(options(), aReplay())
    const before = learner.actorParameters()
    await after(4, learner)
    const moved = learner.actorParameters()
    for (const group of ['head', 'refine'] as const) expect(moved[group]).not.toEqual(before[group])
  })

  it('draws one curve for one seed, another for another', async () => {
    const curve = async (seed: number) => after(6, await Learner.create(options({ seed }), aReplay()))
    const first = await curve(1)
    expect(await curve(1)).toEqual(first)
    expect(await curve(2)).not.toEqual(first)
  })

  it('goes on from a checkpoint as if it had never stopped', async () => {
    const directory = folder()
    const unbroken = await Learner.create(options(), aReplay())
    await after(5, unbroken)
    await unbroken.save(directory)
    const resumed = await Learner.create(options({ seed: 77 }), aReplay())
    await resumed.load(directory)
    expect(resumed.updates).toBe(5)
    expect(await after(5, resumed)).toEqual(await after(5, unbroken))
    expect(resumed.actorParameters()).toEqual(unbroken.actorParameters())
  })

  it('teaches the refinement actor to shift the action the way it is told, where the head answers its noise', async () => {
    const learner = LearnerConfig.parse({
      batch: 32,
      learningRate: 3e-3,
      conservativeSamples: 2,
      noiseGain: 0.2,
      refinement: { batch: 32, startAfter: 1, bcWeight: 0, qWeight: 0, obedience: 1, shift: 0.3 },
    })
    const taught = await Learner.create(options({ learner }), aReplay())
    await after(49, taught)
    const deaf = (await taught.update('online')).figures['refine.response']!
    await after(349, taught)
    const { figures } = await taught.update('online') // the 400th
    const policy = await Policy.create(sizes, commands)
    policy.setParameters(taught.actorParameters())
    const seen = { h: new Float32Array(6), features: [new Float32Array(24)], proprio: new Float32Array(4) }
    const still = await policy.primary(seen, new Float32Array(7))
    const shift = async (command: string, axis: number) =>
      (await policy.refined(seen, command, new Float32Array(7)))[axis]! - still[axis]!
    expect(await shift('move forward', 0)).toBeGreaterThan(0.1)
    expect(await shift('move backward', 0)).toBeLessThan(-0.1)
    expect(await shift('move left and down', 1)).toBeGreaterThan(0.1)
    expect(await shift('move left and down', 2)).toBeLessThan(-0.1)
    expect(figures['refine.response']).toBeGreaterThan(0.1) // of the 0.3 that are taught
    expect(deaf).toBeLessThan(0.5 * figures['refine.response']!)
  })

  it('waits for online data before it learns online', async () => {
    const learner = await Learner.create(options({ ...quick, onlineAfter: 10 }), aReplay({ online: false }))
    expect([learner.canUpdate('warm-up'), learner.canUpdate('online')]).toEqual([true, false])
  })

  it('refuses a checkpoint of other networks, and says so', async () => {
    const directory = folder()
    await (await Learner.create(options(quick), aReplay())).save(directory)
    const wider = { ...sizes, network: { ...network, hidden: 24 } }
    const other = await Learner.create(options({ ...quick, sizes: wider }), aReplay())
    await expect(other.load(directory)).rejects.toThrow(
      /learner\.safetensors, head\/value: has \d+ parameters, this config makes \d+/,
    )
  })

  it('refuses a damaged checkpoint by name', async () => {
    const directory = folder()
    const learner = await Learner.create(options(quick), aReplay())
    await learner.save(directory)
    const path = join(directory, 'learner.safetensors')
    writeFileSync(path, readFileSync(path).subarray(0, 1000))
    await expect(learner.load(directory)).rejects.toThrow('learner.safetensors')
  })
})

describe('the policy', () => {
  it('acts as published, the same from a checkpoint file', async () => {
    const directory = folder()
    const learner = await Learner.create(options(), aReplay())
    await after(4, learner)
    await learner.save(directory)
    const policy = await Policy.create(sizes, commands)
    const seen = {
      h: new Float32Array(6).fill(0.3),
      features: [new Float32Array(24).fill(0.1)],
      proprio: new Float32Array(4),
    }
    const xi = new Float32Array(7).fill(0.5)
    policy.setParameters(learner.actorParameters())
    const published = [await policy.primary(seen, xi), await policy.refined(seen, 'move left', xi)]
    policy.setParameters(await readPolicy(directory, actorLayouts(sizes)))
    expect([await policy.primary(seen, xi), await policy.refined(seen, 'move left', xi)]).toEqual(published)
    for (const action of published) expect(Math.max(...action.map(Math.abs))).toBeLessThanOrEqual(1)
  })

  it('decides about the gripper: its entry alone is steepened, and stays an action; noise on it is not', async () => {
    const learner = await Learner.create(options(), aReplay())
    const seen = {
      h: new Float32Array(6).fill(0.3),
      features: [new Float32Array(24).fill(0.1)],
      proprio: new Float32Array(4),
    }
    const actWith = async (gripperGain: number) => {
      const policy = await Policy.create({ ...sizes, network: { ...network, gripperGain } }, commands)
      policy.setParameters(learner.actorParameters())
      const xi = new Float32Array(7).fill(0.5)
      xi[6] = 0.1 * gripperGain
      return [await policy.primary(seen, xi), await policy.refined(seen, 'move left', xi)]
    }
    const [plain, five, huge] = [await actWith(1), await actWith(5), await actWith(1e6)]
    for (const [i, action] of plain.entries()) {
      const gripper = action[6]!
      expect(Math.abs(gripper)).toBeGreaterThan(0)
      expect([...five[i]!.slice(0, 6)]).toEqual([...action.slice(0, 6)])
      expect(five[i]![6]).toBeCloseTo(Math.max(-1, Math.min(1, 5 * gripper)), 6)
      expect(huge[i]![6]).toBe(Math.sign(gripper))
    }
  })

  it('refuses parameters of other networks', async () => {
    const policy = await Policy.create(sizes, commands)
    expect(() => policy.setParameters({ head: new Float32Array(3), refine: new Float32Array(3) })).toThrow(
      'Use a checkpoint that was made with the same network settings',
    )
  })
})
