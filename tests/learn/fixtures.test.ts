/** @file Holds every network, loss and rule against golden numbers; DUET_FIXTURES=<folder> checks the sets of the same format in it. */
import { expect, it } from 'vitest'
import { NORM_EPSILON } from '../../src/nets/index.ts'
import { describeSets } from '../fixture-sets.ts'
import { baselineCases } from './golden/baselines.ts'
import { lossCases } from './golden/losses.ts'
import { networkCases } from './golden/networks.ts'
import { labelCases, optimiserCases } from './golden/optimiser.ts'
import { errorShare, type GoldenCase, isResult, loadSet, loadTensors } from './golden/set.ts'
import type { CaseFile, Results } from './golden/trace.ts'

type Solver = (file: CaseFile) => Promise<Results>
const solvers: Record<string, Solver> = {
  ...networkCases,
  ...lossCases,
  ...baselineCases,
  ...optimiserCases,
  ...labelCases,
}

/** The solver with the longest name that the case's id contains, so that ids may carry prefixes and suffixes. */
function solverOf(golden: GoldenCase): Solver {
  const names = Object.keys(solvers).filter((name) => golden.id.includes(name))
  const longest = names.sort((a, b) => b.length - a.length)[0]
  if (!longest) throw new Error(`no solver for case ${golden.id}; known are ${Object.keys(solvers).join(', ')}`)
  return solvers[longest]!
}

describeSets('losses', ({ folder }) => {
  const set = loadSet(folder)

  it('has cases, and the layer norm epsilon of the networks', () => {
    expect(set.cases.length).toBeGreaterThan(0)
    expect(set.norm_eps).toBe(NORM_EPSILON)
  })

  it.each(set.cases)('$id: $title', async (golden) => {
    const tensors = loadTensors(set, golden)
    const got = await solverOf(golden)({ golden, tensors, normEpsilon: set.norm_eps })
    const wanted = Object.keys(golden.tensors).filter(isResult)
    expect(wanted.length).toBeGreaterThan(0)
    const shares = wanted.map((name) => {
      if (!got[name]) throw new Error(`case ${golden.id}: ${name} was not computed`)
      const want = tensors[name]!.data as Float32Array | Int32Array
      return [name, errorShare(got[name], want, golden.tensors[name]!, set.tolerance)] as const
    })
    for (const [part, value] of Object.entries(golden.losses)) {
      const name = `out/${part}`
      const share = errorShare(got[name]!, [value], golden.tensors[name]!, set.tolerance)
      shares.push([`manifest loss ${part}`, share])
    }
    expect(Object.fromEntries(shares.filter(([, share]) => !(share <= 1)))).toEqual({})
  })
})
