/** @file Losses beyond the golden cases: the noise gain, all tasks in one batch, the weights inside a step, masks, temperature. */

import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { concat, constant, slice, type Tensor } from '../../src/graph/index.ts'
import {
  actorTerms,
  conservativeTerm,
  maskedMean,
  noiseGainTerm,
  rankingLoss,
  rankingMargin,
  taskWeightTensor,
} from '../../src/learn/losses/index.ts'
import {
  CONRFT_SCHEDULE,
  consistencySchedule,
  critic,
  criticLayout,
  denoiser,
  headLayout,
  type Parameters,
  policyOf,
} from '../../src/nets/index.ts'
import { monteCarloReturns } from '../../src/replay/returns.ts'
import { distance, evaluate, normal, randomParameters } from '../nets/evaluate.ts'
import { loadSet, loadTensors } from './golden/set.ts'

describe('noise gain term', () => {
  it('asks for the demonstrated action moved by g ξ, inside the action range', async () => {
    // second dimension of sample 0: 0.95 + 0.1 · 1 is cut to 1; 4 · (0.1² + 0.9²) and 4 · 0.5²
    const action = constant([0.3, 0.1, 0, 0.5], [2, 2])
    const demonstrated = constant([0.2, 0.95, -0.2, 0], [2, 2])
    const xi = constant([0, 1, 2, 0], [2, 2])
    const { term } = await evaluate({ term: noiseGainTerm(action, demonstrated, xi, 0.1) })
    expect(distance(term, [4 * (0.01 + 0.81), 4 * 0.25])).toBeLessThan(1e-6)
  })
})

describe('actor terms', () => {
  const sizes = {
    embedding: 6,
    proprio: 4,
    projection: 3,
    actions: 7,
    timeWidth: 16,
    timeHidden: 32,
    width: 8,
    depth: 2,
  }
  const f = denoiser(randomParameters(headLayout(sizes), 1))
  const schedule = consistencySchedule(CONRFT_SCHEDULE)
  const layout = criticLayout({
    tasks: 3,
    members: 2,
    features: 5,
    proprio: 4,
    actions: 7,
    projection: 4,
    width: 8,
    depth: 2,
  })
  const critics = randomParameters(layout, 40)
  const batch = {
    h: normal(80, 3, 4, 9),
    actions: normal(81, 3, 4, 7),
    xi: normal(82, 3, 4, 7),
    bcMask: constant([1, 1, 0, 1, 0, 0, 0, 0, 1, 1, 1, 1], [3, 4]),
  }
  const noise = { epsilon: normal(83, 3, 4, 7), sigmaIndex: constant(Int32Array.from([...Array(12).keys()]), [3, 4]) }
  const state = { features: normal(84, 3, 4, 5), proprio: normal(85, 3, 4, 4) }

  const cut = <T extends Record<string, Tensor>>(tensors: T, task: number): T =>
    Object.fromEntries(Object.entries(tensors).map(([name, x]) => [name, slice(x, 0, task, task + 1)])) as T
  const terms = (
    all: typeof batch,
    parameters: Parameters,
    seen: typeof state,
    drawn: typeof noise,
    noiseGain: number,
  ) =>
    actorTerms(f, policyOf(f, schedule), 80, all, (action) => critic(parameters, seen, action), {
      schedule,
      noise: drawn,
      noiseGain,
    })

  it('of all tasks in one batch are those of each task on its own', async () => {
    const together = terms(batch, critics, state, noise, 0.2)
    const alone = [0, 1, 2].map((i) => terms(cut(batch, i), cut(critics, i), cut(state, i), cut(noise, i), 0.2))
    const { bc, q, ownBc, ownQ } = await evaluate({
      bc: together.bcPerTask,
      q: together.qPerTask,
      ownBc: concat(
        alone.map((term) => term.bcPerTask),
        0,
      ),
      ownQ: concat(
        alone.map((term) => term.qPerTask),
        0,
      ),
    })
    expect(distance(bc, ownBc) / Math.max(...bc)).toBeLessThan(1e-6)
    expect(distance(q, ownQ)).toBeLessThan(1e-6)
    expect(bc[1]).toBe(0) // nothing to clone
  })

  it('hold the noise gain term of the cloned samples only, and none at gain 0', async () => {
    const [without, with02] = [terms(batch, critics, state, noise, 0), terms(batch, critics, state, noise, 0.2)]
    const gain = noiseGainTerm(without.action, batch.actions, batch.xi, 0.2)
    const { plain, gained, term } = await evaluate({ plain: without.bcPerTask, gained: with02.bcPerTask, term: gain })
    const expected = [(term[0]! + term[1]! + term[3]!) / 3, 0, (term[8]! + term[9]! + term[10]! + term[11]!) / 4]
    expect(
      distance(
        gained,
        plain.map((value, i) => value + expected[i]!),
      ),
    ).toBeLessThan(1e-5 * Math.max(...gained))
  })
})

describe('task weights inside a step', () => {
  const set = loadSet(resolve(import.meta.dirname, '../fixtures/losses'))
  const golden = set.cases.find(({ id }) => id === 'task-weights')!
  const tensors = loadTensors(set, golden)
  type Row = { row: string; name: string; c: number; eps_min: number; eps_max: number; error?: boolean }

  it.each((golden.expect.rows as Row[]).filter(({ error }) => !error))(
    'agree with the golden row "$name"',
    async (row) => {
      const meanQ = tensors[`in/${row.row}`]!.data as Float32Array
      const settings = { c: row.c, min: row.eps_min, max: row.eps_max }
      const { weights } = await evaluate({ weights: taskWeightTensor(constant(meanQ), settings) })
      expect(distance(weights, Array.from(tensors[`out/${row.row}`]!.data as Float32Array))).toBeLessThan(2e-6)
    },
  )
})

describe('masked mean', () => {
  it('is over the kept samples of each row, and 0 where none is kept', async () => {
    const { mean } = await evaluate({
      mean: maskedMean(constant([1, 2, 6, 4, 5, 9], [2, 3]), constant([1, 0, 1, 0, 0, 0], [2, 3])),
    })
    expect(mean).toEqual([3.5, 0])
  })
})

describe('conservative term', () => {
  it('divides by the temperature inside the log-sum-exp and multiplies outside', async () => {
    const settings = { temperature: 2, includeDataAction: true, subtractLogCount: true }
    const q = constant([0.5], [1, 1, 1])
    const sampled = constant([0.1, 0.9], [1, 1, 1, 2]) // the first is raised to 0.3
    const { loss } = await evaluate({ loss: conservativeTerm(q, sampled, constant([0.3], [1, 1]), settings).loss })
    const expected = 2 * Math.log((Math.exp(0.15) + Math.exp(0.45) + Math.exp(0.25)) / 3) - 0.5
    expect(loss[0]).toBeCloseTo(expected, 6)
  })
})

describe('ranking term', () => {
  it('asks for more the further the two motions are apart, and no more than that', async () => {
    // motions 5 and 0 apart: margins 0.5 and 0; two members, of which the first lacks 0.3 and nothing, the second 0.6 and 0.2
    const margin = rankingMargin(constant([3, 4, 1, 1], [1, 2, 2]), constant([0, 0, 1, 1], [1, 2, 2]), 0.1)
    const operator = constant([0.7, 0.9, 0.4, 0.1], [1, 2, 2])
    const policy = constant([0.5, 0.2, 0.5, 0.3], [1, 2, 2])
    const loss = (counts: number[]) => rankingLoss(operator, policy, margin, constant(counts, [1, 2]))
    const figures = await evaluate({ margin, both: loss([1, 1]), first: loss([1, 0]), none: loss([0, 0]) })
    expect(distance(figures.margin, [0.5, 0])).toBeLessThan(1e-6)
    expect(figures.both[0]).toBeCloseTo((0.45 + 0.1) / 2, 6)
    expect(figures.first[0]).toBeCloseTo(0.45, 6)
    expect(figures.none[0]).toBe(0)
  })
})

describe('Monte-Carlo returns', () => {
  it('refuse episodes that are not told for every step', () => {
    expect(() => monteCarloReturns([1, 2], 0.9, [0])).toThrow('episode of each step is [1], expected [2]')
  })
})
