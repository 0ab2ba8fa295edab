/** @file The simulated operator with a voice: when it speaks, when it takes over instead, and when it has spoken in vain. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Action } from '../../../src/robot/robot.ts'
import { expertAction } from '../../../src/robots/workcell/expert.ts'
import { SimulatedOperator } from '../../../src/robots/workcell/operator/operator.ts'
import { DEFAULT_VOICE, isForWords, Voice, type VoiceOptions } from '../../../src/robots/workcell/operator/voice.ts'
import type { Truth } from '../../../src/robots/workcell/truth.ts'
import { Workcell } from '../../../src/robots/workcell/workcell.ts'
import { LABEL_DEFAULTS } from '../../../src/talk/labels.ts'
import { ruleTranslator } from '../../../src/talk/translator.ts'

const still: Action = new Float32Array(7)
const left: Action = Float32Array.of(0, 1, 0, 0, 0, 0, 0)
const observation = { images: {}, proprio: new Float32Array(), time: 0 }
const words = ruleTranslator({ ...LABEL_DEFAULTS, metresPerUnit: 0.015 })

let cell: Workcell
beforeAll(async () => {
  cell = await Workcell.create({ arm: 'gantry', cameras: false })
})
afterAll(() => cell.free())

/** Only an error that made things worse is a reason for this one, at once. */
const watchful = { patience: { steps: 1000, fall: 0 }, tolerance: 1, offset: 1, delay: 0, reaction: 2 }

const speaking = (
  voice: Partial<VoiceOptions> = {},
  changes: Partial<Parameters<typeof settings>[0]> = {},
  truth: () => Truth = () => cell.truth(),
) => new SimulatedOperator(truth, 0, settings(changes), new Voice(cell, words, voice))
const settings = (changes: Partial<SimulatedOperator['options']>) => ({ ...watchful, ...changes })

/**
 * The tool is on its way down to the bolt and slips to the left by so many steps of 15 mm. `obey`: what is done under a
 * command. Returns what the operator did at each look: a command, "hand", or nothing.
 */
function slip(operator: SimulatedOperator, steps: number, looks: number, obey: (command: string) => Action): string[] {
  cell.resetSync('pick', 3)
  for (let i = 0; i < 4; i++) cell.stepSync(expertAction(cell.truth()))
  operator.begin('pick')
  operator.tend(observation, still)
  for (let i = 0; i < steps; i++) cell.stepSync(left)
  for (let i = 0; i < 3; i++) cell.stepSync(still) // it comes to rest
  return Array.from({ length: looks }, () => {
    const { takeover, command } = operator.tend(observation, still)
    cell.stepSync(takeover ?? (command === undefined ? still : obey(command)))
    return takeover ? 'hand' : (command ?? '')
  })
}
const asTold = (command: string) => words.intent(command)
const deaf = () => still

describe('an error', () => {
  const plan = { translation: [0.03, 0, 0.02], rotation: [0, 0, 0.1], close: false } as const
  const near = (changes: object) =>
    isForWords({ ...plan, ...changes } as Parameters<typeof isForWords>[0], 'open', { small: 0.04, turn: 0.15 })

  it('is one for words up to the distance, not beyond: 36 mm are, 41 mm are not', () => {
    expect(near({})).toBe(true) // √(30² + 20²) = 36.06
    expect(near({ translation: [0.03, 0, 0.028] })).toBe(false) // 41.04
  })

  it('is none where the tool has to turn, or the gripper to change: there are no words for that', () => {
    expect(near({ rotation: [0, 0, 0.16] })).toBe(false)
    expect(near({ close: true })).toBe(false)
  })
})

describe('an operator with a voice', () => {
  it('says the way back of a small error after the time that it takes to speak, and keeps the hands off', () => {
    const did = slip(speaking(), 2, 20, asTold)
    const first = did.findIndex((what) => what !== '')
    expect(did[first]).toMatch(/^move right/)
    expect(did).not.toContain('hand')
    const prompt = slip(speaking({ speaking: 0 }), 2, 20, asTold).findIndex((what) => what !== '')
    expect(first - prompt).toBe(DEFAULT_VOICE.speaking)
  })

  it('is silent again once the tool came far enough, and counts what was said', () => {
    const operator = speaking()
    const did = slip(operator, 2, 20, asTold)
    const told = did.filter((what) => what !== '').length
    expect(told).toBeLessThan(10)
    expect(did.at(-1)).toBe('')
    expect(Math.abs(cell.truth().tcp.position[1] - cell.truth().bolts[0]!.position[1])).toBeLessThan(0.015)
    expect(operator.report().spoken).toEqual({ steps: told, commands: 1, wordless: 0, vain: 0 })
    expect(operator.report().operatorSteps).toBe(0)
  })

  it('takes over at once, without a word, where the error is large', () => {
    const did = slip(speaking(), 8, 10, asTold) // 12 cm
    expect(did.slice(0, 3)).toEqual(['', '', 'hand'])
    expect(did.some((what) => what.startsWith('move'))).toBe(false)
  })

  it('takes over after two windows of five steps that changed nothing, once its hands are there', () => {
    const operator = speaking({ speaking: 0 })
    const did = slip(operator, 2, 20, deaf)
    const first = did.findIndex((what) => what !== '')
    const kinds = did.map((what) => (what.startsWith('move') ? 'w' : what === 'hand' ? 'h' : '-')).join('')
    expect(kinds.slice(first, first + 13)).toBe('wwwwwwwwww--h')
    expect(operator.report().spoken).toMatchObject({ commands: 1, vain: 1 })
    expect(operator.report().takeovers.off).toBe(1)
    expect(slip(speaking({ speaking: 0, tries: 1 }), 2, 20, deaf).indexOf('hand')).toBe(first + 5 + 2)
  })

  it('forgets what was in vain once words have helped: the first command deaf, then heard', () => {
    let heard = 0
    const did = slip(speaking({ speaking: 0 }), 2, 30, (command) => (++heard > 6 ? asTold(command) : still))
    expect(did).not.toContain('hand')
  })

  it('reaches for the robot while a command holds where something presses', () => {
    let pressed = false
    const truth = () => ({ ...cell.truth(), contactForce: pressed ? 70 : 0 })
    const did = slip(speaking({ speaking: 0 }, {}, truth), 2, 12, () => {
      pressed = true
      return still
    })
    const first = did.findIndex((what) => what !== '')
    // two looks at the force, then the hands after two steps
    expect(did.slice(first, first + 5).map((what) => (what.startsWith('move') ? 'move' : what))).toEqual([
      'move',
      'move',
      '',
      '',
      'hand',
    ])
  })

  it('reaches for it where something presses while the words are sought', () => {
    let looks = 0
    const truth = () => ({ ...cell.truth(), contactForce: looks++ > 3 ? 70 : 0 })
    const operator = speaking({ speaking: 8 }, {}, truth)
    const did = slip(operator, 2, 12, asTold)
    expect(did).toContain('hand')
    expect(did.some((what) => what.startsWith('move'))).toBe(false)
    expect(operator.report().takeovers).toMatchObject({ force: 1, off: 0 })
  })

  it('takes over where the error has become one without words while they were sought', () => {
    cell.resetSync('pick', 3)
    for (let i = 0; i < 4; i++) cell.stepSync(expertAction(cell.truth()))
    const operator = speaking({ speaking: 3 })
    operator.begin('pick')
    operator.tend(observation, still)
    const did: boolean[] = []
    for (let look = 0; look < 8; look++) {
      cell.stepSync(left) // further away by 15 mm a look
      did.push(operator.tend(observation, still).takeover !== undefined)
    }
    expect(did).toContain(true)
    expect(operator.report().spoken).toEqual({ steps: 0, commands: 0, wordless: 1, vain: 0 })
  })

  it('says left for right when it is confused, sees it, and is silent at once', () => {
    const did = slip(speaking({ speaking: 0 }, { confusion: 1 }), 2, 12, asTold)
    const first = did.findIndex((what) => what !== '')
    expect(did[first]).toMatch(/^move left/)
    expect(did[first + 1]).toBe('')
  })

  it('goes on from what it saved, and from what one without a voice has saved', () => {
    const operator = speaking()
    slip(operator, 2, 20, asTold)
    const resumed = speaking()
    resumed.restore(JSON.parse(JSON.stringify(operator.save())))
    expect(resumed.report()).toEqual(operator.report())
    expect(slip(resumed, 2, 20, asTold)).toEqual(slip(operator, 2, 20, asTold))
    expect(resumed.report().spoken!.commands).toBe(2)
    const silent = new SimulatedOperator(() => cell.truth(), 0, watchful)
    expect(silent.save().report).not.toHaveProperty('spoken')
    const late = speaking()
    late.restore(JSON.parse(JSON.stringify(silent.save())))
    slip(late, 2, 20, asTold)
    expect(late.report().spoken!.commands).toBe(1)
  })

  it('leaves the scene as it is: what it would do is tried in no robot', () => {
    const run = (operator: SimulatedOperator) => {
      slip(operator, 2, 6, deaf)
      return cell.snapshot()
    }
    expect(run(speaking({ speaking: 0 }))).toEqual(
      run(new SimulatedOperator(() => cell.truth(), 0, { ...watchful, tolerance: 1000 })),
    )
  })
})
