/** @file The ablation against the presets: it takes back all of what makes quick another method than paper, and nothing else. */
import { describe, expect, it } from 'vitest'
import { differences } from '../../src/run/differences.ts'
import { mergeSettings, resolveConfig } from '../../src/run/resolve.ts'
import { VARIANTS } from '../../src/studies/ablation.ts'
import { methodCalled } from '../../src/studies/methods.ts'

/** What is demonstrated, how long a run is, how often it learns, how it is judged: no part of the method. */
const NO_METHOD = /^(demonstrations|online|evaluation)\.|^warmUp\.updates$/

/** With the two constants that preset paper moves where they were published. */
const published = { online: { qWeight: 0.5 }, learner: { actorAverage: 1 } }
const [quick, paper] = [resolveConfig('quick'), resolveConfig('paper', undefined, [published])]
const names = (list: { name: string }[]) => list.map(({ name }) => name)
const taken = VARIANTS.map(({ name, settings }) => {
  const variant = resolveConfig('quick', undefined, [settings])
  return { name, changed: names(differences(quick, variant)), apart: names(differences(paper, variant)) }
})

describe('the ablation', () => {
  it.each(taken)('takes something back with $name, to what paper has', ({ changed, apart }) => {
    expect(changed).not.toEqual([])
    expect(changed.filter((name) => apart.includes(name))).toEqual([])
  })

  it('takes back every departure at least once', () => {
    const departures = names(differences(paper, quick)).filter((name) => !NO_METHOD.test(name))
    expect(departures.length).toBeGreaterThan(10)
    const all = taken.flatMap(({ changed }) => changed)
    expect(departures.filter((name) => !all.includes(name))).toEqual([])
  })

  it('leaves to other methods that they clone whatever an operator did; ours clone what led somewhere', () => {
    const clones = (name: string) => resolveConfig('quick', undefined, [methodCalled(name).settings]).learner.clones
    expect(['hg-dagger', 'hil-conrft'].map(clones)).toEqual(['interventions', 'interventions'])
    expect(['silent', 'dual'].map(clones)).toEqual(['successful interventions', 'successful interventions'])
  })

  it('tells the critics of others nothing of two actions, where it tells ours', () => {
    const told = { learner: { ranking: { weight: 1 } } }
    const weight = (name: string) =>
      resolveConfig('quick', undefined, [mergeSettings(told, methodCalled(name).settings)]).learner.ranking.weight
    expect(['hil-conrft', 'dsrl'].map(weight)).toEqual([0, 0])
    expect(['silent', 'dual'].map(weight)).toEqual([1, 1])
  })

  it('leaves one policy for ever to those that have one, where ours begins anew', () => {
    const generation = (name: string) =>
      resolveConfig('practice', undefined, [methodCalled(name).settings]).learner.generation
    expect(['hil-conrft', 'dsrl'].map(generation)).toEqual([0, 0])
    expect(['hg-dagger', 'silent', 'dual'].map(generation)).toEqual([6000, 6000, 6000])
  })
})
