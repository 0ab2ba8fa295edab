/** @file Commands from a table: every way to say a command gives its vector, nothing that was not understood moves the arm. */
import { describe, expect, it } from 'vitest'
import { embedCommands, tableCommandEncoder } from '../../src/talk/embedding.ts'
import { LABEL_DEFAULTS } from '../../src/talk/labels.ts'
import { ruleTranslator } from '../../src/talk/translator.ts'
import { allCommands } from '../../src/talk/vocabulary.ts'

const { commands } = ruleTranslator({ ...LABEL_DEFAULTS, metresPerUnit: 0.015 })

/** The place in the vocabulary, and its square. */
const numbered = () =>
  embedCommands(async (command) => {
    const place = allCommands().indexOf(command)
    return Float32Array.of(place, place ** 2)
  }, commands)

describe('a command table', () => {
  it('embeds each of the 27 commands once', async () => {
    const asked: string[] = []
    await embedCommands(async (command) => {
      asked.push(command)
      return Float32Array.of(0)
    }, commands)
    expect(asked).toEqual(allCommands())
  })

  it('gives the vector of the command that a phrase stands for', async () => {
    const { width, embed } = tableCommandEncoder(await numbered(), commands)
    expect(width).toBe(2)
    for (const [place, command] of allCommands().entries())
      expect(embed(command)).toEqual(Float32Array.of(place, place ** 2))
    expect(embed('a bit to the left')).toEqual(embed('move left'))
    expect(embed('Go up and back!')).toEqual(embed('move backward and up'))
  })

  it('takes what nobody understands for "[null]"', async () => {
    const { embed } = tableCommandEncoder(await numbered(), commands)
    for (const phrase of ['left and right', "don't go up", 'make coffee', ''])
      expect(embed(phrase)).toEqual(embed('[null]'))
  })

  it('hands out copies', async () => {
    const { embed } = tableCommandEncoder(await numbered(), commands)
    embed('move left').fill(9)
    expect(embed('move left')).not.toEqual(Float32Array.of(9, 9))
  })

  it('is refused if a command is missing or has another width', async () => {
    const table = await numbered()
    const { 'move left': _, ...without } = table
    expect(() => tableCommandEncoder(without, commands)).toThrow('command table, "move left": is missing')
    const uneven = { ...table, 'move up': Float32Array.of(1) }
    expect(() => tableCommandEncoder(uneven, commands)).toThrow('"move up": has 1 entries, "[null]" has 2')
  })
})
