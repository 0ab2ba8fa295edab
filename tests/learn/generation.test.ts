import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { actorLayouts } from '../../src/learn/actors.ts'
import { readPolicy } from '../../src/learn/checkpoint.ts'
import { LearnerConfig } from '../../src/learn/config.ts'
import { Generations } from '../../src/learn/generation.ts'
import { Learner } from '../../src/learn/learner.ts'
import { aReplay, network, options, sizes } from './problem.ts'

const warmUp = { updates: 3, heads: 2, cloningSteps: 4 }

describe('the updates of generations', () => {
  it('of six, after a warm-up of three: online 7, 8, 9 and 13, 14, 15 are young ones', () => {
    const generations = new Generations(6, warmUp)
    const online = Array.from({ length: 18 }, (_, i) => generations.youthOf(warmUp.updates + i + 1))
    expect(online).toEqual([0, 0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 0, 1, 2, 3, 0, 0, 0])
    const numbers = Array.from({ length: 18 }, (_, i) => generations.numberOf(warmUp.updates + i + 1))
    expect(numbers).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2])
    // the third of them acts, as the last of a warm-up does
    const young = Array.from({ length: 18 }, (_, i) => generations.isYoung(warmUp.updates + i + 1))
    expect(young.flatMap((is, i) => (is ? [i + 1] : []))).toEqual([7, 8, 13, 14])
  })

  it('of none at all are never young', () => {
    const never = new Generations(0, warmUp)
    expect(Array.from({ length: 30 }, (_, i) => never.youthOf(i)).every((youth) => youth === 0)).toBe(true)
  })
})

describe('a learner of generations', () => {
  const learner = LearnerConfig.parse({ batch: 16, learningRate: 3e-3, noiseGain: 0.2, generation: 5 })
  const moved = { ...sizes, network: { ...network, criticsMove: 'noise' as const, pastHeads: 1 } }
  const given = options({ learner, sizes: moved, warmUp })
  const started = async (online: number) => {
    const learning = await Learner.create(given, aReplay())
    for (let i = 0; i < warmUp.updates; i++) await learning.update('warm-up')
    for (let i = 0; i < online; i++) await learning.update('online')
    return learning
  }

  it('acts as before while the next one is young, and then as that one: heads, past ones, noise actor', async () => {
    const learning = await started(5)
    const old = learning.actorParameters()
    for (let youth = 1; youth < warmUp.updates; youth++) {
      await learning.update('online')
      expect(learning.actorParameters()).toEqual(old)
    }
    await learning.update('online')
    const now = learning.actorParameters()
    for (const group of ['head', 'past1', 'noiseActor'] as const) {
      const furthest = Math.max(...now[group]!.map((x, i) => Math.abs(x - old[group]![i]!)))
      expect(furthest, group).toBeGreaterThan(0.3) // fresh ones; a few Adam steps of 0.003 are less
    }
    expect(now.head).not.toEqual(now.past1) // two heads in turn
    await learning.release()
  })

  it('is saved as it acts, and goes on from the middle of a youth as if it had never stopped', async () => {
    const unbroken = await started(6)
    const old = unbroken.actorParameters()
    const directory = mkdtempSync(join(tmpdir(), 'duet-generation-'))
    await unbroken.save(directory)
    expect(await readPolicy(directory, actorLayouts(moved, 'dual'))).toEqual(old)
    const resumed = await Learner.create(given, aReplay())
    await resumed.load(directory)
    expect(resumed.actorParameters()).toEqual(old)
    for (let i = 0; i < 4; i++) expect(await resumed.update('online')).toEqual(await unbroken.update('online'))
    expect(resumed.actorParameters()).toEqual(unbroken.actorParameters())
    expect(resumed.actorParameters()).not.toEqual(old)
    await Promise.all([resumed.release(), unbroken.release()])
  })

  it('is refused where it would be followed before it acts', async () => {
    const short = { ...given, learner: { ...learner, generation: 3 } }
    await expect(Learner.create(short, aReplay())).rejects.toThrow(/learner\.generation.*is 3.*warmUp\.updates/)
  })
})
