/** @file Regimes: what each sets over `quick`, and how an experiment is called in one. */
import { describe, expect, it } from 'vitest'
import { resolveConfig } from '../../src/run/config.ts'
import { differences } from '../../src/run/differences.ts'
import type { Experiment } from '../../src/studies/experiment.ts'
import { experiments } from '../../src/studies/index.ts'
import { commandOf } from '../../src/studies/publish.ts'
import { inRegime, REGIME_NAMES, REGIMES, type RegimeName } from '../../src/studies/regimes.ts'

const quick = resolveConfig('quick')
const configOf = (name: RegimeName) => resolveConfig('quick', undefined, [], REGIMES[name].settings)

describe('the regimes', () => {
  it('set scene, demonstrations and operator, and nothing of how a method learns', () => {
    for (const name of REGIME_NAMES)
      for (const { name: setting } of differences(quick, configOf(name)))
        expect(setting).toMatch(/^(robot|demonstrations|operator)\./)
    expect(configOf('standard')).toEqual(quick)
  })

  it('are those of the issue', () => {
    expect(configOf('weak').operator).toEqual({ kind: 'simulated', strength: 'weak' })
    expect(configOf('none').operator.kind).toBe('none')
    expect(configOf('none').demonstrations).toEqual(configOf('weak').demonstrations)
    expect(configOf('few').demonstrations.perTask).toBeLessThanOrEqual(5)
    expect(configOf('few').demonstrations.noise).toBe(0.05)
    expect(configOf('hard').robot).toMatchObject({ slotFriction: 1, tip: 'flat', clearance: 0.00075 / 2 })
    expect(configOf('wide').robot).toMatchObject({ starts: { tool: 0.03, turn: 0.3 }, toys: 3, frontHidden: 0.5 })
    expect(configOf('human')).toMatchObject({ demonstrations: { by: 'person' }, operator: { strength: 'person' } })
  })

  it('give way to a file and to single settings', () => {
    const { demonstrations, robot } = resolveConfig(
      'quick',
      undefined,
      [{ demonstrations: { noise: 0.3 } }],
      REGIMES.hard.settings,
    )
    expect(demonstrations.noise).toBe(0.3)
    expect(robot).toMatchObject({ tip: 'flat' })
  })
})

describe('an experiment in a regime', () => {
  const called = (name: string) => experiments.find((experiment) => experiment.name === name)!

  it('keeps runs, plots and section under names of its own, and says how it is asked for', () => {
    const hard = inRegime(called('curves'), 'hard')
    expect([hard.name, hard.runsOf, hard.asked]).toEqual(['curves-hard', 'table1-hard', 'curves --regime hard'])
    expect(hard.question).toContain(REGIMES.hard.sentence)
    const options = { seeds: [0], trials: 5, robotMinutes: 1, overrides: {} }
    expect(commandOf(hard.asked!, 'quick', options)).toBe(
      'npx duet experiments curves --regime hard --preset quick --seeds 0 --trials 5 --robot-minutes 1 --publish',
    )
  })

  it('is itself in the standard regime', () => expect(inRegime(called('table1'), 'standard')).toBe(called('table1')))

  it('is refused where it trains nothing', () => {
    const trainless: Experiment[] = experiments.filter(({ trains }) => trains === false)
    expect(trainless.map(({ name }) => name)).toEqual(['label-audit', 'correction-complexity'])
    expect(() => inRegime(trainless[0]!, 'none')).toThrow('experiment "label-audit" trains no run')
  })
})
