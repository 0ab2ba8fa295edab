/** @file Who opens a session closes it: every session of onnxruntime that was made is released, whatever the method. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ort from 'onnxruntime-node'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { METHODS } from '../../src/learn/actors.ts'
import { LearnerConfig } from '../../src/learn/config.ts'
import { CriticJudge } from '../../src/learn/judge.ts'
import { Learner } from '../../src/learn/learner.ts'
import { Policy } from '../../src/learn/policy.ts'
import { openAsWritten } from './as-written.ts'
import { aReplay, commands, options, sizes } from './problem.ts'

let made: { released: number }[] = []
beforeEach(() => {
  made = []
  const create = openAsWritten()
  vi.spyOn(ort.InferenceSession, 'create').mockImplementation((async (...all: unknown[]) => {
    const session = await create(...all)
    const entry = { released: 0 }
    made.push(entry)
    const release = session.release.bind(session)
    session.release = () => {
      entry.released++
      return release()
    }
    return session
  }) as typeof ort.InferenceSession.create)
})
afterEach(() => vi.restoreAllMocks())

const once = (count: number) => Array.from({ length: count }, () => ({ released: 1 }))

/** Both phases and the renewal have a part in it. */
const learner = LearnerConfig.parse({
  ...{ batch: 8, conservativeSamples: 1, noiseGain: 0.2 },
  renewal: { every: 2, over: 1, cloningSteps: 1 },
  refinement: { batch: 8, startAfter: 1, obedience: 1 },
})

/** Cloning; critic; joint or noise step of each phase; the critics' rank; the successor's cloning; the refinement step, the response. */
const PROGRAMS = { dual: 8, single: 6, 'hg-dagger': 2, 'hil-conrft': 6, dsrl: 4 }

describe.each(METHODS)('%s', (method) => {
  it('releases every program of its learner once, and those of its policy', async () => {
    const taught = await Learner.create(options({ method, learner }), aReplay())
    for (const phase of ['warm-up', 'online'] as const) await taught.update(phase)
    await taught.release()
    expect(made).toEqual(once(PROGRAMS[method]))
    const policy = await Policy.create(sizes, commands, method)
    await policy.release()
    expect(made).toEqual(once(PROGRAMS[method] + (method === 'dual' ? 2 : 1)))
  })
})

it('where the critics move the noise, ours holds no more programs than it releases', async () => {
  const moved = options({ learner, sizes: { ...sizes, network: { ...sizes.network, criticsMove: 'noise' } } })
  const taught = await Learner.create(moved, aReplay())
  for (const phase of ['warm-up', 'online'] as const) await taught.update(phase)
  await taught.release()
  expect(made).toEqual(once(8)) // cloning, critic, a noise step of each phase, rank, response, the successor's cloning, the refinement step
})

it('a judge releases its program', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'duet-release-'))
  const taught = await Learner.create(options({ learner }), aReplay())
  await taught.save(directory)
  await taught.release()
  const judge = await CriticJudge.load(directory, { ...options({ learner }) })
  await judge.release()
  expect(made).toEqual(once(PROGRAMS.dual + 1))
})
