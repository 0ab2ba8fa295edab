/** @file What steps under a command teach of commands: their own motion's label, where it is what was asked. */
import { describe, expect, it } from 'vitest'
import { heededLabels, type ToldStep } from '../../src/talk/heeded.ts'
import { LABEL_DEFAULTS } from '../../src/talk/labels.ts'
import { ruleTranslator } from '../../src/talk/translator.ts'

// five steps at 0.1 are 7.5 mm, a single one 1.5 mm: above the 1 mm of the rule
const translator = ruleTranslator({ ...LABEL_DEFAULTS, metresPerUnit: 0.015 })
const told = (command: string | null, x: number, y: number, z = 0, followed = true): ToldStep => ({
  action: Float32Array.of(x, y, z, 0, 0, 0, 1),
  command,
  followed,
})
const labels = (...steps: ToldStep[]) => heededLabels(steps, translator).map((label) => label?.command ?? null)
const times = (count: number, step: ToldStep) => Array<ToldStep>(count).fill(step)

describe('steps under a command', () => {
  it('teach what was done, where it is what was asked', () => {
    expect(labels(...times(3, told('move left', 0, 0.2)))).toEqual(['move left', 'move left', 'move left'])
  })

  it('teach all that was done: what was asked, and what came with it', () => {
    expect(labels(told('move left', 0.2, 0.2))).toEqual(['move left and forward'])
  })

  it('teach nothing where the tool went another way, stood still, or went along one of two axes alone', () => {
    expect(labels(told('move left', 0, -0.2))).toEqual([null])
    expect(labels(told('move left', 0, 0.01))).toEqual([null]) // 0.15 mm
    expect(labels(told('move left and up', 0, 0.2, 0))).toEqual([null])
    expect(labels(told('move left and up', 0, 0.2, 0.2))).toEqual(['move left and up'])
  })

  it('teach nothing where nobody followed, nobody spoke, or nothing was asked', () => {
    expect(labels(told('move left', 0, 0.2, 0, false), told(null, 0, 0.2), told('[null]', 0, 0.2))).toEqual([
      null,
      null,
      null,
    ])
    expect(labels(told('sing', 0, 0.2))).toEqual([null])
  })

  it('are judged over a window that ends with the command: what follows is of another', () => {
    // by themselves the first two go left by 3 mm; with what follows, 2 mm to the right
    const steps = [...times(2, told('move left', 0, 0.1)), ...times(3, told('move right', 0, -0.11))]
    expect(labels(...steps)).toEqual(['move left', 'move left', 'move right', 'move right', 'move right'])
  })
})
