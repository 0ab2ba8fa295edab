import { describe, expect, it } from 'vitest'
import { builtInCommandEncoder } from '../../src/talk/embedding.ts'
import { allCommands, commandDirection, formatCommand, NULL_COMMAND, parseCommand } from '../../src/talk/vocabulary.ts'

describe('the vocabulary', () => {
  it('has 27 commands: none, 6 directions, 12 pairs, 8 triples', () => {
    const commands = allCommands()
    expect(new Set(commands).size).toBe(27)
    const sizes = commands.map((command) => (command === NULL_COMMAND ? 0 : command.split(' and ').length))
    expect([0, 1, 2, 3].map((size) => sizes.filter((s) => s === size).length)).toEqual([1, 6, 12, 8])
  })

  it('reads every command back as itself and as its direction', () => {
    for (const command of allCommands()) {
      expect(parseCommand(command)).toBe(command)
      expect(formatCommand(commandDirection(command))).toBe(command)
    }
    expect(commandDirection('move right and forward')).toEqual([1, -1, 0])
  })

  it.each([
    ['a bit to the left', 'move left'],
    ['Go up and back!', 'move backward and up'],
    ['please move a little lower', 'move down'],
    ['forward, right', 'move right and forward'],
    ['nothing', '[null]'],
    ['', '[null]'],
  ])('understands "%s"', (phrase, command) => expect(parseCommand(phrase)).toBe(command))

  it.each(['left and right', "don't go up", 'do not move left', 'twist the wrist', 'up the stairs', 'please'])(
    'does not guess at "%s"',
    (phrase) => expect(parseCommand(phrase)).toBeNull(),
  )
})

describe('the built-in command encoder', () => {
  const encoder = builtInCommandEncoder()
  const minus = (a: Float32Array, b: Float32Array) => a.map((value, i) => value - b[i]!)

  it('tells all 27 commands apart, and is the same every time', () => {
    const seen = new Set(allCommands().map((command) => encoder.embed(command).join()))
    expect(seen.size).toBe(27)
    expect(encoder.embed('move left')).toEqual(builtInCommandEncoder().embed('move left'))
    expect(encoder.embed('move left').length).toBe(encoder.width)
  })

  it('begins with one-hot signs of x, y and z, positive first, then a flag for nothing and one for a contradiction', () => {
    const places = (phrase: string) => [...encoder.embed(phrase).subarray(0, 8)].flatMap((x, i) => (x === 1 ? [i] : []))
    expect(['forward', 'backward', 'left', 'right', 'up', 'down', '[null]', 'left and right'].map(places)).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7].map((place) => [place]), // as checkpoints have learned it
    )
  })

  it('makes a pair the sum of its directions, so that pairs never seen are understood', () => {
    const [both, left, up] = ['move left and up', 'move left', 'move up'].map((c) => encoder.embed(c))
    expect(minus(both!, left!)).toEqual(up!)
  })

  it('hears a free phrase as its canonical command', () => {
    expect(encoder.embed('a bit to the left please')).toEqual(encoder.embed('move left'))
  })

  it('gives unknown words vectors of length 1 that hardly resemble each other', () => {
    const wide = builtInCommandEncoder(256)
    const [a, b] = ['wiggle', 'twist'].map((word) => wide.embed(word))
    const dot = (p: Float32Array, q: Float32Array) => p.reduce((sum, value, i) => sum + value * q[i]!, 0)
    expect(dot(a!, a!)).toBeCloseTo(1, 5)
    expect(Math.abs(dot(a!, b!))).toBeLessThan(0.25)
  })
})
