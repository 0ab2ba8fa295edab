/** @file Regimes: what each sets over `quick`, and how an experiment is called in one. */
import { describe, expect, it } from 'vitest'
import { differences } from '../../src/run/differences.ts'
import { resolveConfig } from '../../src/run/resolve.ts'
import type { Experiment } from '../../src/studies/experiment.ts'
import { inRegime } from '../../src/studies/in-regime.ts'
import { experiments } from '../../src/studies/index.ts'
import { commandOf } from '../../src/studies/publish.ts'
import { REGIME_NAMES, type RegimeName, regimeCalled } from '../../src/studies/regimes.ts'
import { withMethods } from '../../src/studies/with-methods.ts'

const quick = resolveConfig('quick')
const configOf = (name: RegimeName) => resolveConfig('quick', undefined, [], regimeCalled(name).settings)

describe('the regimes', () => {
  it('set scene, demonstrations and operator, and nothing of how a method learns', () => {
    for (const name of REGIME_NAMES)
      for (const { name: setting } of differences(quick, configOf(name)))
        expect(setting).toMatch(/^(robot|demonstrations|operator)\./)
    expect(configOf('standard')).toEqual(quick)
  })

  it('are those of the issue', () => {
    expect(configOf('weak').operator).toEqual({ kind: 'simulated', strength: 'weak', speaks: false })
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
      regimeCalled('hard').settings,
    )
    expect(demonstrations.noise).toBe(0.3)
    expect(robot).toMatchObject({ tip: 'flat' })
  })
})

describe('an experiment in a regime', () => {
  const called = (name: string) => experiments.find((experiment) => experiment.name === name)!
  const hard = regimeCalled('hard')
  const options = { purpose: 'tuning' as const, seeds: [0], trials: 5, robotMinutes: 1, overrides: {} }

  it('keeps plots and section under names of its own, and says how it is asked for', () => {
    const curves = inRegime(called('curves'), hard)
    expect([curves.name, curves.asked]).toEqual(['curves-hard', 'curves --regime hard'])
    expect(curves.title).toBe('Success over time: hard slots')
    expect(curves.question).toContain(hard.sentence)
    expect(commandOf(curves.asked!, 'quick', options)).toBe(
      'npx duet experiments curves --regime hard --preset quick --seeds 0 --trials 5 --robot-minutes 1 --tuning --publish',
    )
  })

  it('is asked for with some methods by their names', () => {
    const { asked } = withMethods(inRegime(called('regimes'), hard), ['silent', 'dsrl'])
    expect(asked).toBe('regimes --regime hard --methods silent,dsrl')
  })

  it('keeps its runs where those of the regime are: in the folder of `regimes`, or one of its own', () => {
    const folder = ({ name, runsOf }: Experiment) => runsOf ?? name
    expect(folder(inRegime(called('curves'), hard))).toBe('regimes')
    expect(folder(inRegime(called('regimes'), hard))).toBe('regimes')
    expect(folder(inRegime(called('fourth-task'), hard))).toBe('fourth-task-hard')
  })

  it('trains under names of the regime where the folder is shared', async () => {
    for (const experiment of experiments.filter(({ runsOf }) => runsOf === 'regimes')) {
      const names: string[] = []
      const refuse = async (name: string) => {
        names.push(name)
        throw new Error('is not trained here')
      }
      const bench = {
        options,
        regime: hard,
        path: '',
        train: refuse,
        whole: () => refuse('whole'),
        once: refuse,
        progress: () => {},
      }
      await expect(inRegime(experiment, hard).run(bench)).rejects.toThrow('is not trained here')
      expect(names).toContain('hard-dual')
      expect(names.filter((name) => !name.startsWith('hard-'))).toEqual([])
    }
  })

  it('is itself in the standard one, unless it is of all regimes', () => {
    const standard = regimeCalled('standard')
    expect(inRegime(called('curves'), standard)).toBe(called('curves'))
    expect(inRegime(called('regimes'), standard)).toMatchObject({ name: 'regimes-standard', runsOf: 'regimes' })
  })

  it('is refused where it trains nothing', () => {
    const trainless: Experiment[] = experiments.filter(({ trains }) => trains === false)
    expect(trainless.map(({ name }) => name)).toEqual(['label-audit', 'correction-complexity'])
    expect(() => inRegime(trainless[0]!, regimeCalled('none'))).toThrow('experiment "label-audit" trains no run')
  })
})
