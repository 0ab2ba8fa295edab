/** @file The warm-up of several heads: each has its turn and its steps, none is lost, and a resumed warm-up goes on alike. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { floatTensor, readSafetensors } from '../../src/formats/safetensors.ts'
import { METHODS, type MethodName } from '../../src/learn/actors.ts'
import { LEARNER_FILE } from '../../src/learn/checkpoint.ts'
import { LearnerConfig } from '../../src/learn/config.ts'
import { Learner } from '../../src/learn/learner.ts'
import type { WarmUp } from '../../src/learn/method.ts'
import { takeModelsAsWritten } from './as-written.ts'
import { aReplay, network, options, sizes } from './problem.ts'

takeModelsAsWritten()

/** Three updates for each of two heads, with four cloning steps a head beside one of each update. */
const TWO: WarmUp = { updates: 6, heads: 2, cloningSteps: 4 }

const learner = LearnerConfig.parse({
  batch: 32,
  learningRate: 3e-3,
  conservativeSamples: 2,
  noiseGain: 0.2,
  refinement: { batch: 8, startAfter: 1 },
})

const create = (warmUp: WarmUp, { method = 'dual' as MethodName, pastHeads = 2 } = {}) =>
  Learner.create(
    options({ method, warmUp, learner, sizes: { ...sizes, network: { ...network, pastHeads } } }),
    aReplay({ online: false }),
  )

async function saved(of: Learner) {
  const directory = mkdtempSync(join(tmpdir(), 'duet-heads-'))
  await of.save(directory)
  const path = join(directory, LEARNER_FILE)
  const file = await readSafetensors(path)
  const { steps } = JSON.parse(file.metadata.state!) as { steps: Record<string, number> }
  const { past1, past2, head } = of.actorParameters()
  return { directory, steps, read: (name: string) => floatTensor(file, name, path).slice(), past1, past2, head }
}
type Saved = Awaited<ReturnType<typeof saved>>

/** What a learner saves after each of these updates. */
async function course(updates: number, warmUp = TWO, network?: Parameters<typeof create>[1]): Promise<Saved[]> {
  const made = await create(warmUp, network)
  const course: Saved[] = []
  for (let i = 0; i < updates; i++) {
    await made.update('warm-up')
    course.push(await saved(made))
  }
  return course
}

describe('heads in turn', () => {
  let ours: Saved[]
  beforeAll(async () => {
    ours = await course(6)
  })
  const after = (updates: number) => ours[updates - 1]!

  it('clone the first for its share of the updates, as many steps as were asked for beside theirs', () => {
    expect(after(1).steps.head).toBe(1 + 1)
    expect(after(2).steps.head).toBe(2 + 3) // round(4 · 2/3)
  })

  it('set the first beside the second when its share is over, as it acted then', () => {
    const { steps } = after(3)
    expect(steps).toMatchObject({ past1: 3 + 4, head: 0 })
    const { steps: end, read } = after(6)
    expect(end).toMatchObject({ past1: 3 + 4, head: 3 + 4 })
    expect(read('past1/value')).toEqual(after(3).read('past1/value')) // it learns no more
    expect(read('past1/value')).not.toEqual(read('head/target'))
  })

  it('leave a place that no head has taken with the one that learns', () => {
    const { past1, past2, head } = after(6)
    expect(past2).toEqual(head)
    expect(past1).not.toEqual(head)
  })

  it('start each from parameters of its own', async () => {
    const still = { ...learner, learningRate: 1e-12 }
    const made = await Learner.create(
      options({
        method: 'hg-dagger',
        warmUp: TWO,
        learner: still,
        sizes: { ...sizes, network: { ...network, pastHeads: 1 } },
      }),
      aReplay({ online: false }),
    )
    for (let i = 0; i < 6; i++) await made.update('warm-up')
    const { head, past1 } = made.actorParameters()
    const difference = head!.reduce((sum, x, i) => sum + Math.abs(x - past1![i]!), 0) / head!.length
    expect(difference).toBeGreaterThan(0.01)
  })

  it('are one in the paper, and then nothing is cloned beside the updates', async () => {
    const { steps } = (await course(5, { updates: 6, heads: 1, cloningSteps: 0 })).at(-1)!
    expect(steps.head).toBe(5)
    expect(steps.past1).toBe(0)
  })

  it.each(METHODS)('are what the warm-up of %s ends with', async (method) => {
    const { steps } = (method === 'dual' ? ours : await course(6, TWO, { method })).at(-1)!
    expect(steps.past1).toBe(steps.head)
    expect(steps.head).toBeGreaterThanOrEqual(3 + 4)
  })

  it('go on from a checkpoint as if the learner had never stopped', async () => {
    const second = await create(TWO)
    await second.load(after(4).directory)
    for (let i = 0; i < 2; i++) await second.update('warm-up')
    const resumed = await saved(second)
    for (const name of ['head/value', 'head/target', 'past1/value', 'critic/value'])
      expect(resumed.read(name)).toEqual(after(6).read(name))
  })

  it('are refused where more are cloned than can act together', async () => {
    await expect(create(TWO, { pastHeads: 0 })).rejects.toThrow('setting "warmUp.heads": is 2, and 1 can act together')
  })
})
