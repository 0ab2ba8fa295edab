/** @file Renewal of the primary head: what starts afresh, what goes on, and that a resumed run renews alike. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { floatTensor, readSafetensors } from '../../src/formats/safetensors.ts'
import type { MethodName } from '../../src/learn/actors.ts'
import { LEARNER_FILE } from '../../src/learn/checkpoint.ts'
import { LearnerConfig } from '../../src/learn/config.ts'
import { Learner } from '../../src/learn/learner.ts'
import type { Phase } from '../../src/learn/phase.ts'
import { type ActorParameters, Policy } from '../../src/learn/policy.ts'
import { takeModelsAsWritten } from './as-written.ts'
import { aReplay, commands, network, options, sizes } from './problem.ts'

takeModelsAsWritten()

const CLONING_STEPS = 8

/** Fresh heads are cloned over the last two updates before they take over. */
const settings = (every: number) =>
  LearnerConfig.parse({
    batch: 32,
    learningRate: 3e-3,
    conservativeSamples: 2,
    noiseGain: 0.2,
    actorAverage: 0.1,
    renewal: { every, cloningSteps: CLONING_STEPS, over: Math.min(2, every || 2) },
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
  return { directory, steps: JSON.parse(file.metadata.state!).steps as Record<string, number>, of }
}

const UP_TO_THE_FOURTH: Phase[] = ['warm-up', 'warm-up', 'online', 'online']

const known = new Map<string, ReturnType<typeof saved>>()

/** What a learner saves after these updates; learned once for all tests. */
function after(phases: Phase[], method: MethodName, every: number) {
  const which = [...phases, method, every].join()
  if (!known.has(which))
    known.set(
      which,
      create(method, every)
        .then((learner) => learn(learner, phases))
        .then(saved),
    )
  return known.get(which)!
}

describe('renewal of the head', () => {
  it('puts a fresh head in the place of the old after every so many updates, and leaves the others as they are', async () => {
    const kept = await after(UP_TO_THE_FOURTH, 'dual', 0)
    const renewed = await after(UP_TO_THE_FOURTH, 'dual', 4)
    expect(kept.steps.head).toBe(4)
    expect(renewed.steps.head).toBe(CLONING_STEPS)
    expect(renewed.of('head/value')).not.toEqual(kept.of('head/value'))
    expect(renewed.of('critic/value')).toEqual(kept.of('critic/value'))
    expect(renewed.of('refine/value')).toEqual(kept.of('refine/value'))
  })

  it('lets the old head act and learn undisturbed while its successor takes its share of the steps', async () => {
    const upToTheThird = UP_TO_THE_FOURTH.slice(0, 3)
    const kept = await after(upToTheThird, 'dual', 0)
    const renewing = await after(upToTheThird, 'dual', 4)
    for (const name of ['head/value', 'head/target', 'critic/value', 'refine/value'])
      expect(renewing.of(name)).toEqual(kept.of(name))
    expect(renewing.steps.successor).toBe(CLONING_STEPS / 2)
  })

  it('hands the successor over with its average and its moments, and forgets it', async () => {
    const renewed = await after(UP_TO_THE_FOURTH, 'dual', 4)
    for (const kind of ['value', 'target', 'moment1', 'moment2'])
      expect(renewed.of(`head/${kind}`)).toEqual(renewed.of(`successor/${kind}`))
    expect(renewed.of('head/target')).not.toEqual(renewed.of('head/value')) // an average of what it was
    expect(renewed.steps.successor).toBe(0)
  })

  it('takes all steps where the online phase begins late', async () => {
    const late = await saved(await learn(await create('dual', 4), ['warm-up', 'warm-up', 'warm-up', 'online']))
    expect(late.steps.head).toBe(CLONING_STEPS)
  })

  it('starts every successor from parameters of its own', async () => {
    const still = LearnerConfig.parse({ ...settings(1), learningRate: 1e-12 })
    const fresh = async (updates: Phase[]) => {
      const learner = await Learner.create(options({ method: 'hg-dagger', learner: still }), aReplay())
      return (await saved(await learn(learner, updates))).of('head/value')
    }
    const [first, second] = [await fresh(['online']), await fresh(['online', 'online'])]
    const difference = first.reduce((sum, x, i) => sum + Math.abs(x - second[i]!), 0) / first.length
    expect(difference).toBeGreaterThan(0.01) // where nothing is learned, only another draw can differ
  })

  it('refuses to spread the steps over more updates than there are between renewals', () => {
    expect(() => LearnerConfig.parse({ renewal: { every: 100, over: 101 } })).toThrow('at most as many as every')
  })

  it('does not happen in the warm-up', async () => {
    const renewed = await after(['warm-up', 'warm-up'], 'dual', 2)
    expect(renewed.steps.head).toBe(2)
  })

  it('goes on from a checkpoint as if the learner had never stopped', async () => {
    const whole = await after([...UP_TO_THE_FOURTH, 'online'], 'dual', 4)
    const first = await after(UP_TO_THE_FOURTH.slice(0, 3), 'dual', 4)
    const second = await create('dual', 4)
    await second.load(first.directory)
    const resumed = await saved(await learn(second, ['online', 'online']))
    for (const name of ['head/value', 'head/target', 'critic/value', 'refine/value'])
      expect(resumed.of(name)).toEqual(whole.of(name))
  })

  it('leaves the frozen head of DSRL alone', async () => {
    const kept = await after(UP_TO_THE_FOURTH, 'dsrl', 0)
    const renewed = await after(UP_TO_THE_FOURTH, 'dsrl', 4)
    expect(renewed.of('head/target')).toEqual(kept.of('head/target'))
  })
})

describe('past heads', () => {
  const remembering = { ...sizes, network: { ...network, pastHeads: 2 } }
  const createRemembering = () =>
    Learner.create(options({ method: 'dual', learner: settings(2), sizes: remembering }), aReplay())
  const online = (count: number) => Array<Phase>(count).fill('online')
  /** What acts after each update of one learner, and the checkpoint then. */
  const course: { of: ActorParameters; directory: string }[] = []
  beforeAll(async () => {
    const learner = await createRemembering()
    for (const phase of online(6)) {
      await learner.update(phase)
      course.push({ of: learner.actorParameters(), directory: await learn(learner, []) })
    }
  })
  const heads = (updates: number) => course[updates - 1]!

  it('follow the head that acts until there are some', () => {
    const { of } = heads(1)
    expect(of.past1).toEqual(of.head)
    expect(of.past2).toEqual(of.head)
  })

  it('are the heads that acted last before they were renewed away, the youngest first', () => {
    const [once, twice, thrice] = [heads(2), heads(4), heads(6)]
    expect(once.of.past1).not.toEqual(once.of.head)
    expect(once.of.past2).toEqual(once.of.head)
    expect(twice.of.past2).toEqual(once.of.past1)
    expect(thrice.of.past2).toEqual(twice.of.past1)
    const still = heads(3).of // a past head learns no more
    expect(still.past1).toEqual(once.of.past1)
  })

  it('act along: the action is the mean over all heads, with and without a command', async () => {
    const { of } = heads(4)
    const seen = {
      h: new Float32Array(6).fill(0.3),
      features: [new Float32Array(24).fill(0.1)],
      proprio: new Float32Array(4),
    }
    const xi = new Float32Array(7).fill(0.2)
    const alone = await Policy.create(sizes, commands)
    const together = await Policy.create(remembering, commands)
    together.setParameters(of)
    const answers = async (policy: Policy) => [
      await policy.primary(seen, xi),
      await policy.refined(seen, 'move left', xi),
    ]
    const each: Float32Array[][] = []
    for (const head of [of.head!, of.past1, of.past2]) {
      alone.setParameters({ head, refine: of.refine! })
      each.push(await answers(alone))
    }
    const mean = await answers(together)
    for (const [kind, action] of mean.entries())
      for (const [i, value] of action.entries())
        expect(value).toBeCloseTo((each[0]![kind]![i]! + each[1]![kind]![i]! + each[2]![kind]![i]!) / 3, 5)
    expect(each[1]![0]).not.toEqual(each[0]![0])
  })

  it('stay what the warm-up made of them where the heads are frozen', async () => {
    const dsrl = await Learner.create(options({ method: 'dsrl', learner: settings(2), sizes: remembering }), aReplay())
    const before = dsrl.actorParameters()
    for (const phase of online(4)) await dsrl.update(phase)
    const after = dsrl.actorParameters()
    expect(Object.keys(after)).toEqual(['head', 'noiseActor', 'past1', 'past2'])
    for (const head of ['head', 'past1', 'past2'] as const) expect(after[head]).toEqual(before[head])
    expect(after.noiseActor).not.toEqual(before.noiseActor)
    const policy = await Policy.create(remembering, commands, 'dsrl')
    expect(() => policy.setParameters(after)).not.toThrow()
  })

  it('are saved as their values alone: nothing trains them', async () => {
    const { tensors } = await readSafetensors(join(heads(2).directory, LEARNER_FILE))
    const runs = Object.keys(tensors)
      .filter((name) => /^(head|past1)\//.test(name))
      .sort()
    expect(runs).toEqual(['head/moment1', 'head/moment2', 'head/target', 'head/value', 'past1/value'])
  })

  it('come back from a checkpoint, and go on being handed down', async () => {
    const { of, directory } = heads(3)
    const resumed = await createRemembering()
    await resumed.load(directory)
    expect(resumed.actorParameters()).toEqual(of)
    for (const phase of online(3)) await resumed.update(phase)
    expect(resumed.actorParameters()).toEqual(heads(6).of)
  })
})
