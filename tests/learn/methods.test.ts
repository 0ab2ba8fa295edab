/** @file Every method on the same small problem: what it trains, what it leaves alone, and that it goes on as it stopped. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { actorLayouts, METHODS, type MethodName } from '../../src/learn/actors.ts'
import { readGroup, readPolicy } from '../../src/learn/checkpoint.ts'
import { LearnerConfig } from '../../src/learn/config.ts'
import { Judge } from '../../src/learn/judge.ts'
import { Learner, type LearnerOptions, methodGroups } from '../../src/learn/learner.ts'
import type { Phase, UpdateFigures } from '../../src/learn/phase.ts'
import { Policy } from '../../src/learn/policy.ts'
import type { ReplayBuffer } from '../../src/replay/buffer.ts'
import { aReplay, commands, options, sizes, tasks } from './problem.ts'

const folder = () => mkdtempSync(join(tmpdir(), 'duet-methods-'))

/** Settings in which everything that the methods share is at work. */
const shared = LearnerConfig.parse({
  batch: 32,
  learningRate: 3e-3,
  conservativeSamples: 2,
  noiseGain: 0.2,
  cloningSteps: 1,
  inputNoise: 0.1,
  interventionShare: 0.5,
  actorAverage: 0.1,
  refinement: { batch: 8, startAfter: 1, obedience: 1 },
})

const of = (method: MethodName, changes: Partial<LearnerOptions> = {}) =>
  options({ method, learner: shared, ...changes })

async function learn(learner: Learner, ...phases: Phase[]): Promise<UpdateFigures[]> {
  const figures: UpdateFigures[] = []
  for (const phase of phases) figures.push(await learner.update(phase))
  return figures
}

const MIXED: Phase[] = ['warm-up', 'warm-up', 'online', 'online']

/** Trained from the same seed, and saved. */
async function trained(method: MethodName, phases = MIXED, replay: ReplayBuffer = aReplay(), changes = {}) {
  const learner = await Learner.create(of(method, changes), replay)
  const figures = await learn(learner, ...phases)
  const directory = folder()
  await learner.save(directory)
  return { learner, figures, directory }
}

const groupOf = (directory: string, method: MethodName, group: string) => {
  const settings = { sizes, tasks: tasks.length, batchPerTask: 16, learner: shared }
  return readGroup(directory, group, methodGroups(method, settings)[group]!.layout)
}

const seen = { h: new Float32Array(6).fill(0.3), features: [new Float32Array(24).fill(0.1)], proprio: new Float32Array(4) }

describe.each(METHODS)('%s', (method) => {
  it('trains, goes on from a checkpoint as if it had never stopped, and acts as it was published', async () => {
    const { learner: unbroken, directory, figures } = await trained(method)
    for (const { gradientNorm } of figures)
      for (const norm of Object.values(gradientNorm)) expect(norm).toBeGreaterThan(0)
    const resumed = await Learner.create(of(method, { seed: 77 }), aReplay())
    await resumed.load(directory)
    expect(resumed.actorParameters()).toEqual(unbroken.actorParameters())
    expect(await learn(resumed, 'online', 'online')).toEqual(await learn(unbroken, 'online', 'online'))
    expect(resumed.actorParameters()).toEqual(unbroken.actorParameters())
    await resumed.save(directory)

    const policy = await Policy.create(sizes, commands, method)
    policy.setParameters(resumed.actorParameters())
    const xi = new Float32Array(7).fill(0.5)
    const action = await policy.primary(seen, xi)
    policy.setParameters(await readPolicy(directory, actorLayouts(sizes, method)))
    expect(await policy.primary(seen, xi)).toEqual(action)
    expect(action.every((a) => Math.abs(a) <= 1)).toBe(true)
    expect(await policy.primary(seen, new Float32Array(7))).not.toEqual(action)
    if (method === 'dual') expect(policy.followsCommands).toBe(true)
    else await expect(policy.refined(seen, 'move left', xi)).rejects.toThrow('has no refinement actor')
  })
})
