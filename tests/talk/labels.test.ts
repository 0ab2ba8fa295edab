import { describe, expect, it } from 'vitest'
import { LABEL_DEFAULTS, type LabelStep, labelInterventions } from '../../src/talk/labels.ts'
import { goldenCase, hasGolden } from './golden.ts'

const rule = { ...LABEL_DEFAULTS, metresPerUnit: 0.05 }
const tweak = (x: number, y = 0, z = 0): LabelStep => ({ action: [x, y, z, 0, 0, 0, 1], intervened: true })
const own: LabelStep = { action: [1, 1, 1, 0, 0, 0, 1], intervened: false }
const commands = (steps: LabelStep[]) => labelInterventions(steps, rule).map((label) => label?.command ?? null)

describe.skipIf(!hasGolden)('labels against the golden cases', () => {
  it.each(['labels-default', 'labels-other-axes'])('%s: commands, windows, sums and signs', (id) => {
    const { config, expect: wanted, tensor } = goldenCase(id)
    const [actions, intervened, episode] = ['in/actions', 'in/intervened', 'in/episode'].map(tensor)
    const steps = Array.from(intervened!, (flag, t) => ({
      action: actions!.subarray(7 * t, 7 * t + 7),
      intervened: flag === 1,
      episode: episode![t]!,
    }))
    const labels = labelInterventions(steps, {
      window: config.window,
      threshold: config.threshold_m,
      metresPerUnit: config.metres_per_unit,
      axes: config.axes,
      tie: config.tie_m,
    })
    expect(labels.map((label) => label?.command ?? null)).toEqual(wanted.commands)
    expect(labels.map((label) => label?.window ?? 0)).toEqual([...tensor('out/window_length')])
    expect(labels.flatMap((label) => label?.direction ?? [0, 0, 0]).map((sign) => sign + 0)).toEqual([
      ...tensor('out/signs'),
    ])
    const delta = tensor('out/delta_m')
    const got = labels.flatMap((label) => label?.delta ?? [0, 0, 0])
    const scale = Math.max(...delta.map(Math.abs))
    got.forEach((value, i) => {
      expect(Math.abs(value - delta[i]!)).toBeLessThanOrEqual(1e-6 * scale + 1e-9)
    })
  })
})

describe('labelInterventions', () => {
  it('sums a window of five steps ahead: 5 x 0.005 x 0.05 m passes 1 mm, 4 x 0.005 x 0.05 m is exactly on it', () => {
    const steps = [1, 2, 3, 4, 5].map(() => tweak(0.005))
    expect(commands(steps)).toEqual(['move forward', '[null]', '[null]', '[null]', '[null]'])
  })

  it('cuts the window at the end of the intervention, whatever the policy does next', () => {
    expect(commands([tweak(0.01), tweak(0.01), own, tweak(1)])).toEqual(['[null]', '[null]', null, 'move forward'])
  })

  it('cuts the window at the end of the episode', () => {
    const steps = [
      { ...tweak(0.01), episode: 1 },
      { ...tweak(-1), episode: 2 },
    ]
    expect(commands(steps)).toEqual(['[null]', 'move backward'])
  })

  it('says y, x, z in this order, y positive being left', () => {
    expect(commands([tweak(1, -1, 1)])).toEqual(['move right and forward and up'])
    expect(commands([tweak(-1, 1, -1)])).toEqual(['move left and backward and down'])
  })

  it('lets opposite steps cancel', () => {
    expect(commands([tweak(0.5), tweak(-0.5)])[0]).toBe('[null]')
  })

  it('refuses a rule that cannot work and an action without translations', () => {
    expect(() => labelInterventions([], { ...rule, window: 0 })).toThrow('labels.window: 0 is not a count of steps')
    expect(() => labelInterventions([], { ...rule, metresPerUnit: 0 })).toThrow('actionScale.translation')
    expect(() => labelInterventions([{ action: [1, 2], intervened: true }], rule)).toThrow('steps[0].action is [2]')
  })
})
