import { describe, expect, it } from 'vitest'
import { samplesOf } from '../../src/studies/corrections.ts'
import {
  type CriticCalibration,
  sectionOf as calibrationSection,
  fit,
  reliability,
} from '../../src/studies/critic-calibration.ts'
import { borderline } from '../../src/studies/label-audit.ts'
import { LABEL_DEFAULTS } from '../../src/talk/labels.ts'

const rule = { ...LABEL_DEFAULTS, metresPerUnit: 0.015 }
const still = (x: number, roll = 0, grip = 1) => [x, 0, 0, roll, 0, 0, grip]

describe('samples of a correction', () => {
  it('hold what was pushed and what was meant, over the same windows, cut at the end', () => {
    // three steps: 0.1 units forward each (1.5 mm), pushed 0.2 to the left as well
    const segment = {
      task: 'pick',
      seed: 0,
      pushed: Array(3).fill([0.1, 0.2, 0, 0, 0, 0, 1]),
      still: Array(3).fill(still(0.1)),
    }
    const samples = samplesOf([segment], rule)
    expect(samples.map(({ window }) => window)).toEqual([3, 2, 1])
    expect(samples.map(({ meant }) => meant)).toEqual([
      [1, 0, 0],
      [1, 0, 0],
      [1, 0, 0],
    ])
    expect(samples.map(({ said }) => said)).toEqual([
      [1, 1, 0],
      [1, 1, 0],
      [1, 1, 0],
    ])
    expect(samples[0]!.delta[1]).toBeCloseTo(0.009, 12)
    expect(samples[0]!.intended[0]).toBeCloseTo(0.0045, 12)
  })
  it('weigh rotation at a lever of 0.1 m: 0.3 units of turning beside 0.1 of moving are three quarters', () => {
    const [sample] = samplesOf([{ task: 'pick', seed: 0, pushed: [still(0.1)], still: [still(0.1, 0.3)] }], rule)
    expect(sample!.rotationShare).toBeCloseTo(0.75, 12)
    expect(sample!.turn).toBeCloseTo(0.045, 12)
  })
  it('see a reversal beyond the threshold on both sides, and a change of the gripper', () => {
    const of = (...actions: number[][]) =>
      samplesOf([{ task: 'pick', seed: 0, pushed: actions, still: actions }], rule)[0]!
    expect(of(still(0.1), still(-0.1)).reverses).toBe(true) // 1.5 mm each way
    expect(of(still(0.1), still(-0.05)).reverses).toBe(false) // back by 0.75 mm
    expect(of(still(0.1, 0, -1), still(0.1, 0, 1)).gripperChanges).toBe(true)
    expect(of(still(0.1), still(0.1)).gripperChanges).toBe(false)
  })
  it('tell errors near the threshold from others', () => {
    const [sample] = samplesOf([{ task: 'pick', seed: 0, pushed: [still(0)], still: [still(0.1)] }], rule) // meant 1.5 mm
    const far = { ...sample!, intended: [0.009, 0, 0] as const }
    expect(borderline([sample!])).toBe(1)
    expect(borderline([sample!, far])).toBe(0.5)
  })
})

describe('calibration', () => {
  it('takes bias, correlation and error by hand', () => {
    const found = fit([0, 1, 2], [1, 1, 4])
    expect(found.bias).toBeCloseTo(-1, 12)
    expect(found.correlation).toBeCloseTo(Math.sqrt(3) / 2, 12) // covariance 1, variances 2/3 and 2
    expect(found.error).toBeCloseTo(Math.sqrt(5 / 3), 12)
  })
  it('groups steps by what was promised, and gives what came', () =>
    expect(reliability([0, 0.2, 0.9, 1], [0, 1, 0, 1], 2)).toEqual([
      { x: 0.1, y: 0.5, steps: 2 },
      { x: 0.95, y: 0.5, steps: 2 },
    ]))
  it('reports each task at each checkpoint, and the last one in words', () => {
    const at = (robotSteps: number, q: number[]): CriticCalibration => ({
      seed: 0,
      robotSteps,
      tasks: { pick: { q, returned: [0.5, 1], episodes: 1, successes: 1 } },
    })
    const { tables, notes, plots } = calibrationSection([at(0, [0, 0.1]), at(600, [0.7, 1.2])])
    expect(tables[0]!.rows.map((row) => [row[2], row[7]])).toEqual([
      ['0.0', '-0.70'],
      ['1.0', '+0.20'],
    ])
    expect(notes[0]).toContain('pick: bias +0.20, correlation 1.00')
    expect(plots.map(({ name }) => name)).toEqual(['bias', 'reliability'])
  })
})
