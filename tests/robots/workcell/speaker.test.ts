/** @file The simulated person who speaks: when, what, for how long. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expertAction } from '../../../src/robots/workcell/expert.ts'
import { DEFAULT_SPEAKER, Speaker, type SpeakerOptions } from '../../../src/robots/workcell/operator/speaker.ts'
import { expertAhead } from '../../../src/robots/workcell/operator/voice.ts'
import { Workcell } from '../../../src/robots/workcell/workcell.ts'
import { LABEL_DEFAULTS } from '../../../src/talk/labels.ts'
import { ruleTranslator } from '../../../src/talk/translator.ts'

const still = new Float32Array(7)
const observation = { images: {}, proprio: new Float32Array(), time: 0 }
let cell: Workcell
beforeAll(async () => {
  cell = await Workcell.create({ arm: 'gantry', cameras: false })
})
afterAll(() => cell.free())

/** The tool rests over the bolt and is suddenly 18 cm to the robot's left before look number `jump`. Returns what was said at each look. */
function listen(speaker: Speaker, jump: number, looks: number): (string | undefined)[] {
  cell.resetSync('pick', 3)
  speaker.begin('pick')
  const said: (string | undefined)[] = []
  for (let look = 0; look < looks; look++) {
    if (look === jump) for (let i = 0; i < 12; i++) cell.stepSync(Float32Array.of(0, 1, 0, 0, 0, 0, 0))
    said.push(speaker.tend(observation, still).command)
  }
  return said
}

/** In the words of the rule, by the workcell's own scale. */
const speaking = (options: Partial<SpeakerOptions>) =>
  new Speaker(cell, ruleTranslator({ ...LABEL_DEFAULTS, metresPerUnit: 0.015 }), options)

/** Only the distance to the goal makes this one speak. */
const calm = { patience: { steps: 1000, fall: 0 } }

describe('the speaker', () => {
  it('is late by its picture and by the time it takes to speak, and its command holds as long as it says', () => {
    const said = listen(speaking({ ...calm, delay: 2, speaking: 5, hold: 6 }), 3, 20)
    expect(said.map((command) => command !== undefined)).toEqual(
      Array.from({ length: 20 }, (_, look) => look >= 3 + 2 + 5 && look < 3 + 2 + 5 + 6),
    )
  })

  it('asks for the way back, the same words until they expire', () => {
    const said = listen(speaking({ ...calm, delay: 0, speaking: 0, hold: 4 }), 2, 6)
    expect(new Set(said.slice(2)).size).toBe(1)
    expect(said[2]).toMatch(/^move right/)
  })

  it('says when it is enough: once its picture shows that the tool went too far along one axis', () => {
    /** The tool, from 16 cm beside the bolt, goes to the right for as long as it is told to. */
    const sent = (delay: number) => {
      const speaker = speaking({ ...calm, delay, speaking: 0, hold: 60 })
      cell.resetSync('pick', 3)
      speaker.begin('pick')
      speaker.tend(observation, still)
      for (let i = 0; i < 12; i++) cell.stepSync(Float32Array.of(0, 1, 0, 0, 0, 0, 0))
      const course: { y: number; told: boolean }[] = []
      for (let look = 0; look < 40; look++) {
        const { command } = speaker.tend(observation, still)
        course.push({ y: cell.truth().tcp.position[1], told: command !== undefined })
        if (command) cell.stepSync(Float32Array.of(0, -1, 0, 0, 0, 0, 0))
      }
      const under = course.filter(({ told }) => told)
      return { start: course[0]!, told: under.length, last: under.at(-1)! }
    }
    const prompt = sent(0)
    const goal = cell.truth().bolts[0]!.position[1]
    expect(prompt.start.y - goal).toBeGreaterThan(0.15)
    expect(Math.abs(prompt.last.y - goal)).toBeLessThan(0.015) // a step at full speed
    const late = sent(3) // by three looks: three steps too far
    expect(late.told).toBe(prompt.told + 3)
    expect(prompt.last.y - late.last.y).toBeCloseTo(3 * 0.015, 3)
  })

  it('says exactly what the displacement of the expert over the next five steps sums to, axis by axis', async () => {
    const other = await Workcell.create({ arm: 'gantry', cameras: false })
    const said = new Set<string | undefined>()
    // some way into the task, where the expert is about to turn from one direction to the next
    for (const [seed, before] of [
      [1, 0],
      [2, 6],
      [3, 9],
      [4, 16],
      [5, 20],
      [6, 24],
    ] as const) {
      for (const each of [cell, other]) {
        each.resetSync('place', seed)
        for (let i = 0; i < before; i++) each.stepSync(expertAction(each.truth()))
      }
      const speaker = speaking({ delay: 0, speaking: 0, patience: { steps: 1, fall: 100 } }) // nobody is that fast
      speaker.begin('place')
      speaker.tend(observation, still)
      for (const each of [cell, other]) each.stepSync(still)
      const { command } = speaker.tend(observation, still)
      const sum = [0, 0, 0]
      for (let step = 0; step < 5; step++) {
        const action = expertAction(other.truth())
        for (let axis = 0; axis < 3; axis++) sum[axis]! += 0.015 * action[axis]!
        other.stepSync(action)
      }
      const word = (axis: number, names: [string, string]) =>
        Math.abs(sum[axis]!) > 0.001 ? [sum[axis]! > 0 ? names[0] : names[1]] : []
      const words = [...word(1, ['left', 'right']), ...word(0, ['forward', 'backward']), ...word(2, ['up', 'down'])]
      expect(command).toBe(words.length ? `move ${words.join(' and ')}` : undefined)
      said.add(command)
    }
    expect(said.size).toBeGreaterThan(3)
    other.free()
  })

  it('speaks again after a pause while nothing improves, and counts', () => {
    const speaker = speaking({ delay: 0, speaking: 2, hold: 3, quiet: 4, patience: { steps: 6, fall: 2.5 } })
    const said = listen(speaker, -1, 20).map((command) => command !== undefined)
    // six steps stuck, two to speak; then from the end of the command the same again
    const first = 6 + 2
    const second = first + 3 + 6 + 2
    expect(said).toEqual(said.map((_, look) => (look >= first && look < first + 3) || look >= second))
    expect(speaker.report()).toEqual({
      steps: 20,
      spokenSteps: 3 + (20 - second),
      commands: 2,
      wordless: 0,
      reasons: { stuck: 2, off: 0, funnel: 0, force: 0 },
    })
  })

  it('leaves the scene bit by bit as it was when it thinks ahead', () => {
    cell.resetSync('assemble', 5)
    const before = cell.snapshot()
    expertAhead(cell, before, 5)
    const after = cell.snapshot()
    expect(after).toEqual(before)
  })

  it('refuses times that are no whole steps', () => {
    expect(() => speaking({ hold: 0 })).toThrow('speaker.hold: is 0. Give a whole number of steps from 1 up')
    expect(() => speaking({ delay: 0.5 })).toThrow('speaker.delay')
    expect(DEFAULT_SPEAKER.hold).toBe(15)
  })
})
