/** @file Renewal of the primary head: what starts afresh, what goes on, and that a resumed run renews alike. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { floatTensor, readSafetensors } from '../../src/data/safetensors.ts'
import type { MethodName } from '../../src/learn/actors.ts'
import { LEARNER_FILE } from '../../src/learn/checkpoint.ts'
import { LearnerConfig } from '../../src/learn/config.ts'
import { Learner } from '../../src/learn/learner.ts'
import type { Phase } from '../../src/learn/phase.ts'
import { aReplay, options } from './problem.ts'

const settings = (every: number) =>
  LearnerConfig.parse({
    batch: 32,
    learningRate: 3e-3,
    conservativeSamples: 2,
    noiseGain: 0.2,
    actorAverage: 0.1,
    renewal: { every, cloningSteps: 5 },
    refinement: { batch: 8, startAfter: 1 },
  })

const create = (method: MethodName, every: number) =>
  Learner.create(options({ method, learner: settings(every) }), aReplay())

async function learn(learner: Learner, phases: Phase[]) {
  for (const phase of phases) await learner.update(phase)
  const directory = mkdtempSync(join(tmpdir(), 'duet-renewal-'))
  await learner.save(directory)
  return directory
}

async function saved(directory: string) {
  const path = join(directory, LEARNER_FILE)
  const file = await readSafetensors(path)
  const of = (name: string) => floatTensor(file, name, path).slice()
  return { steps: JSON.parse(file.metadata.state!).steps as Record<string, number>, of }
}

const UP_TO_THE_FOURTH: Phase[] = ['warm-up', 'warm-up', 'online', 'online']

describe('renewal of the head', () => {
  it('starts the head afresh after every so many updates, and leaves the critics as they are', async () => {
    const kept = await saved(await learn(await create('dual', 0), UP_TO_THE_FOURTH))
    const renewed = await saved(await learn(await create('dual', 4), UP_TO_THE_FOURTH))
    expect(kept.steps.head).toBe(4)
    expect(renewed.steps.head).toBe(5) // the cloning steps of the renewal
    expect(renewed.of('head/value')).not.toEqual(kept.of('head/value'))
    expect(renewed.of('critic/value')).toEqual(kept.of('critic/value'))
    expect(renewed.of('refine/value')).toEqual(kept.of('refine/value'))
  })

  it('lets the average, which acts, follow from where it was', async () => {
    const kept = await saved(await learn(await create('dual', 0), UP_TO_THE_FOURTH))
    const renewed = await saved(await learn(await create('dual', 4), UP_TO_THE_FOURTH))
    const [before, after, value] = [kept.of('head/target'), renewed.of('head/target'), renewed.of('head/value')]
    const distance = (a: Float32Array, b: Float32Array) => Math.sqrt(a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0))
    // five steps at rate 0.1 leave 0.9 ** 5 = 0.59 of the way from a head that hardly moved meanwhile
    expect(distance(after, value) / distance(before, value)).toBeGreaterThan(0.4)
    expect(distance(after, value) / distance(before, value)).toBeLessThan(0.75)
  })

  it('does not happen in the warm-up', async () => {
    const renewed = await saved(await learn(await create('dual', 2), ['warm-up', 'warm-up']))
    expect(renewed.steps.head).toBe(2)
  })

  it('goes on from a checkpoint as if the learner had never stopped', async () => {
    const whole = await saved(await learn(await create('dual', 4), [...UP_TO_THE_FOURTH, 'online']))
    const first = await learn(await create('dual', 4), UP_TO_THE_FOURTH.slice(0, 3))
    const second = await create('dual', 4)
    await second.load(first)
    const resumed = await saved(await learn(second, ['online', 'online']))
    for (const name of ['head/value', 'head/target', 'critic/value', 'refine/value'])
      expect(resumed.of(name)).toEqual(whole.of(name))
  })

  it('leaves the frozen head of DSRL alone', async () => {
    const kept = await saved(await learn(await create('dsrl', 0), UP_TO_THE_FOURTH))
    const renewed = await saved(await learn(await create('dsrl', 4), UP_TO_THE_FOURTH))
    expect(renewed.of('head/target')).toEqual(kept.of('head/target'))
  })
})
