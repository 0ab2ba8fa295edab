import { describe, expect, it, vi } from 'vitest'
import { resolveConfig } from '../../src/run/resolve.ts'
import { experiment, methodsOf, type RegimeRows, sectionOf } from '../../src/studies/across-regimes.ts'
import type { Regime } from '../../src/studies/experiment.ts'
import { COMPARED, methodCalled, runName, settingsOf } from '../../src/studies/methods.ts'
import { REGIMES } from '../../src/studies/regimes.ts'
import { measured } from './fabricated.ts'

const standard: Regime = { name: 'standard', title: 'strong operator', sentence: 'As ever.', settings: {} }
const none: Regime = {
  name: 'none',
  title: 'no operator',
  sentence: 'Alone.',
  settings: { operator: { kind: 'none' } },
}

describe('regimes', () => {
  it('have different names, and settings that a run can have with every method', () => {
    expect(new Set(REGIMES.map(({ name }) => name)).size).toBe(REGIMES.length)
    for (const { settings } of REGIMES)
      for (const method of COMPARED)
        expect(() => resolveConfig('quick', undefined, [settingsOf(method, settings)])).not.toThrow()
  })

  it('all have the control first, without a robot minute, and the dual actor', () => {
    for (const regime of [...REGIMES, { ...standard, name: 'another' }]) {
      const names = methodsOf(regime).map(({ name }) => name)
      expect(names[0]).toBe('cloning')
      expect(names).toContain('dual')
    }
    const busy = settingsOf(methodCalled('cloning'), { online: { robotMinutes: 50 } })
    expect(resolveConfig('quick', undefined, [busy]).online.robotMinutes).toBe(0)
  })

  it('are all trained, unless one is asked for, by as many methods as they are worth, ours and the controls first', async () => {
    const asked = async (regime?: Regime, methods?: string[]) => {
      const names: string[] = []
      const refuse = async (name: string) => {
        names.push(name)
        throw new Error('is not trained here')
      }
      const options = { purpose: 'tuning' as const, seeds: [0], trials: 1, robotMinutes: 1, overrides: {} }
      const bench = {
        options,
        regime,
        methods,
        path: '',
        train: refuse,
        whole: () => refuse('whole'),
        once: refuse,
        progress: () => {},
      }
      await expect(experiment.run(bench)).rejects.toThrow('is not trained here')
      return names
    }
    const [all, one] = [await asked(), await asked(none)]
    const withoutFlat = ['dual', 'cloning', 'silent', 'hg-dagger', 'dsrl']
    expect(one).toEqual(withoutFlat.map((name) => `none-${name}`))
    const of = (regime: string) =>
      all.filter((name) => name.startsWith(`${regime}-`)).map((name) => name.slice(regime.length + 1))
    for (const regime of ['standard', 'weak'])
      expect(of(regime)).toEqual([...withoutFlat.slice(0, 4), 'hil-conrft', 'dsrl'])
    for (const regime of ['none', 'hard']) expect(of(regime)).toEqual(withoutFlat)
    for (const regime of ['few', 'wide', 'human']) expect(of(regime)).toEqual(['dual', 'cloning'])
    expect(await asked(none, ['hil-conrft'])).toEqual(['none-dual', 'none-cloning', 'none-hil-conrft'])
  })

  it('try the dual actor with commands as soon as its run has finished, whatever the others do', async () => {
    const values: string[] = []
    const options = { purpose: 'tuning' as const, seeds: [0], trials: 1, robotMinutes: 1, overrides: {} }
    const train = async (name: string) => {
      if (name !== 'none-dual') throw new Error('is not trained here')
      return measured(0, { pick: 's' }, { pick: 's' })
    }
    const once = async (name: string): Promise<never> => {
      values.push(name)
      throw new Error('is not made here')
    }
    const bench = { options, regime: none, path: '', train, whole: () => once('whole'), once, progress: () => {} }
    await expect(experiment.run(bench)).rejects.toThrow('is not')
    await vi.waitFor(() => expect(values).toEqual(['none-dual-commands-seed0']))
  })

  it('give their runs names of their own', () => expect(runName(none, methodCalled('dual'))).toBe('none-dual'))
})

describe('the section of fabricated runs', () => {
  const step0 = { place: 'sfff', pick: 'sfff' }
  const of = (name: string, place: string, set: Record<string, unknown>) => ({
    method: methodCalled(name),
    runs: [10, 11].map((seed) => measured(seed, step0, { place, pick: 'ssss' }, { set })),
  })
  const rowsIn = (place: string, set: Record<string, unknown>) => [of('cloning', 'ssff', set), of('dual', place, set)]
  const said = { steps: 400, spokenSteps: 20, commands: 5, wordless: 0, reasons: {} }
  const compared: RegimeRows[] = [
    { regime: standard, rows: [...rowsIn('ssss', {}), of('dsrl', 'sssf', {})], spoken: [said, said] },
    { regime: none, rows: rowsIn('sssf', none.settings), spoken: [said] },
  ]
  const { tables, plots, notes } = sectionOf(compared)

  it('opens with every method in every regime, and has tables of each', () => {
    const shown = tables[0]!.rows.map((row) => row.map((cell) => cell.replace(/ \(.*/, '')))
    expect(tables[0]!.header).toEqual(['method', 'strong operator', 'no operator'])
    expect(shown).toEqual([
      ['no online phase', '75', '75'],
      ['dual actor', '100', '87.5'],
      ['DSRL', '87.5', '-'],
    ])
    expect(tables.map(({ title }) => title!.split(':')[0]!)).toEqual([
      'Success, mean over the tasks',
      ...Array(3).fill('strong operator'),
      ...Array(3).fill('no operator'),
      expect.stringMatching(/^Published/),
    ])
    expect(plots.map(({ name }) => name)).toEqual(['interventions-standard', 'interventions-none'])
  })

  it('draws no operator where none acted', () => {
    const alone = compared[1]!.rows.map(({ method, runs }) => ({
      method,
      runs: runs.map((run) => ({
        ...run,
        metrics: run.metrics.map((metric) => (metric.kind === 'episode' ? { ...metric, operatorSteps: 0 } : metric)),
      })),
    }))
    const drawn = sectionOf([compared[0]!, { ...compared[1]!, rows: alone }]).plots
    expect(drawn.map(({ name }) => name)).toEqual(['interventions-standard'])
  })

  it('has the published figures beside ours', () =>
    expect(tables.at(-1)!.rows[3]).toEqual(['single actor', '88', '96', '92.0', '30.7']))

  it('says what the encoder has seen, how shaky the demonstrations are, and who corrects', () => {
    const text = notes.join('\n')
    expect(text).toContain(
      'Encoder: nano, frozen, pretrained on two hours of scripted play in the same simulated workcell',
    )
    expect(text).toContain('20 demonstrations a task by the scripted expert, whose actions wander by 0.2')
    expect(text).toContain('**strong operator** (`standard`): As ever. 20 demonstrations')
    expect(text).toContain("the dual actor's step 0 is 25.0 %. Operator (strong): takes over when")
    expect(text).toContain("the dual actor's step 0 is 25.0 %. Nobody corrects.")
    expect(text).toMatch(
      /of the steps\. Not in these tables: HG-DAgger, HIL-ConRFT \(flat\), dual actor, critics silent\./,
    )
    expect(text).toMatch(/of the steps\. Not in these tables: HG-DAgger, DSRL, dual actor, critics silent\.$/m)
    expect(text).toContain('10 commands, in force for 5.0 % of the steps')
  })

  it("says what a person's device keeps a hand from", () => {
    const { settings } = REGIMES.find(({ name }) => name === 'human')!
    const [note] = sectionOf([{ regime: none, rows: rowsIn('ssss', settings), spoken: [said] }]).notes.slice(-1)
    expect(note).toContain("demonstrations a task by the scripted expert at a person's device, whose pushes wander by")
    expect(note).toContain('Operator (person): takes over when')
    expect(note).toContain("2 axes at a time at 5 speeds, and none for the 200 ms that the gripper's button takes;")
    expect(notes.join('\n')).not.toContain('speeds')
  })
})
