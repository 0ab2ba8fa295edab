/** @file What every translator promises: the specification runs on the rule and on a small one that knows no directions. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LabelFeed } from '../../src/console/server/label-feed.ts'
import { embedCommands, tableCommandEncoder } from '../../src/talk/embedding.ts'
import { LABEL_DEFAULTS, type LabelStep } from '../../src/talk/labels.ts'
import { directionAsked, openTranslator, ruleTranslator, type Translator } from '../../src/talk/translator.ts'
import { allCommands, commandDirection } from '../../src/talk/vocabulary.ts'
import { aReplay, feed } from '../replay/numbered.ts'

const settings = { kind: 'rule', rule: { ...LABEL_DEFAULTS, metresPerUnit: 0.015 } } as const

/** Turns of the wrist and the gripper, from each step by itself. */
const WRIST: Record<string, number[]> = {
  still: [0, 0, 0, 0, 0, 0, 0],
  clockwise: [0, 0, 0, 0, 0, -1, 0],
  anticlockwise: [0, 0, 0, 0, 0, 1, 0],
  close: [0, 0, 0, 0, 0, 0, 1],
}
const wristTranslator: Translator = {
  commands: {
    nothing: 'still',
    all: Object.keys(WRIST),
    read: (phrase) => {
      const word = phrase.trim().toLowerCase()
      return Object.hasOwn(WRIST, word) ? word : null
    },
  },
  window: 1,
  label: (steps) =>
    steps.map(({ action, intervened }) => {
      if (!intervened) return null
      const yaw = action[5] ?? 0
      const command = Math.abs(yaw) < 0.1 ? 'still' : yaw > 0 ? 'anticlockwise' : 'clockwise'
      return { command, window: 1, delta: [0, 0, 0], direction: [0, 0, 0] }
    }),
  intent(phrase) {
    return Float32Array.from(WRIST[this.commands.read(phrase) ?? 'still']!)
  },
}

const step: fc.Arbitrary<LabelStep> = fc.record({
  action: fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 7, maxLength: 7 }),
  intervened: fc.boolean(),
})

const translatorSpec = (name: string, translator: Translator) =>
  describe(name, () => {
    const { commands, window } = translator
    it('has each command once, "nothing" among them', () => {
      expect(new Set(commands.all).size).toBe(commands.all.length)
      expect(commands.all).toContain(commands.nothing)
    })

    it('reads each command as itself, and what it does not know as none', () => {
      for (const command of commands.all) expect(commands.read(command)).toBe(command)
      expect(commands.read('make me a sandwich')).toBeNull()
    })

    it('labels each step that the operator acted in with a command of its own, and no other', () => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
          const labels = translator.label(steps)
          expect(labels.map((label) => label !== null)).toEqual(steps.map(({ intervened }) => intervened))
          for (const [t, label] of labels.entries()) {
            if (!label) continue
            expect(commands.all).toContain(label.command)
            expect(label.window).toBeLessThanOrEqual(Math.min(window, steps.length - t))
          }
        }),
        { numRuns: 200 },
      )
    })

    it('labels a step by what comes within its window, and by nothing else', () => {
      fc.assert(
        fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), (steps) => {
          expect(translator.label(steps.slice(0, window))[0]).toEqual(translator.label(steps)[0])
        }),
        { numRuns: 200 },
      )
    })

    it('asks for nothing by "nothing" and by what it does not know, for something within the bounds of an action by all else', () => {
      expect([...translator.intent(commands.nothing)]).toEqual(Array(7).fill(0))
      expect([...translator.intent('make me a sandwich')]).toEqual(Array(7).fill(0))
      for (const command of commands.all) {
        const intent = [...translator.intent(command)]
        expect(intent).toHaveLength(7)
        for (const entry of intent) expect(Math.abs(entry)).toBeLessThanOrEqual(1)
        if (command !== commands.nothing) expect(intent.some((entry) => entry !== 0)).toBe(true)
      }
    })

    it('gives its intents away', () => {
      const command = commands.all.at(-1)!
      const before = [...translator.intent(command)]
      translator.intent(command).fill(9)
      expect([...translator.intent(command)]).toEqual(before)
    })
  })

translatorSpec('the rule', openTranslator(settings))
translatorSpec('a translator of turns', wristTranslator)

describe('the rule as a translator', () => {
  it('is made from data that crosses a thread', () => {
    const there = openTranslator(structuredClone(settings))
    const steps = Array.from({ length: 8 }, (_, t) => ({ action: [0.1, -0.2, t / 8, 0, 0, 0, 1], intervened: t !== 4 }))
    expect(there.label(steps)).toEqual(ruleTranslator(settings.rule).label(steps))
  })

  it('asks for the six directions and their sums', () => {
    const rule = openTranslator(settings)
    expect(rule.commands.all).toEqual(allCommands())
    expect([...rule.intent('move left')]).toEqual([0, 1, 0, 0, 0, 0, 0])
    expect([...rule.intent('move right and backward and up')]).toEqual([-1, -1, 1, 0, 0, 0, 0])
    for (const command of rule.commands.all) expect(directionAsked(rule, command)).toEqual(commandDirection(command))
  })

  it('labels what a command asks for as that command', () => {
    const rule = openTranslator(settings)
    for (const command of rule.commands.all) {
      const steps = Array.from({ length: rule.window }, () => ({ action: rule.intent(command), intervened: true }))
      expect(rule.label(steps)[0]!.command).toBe(command)
    }
  })
})

describe('whoever handles commands', () => {
  const { commands } = wristTranslator

  it('the replay: speaks of corrections in the words of its translator', () => {
    const replay = aReplay({ translator: wristTranslator })
    feed(replay, { episode: 1, steps: 12, operator: (t) => t > 8 }) // entry 5 of these actions is 0
    expect(replay.stats().tasks.place!.labels).toEqual({ still: 3 })
  })

  it('the console: tells one label a window, in the words of its translator', async () => {
    const told: string[] = []
    const feed = new LabelFeed(wristTranslator, ({ command }) => told.push(command))
    feed.begin()
    for (const yaw of [1, -1, 0])
      feed.step({ action: Float32Array.of(0, 0, 0, 0, 0, yaw, 0), actor: 'operator' } as never, null)
    await feed.end(0, 'pick')
    expect(told).toEqual(['anticlockwise', 'clockwise', 'still'])
  })

  it('a table of embeddings: has its commands, and "nothing" for what is none', async () => {
    const table = await embedCommands(async (command) => Float32Array.of(command.length), commands)
    expect(Object.keys(table)).toEqual(commands.all)
    const { embed } = tableCommandEncoder(table, commands)
    expect([embed(' Close ')[0], embed('move left')[0]]).toEqual(['close'.length, 'still'.length])
  })
})
