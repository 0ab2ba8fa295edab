import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { haltIn, haltInUnfinished } from '../../src/talk/halt-words.ts'
import { completions, understandPhrase } from '../../src/talk/phrases.ts'
import { allCommands, FILLERS, SYNONYMS } from '../../src/talk/vocabulary.ts'

const kind = (text: string) => haltIn(text)?.kind ?? null

/** As dictation and phones write them: no apostrophe, another one, nothing between two words, other letters. */
const WRITTEN = [
  "don't move",
  'don‘t move',
  'don‛t move',
  'don′t move',
  'donʼt move',
  'don＇t move',
  'DoN’T mOvE',
  'dont move',
]

/** What people shout at a machine that is about to do harm. */
const STOPS = [
  ...[
    'stop',
    'no, stop',
    'wait stop',
    'STOP THE ARM!!',
    'you have to stop it',
    'please stop',
    "don't stop",
    'stopping',
  ],
  ...[
    'halt',
    'freeze',
    'whoa there',
    'abort',
    'abort mission',
    'cancel that',
    'kill it',
    'quit',
    'shut it down',
    'help!',
  ],
  ...['e-stop', 'E STOP', 'estop', 'emergency', 'hit the emergency stop', 'power off', 'turn it off', 'switch off'],
  ...[
    "don't move",
    'DONT MOVE',
    'do not move',
    'don’t move',
    'no no',
    'no, no, no',
    'watch out',
    'look out',
    'keep away',
  ],
  ...[
    'stooooop',
    'haaalt',
    'whoaaa',
    's t o p',
    'S.T.O.P.',
    'st op',
    's-top',
    'left,stop',
    'pleasestop',
    'sto\u200bp',
    'ＳＴＯＰ',
  ],
  ...['Stopp!', 'anhalten', 'arrêtez', 'ALTO', 'stahp', 'hands up', 'ストップ', '停', '🛑', 'стой'],
]
const PAUSES = [
  ...['wait', 'wait a second', 'hold on', 'hold it', 'hold', 'hold the bolt', 'pause', 'hang on', 'one moment', 'stay'],
  ...[
    'no',
    'nooo',
    'nope',
    "don't",
    'dont do that',
    'do not go there',
    'enough',
    "that's enough",
    'let go',
    'let me go',
  ],
  ...[
    'easy',
    'careful',
    'slow down',
    'not so fast',
    'calm down',
    'back off',
    'you are going to hit the table',
    'waaait',
  ],
  ...[
    'stpo',
    'sotp',
    'stip',
    'hlat',
    'wiat',
    'puase',
    'abrot',
    'cancle',
    'emergancy',
    'weight',
    'my finger!',
    'oops',
    'never mind',
    'warte',
    'nein',
    '等一下',
  ],
]
const NEITHER = [
  ...[
    '',
    ' ',
    '...',
    'left',
    'a step to the left',
    'quite a bit up',
    'not left',
    'nothing',
    'now go up',
    'further away',
  ],
  ...['half a step down', 'come back', 'at once', 'on and on', 'make me a sandwich', 'the hole', 'place it'],
]

const MORE_STOPS = [
  ...['pull the plug', 'disengage', 'deactivate it', 'disable the robot', 'escape', 'esc', 'ctrl c', 'this is unsafe'],
  ...['nono', 'NoNoNo!', 'whoah', 'woa there', 'please could you stop', 'stop stop stop', "you're crushing it"],
  ...['something is burning', 'my sleeve is caught in it', 'e_stop', '(stop)', 'stop‽', 'full stop', 'come to a halt'],
  ...[
    'hör auf',
    'hoer auf',
    'quieto',
    'párate',
    'fermi',
    'ne bouge pas',
    'やめて',
    'हाथ रोको',
    'хватит',
    'σταμάτα',
    'หยุด',
  ],
]
const MORE_PAUSES = [
  ...[
    'wrong way',
    'wrong',
    'other way',
    'not there',
    'not that way',
    'not like that',
    'never',
    'negative',
    "that's it",
  ],
  ...['that will do', 'do nothing', 'relax', 'take five', 'slow it down', 'heads up', 'hey hey', 'oh my god', 'aaaah'],
  ...['argh', 'uh-uh', 'it is going to fall', "there's somebody in the way", 'a person!', 'malfunction', 'oi', '待て'],
]
/** A word that is part of another halts, too: better one halt for nothing. The bolt may be said to be anything else. */
const INSIDE = ['unstoppable', 'nonstop', 'non-stop', 'stopper', 'the bus stop', 'doorstop', 'stopwatch', 'freezer']

/** Phrases that are motion, or nearly: every word that commands are said with. */
const motion = fc
  .array(
    fc.constantFrom(...allCommands(), ...Object.keys(SYNONYMS), ...FILLERS, 'left', 'right', 'up', 'a bit', 'far'),
    {
      maxLength: 8,
    },
  )
  .map((list) => list.join(' '))

describe('words that halt the robot', () => {
  it.each(STOPS)('"%s" stops', (text) => expect(kind(text)).toBe('stop'))
  it.each(PAUSES)('"%s" pauses', (text) => expect(kind(text)).toBe('pause'))
  it.each([...MORE_STOPS, ...WRITTEN, ...INSIDE])('"%s" stops', (text) => expect(kind(text)).toBe('stop'))
  it.each(MORE_PAUSES)('"%s" pauses', (text) => expect(kind(text)).toBe('pause'))
  it.each(NEITHER)('"%s" does neither', (text) => expect(kind(text)).toBeNull())

  it('are no part of any motion', () => {
    fc.assert(
      fc.property(motion, (text) => kind(text) === null),
      { numRuns: 500 },
    )
    for (const command of allCommands()) expect(kind(command)).toBeNull()
  })

  it('halt wherever they stand in a motion, however they are written, and nothing is done or offered', () => {
    const separated = fc.constantFrom(' ', ', ', '! ', ' - ', '... ', '\n')
    const shout = fc.constantFrom<(text: string) => string>(
      (text) => text,
      (text) => text.toUpperCase(),
      (text) => `${text}!!!`,
      (text) => `“${text}”`,
    )
    fc.assert(
      fc.property(
        ...[motion, motion, fc.constantFrom(...STOPS, ...PAUSES), separated, shout],
        (before, after, halt, gap, cry) => {
          const text = before + gap + cry(halt) + gap + after
          const found = kind(text)
          expect(found).not.toBeNull()
          if (STOPS.includes(halt)) expect(found).toBe('stop')
          const reading = understandPhrase(text)
          expect(reading).toHaveProperty(found!)
          expect(reading).not.toHaveProperty('command')
          expect(reading).not.toHaveProperty('suggestions')
          expect(completions(text)).toEqual([])
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('are heard in a phrase that is too long for a command', () => {
    expect(kind(`${'go on '.repeat(500)}and stop`)).toBe('stop')
  })

  it('never throw, whatever is said', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        expect(['stop', 'pause', null]).toContain(kind(text))
        expect(['stop', 'pause', undefined]).toContain(haltInUnfinished(text)?.kind)
      }),
    )
  })
})

describe('words that are still being typed', () => {
  const typed = (text: string) => haltInUnfinished(text)?.kind ?? null
  const firstHalt = (text: string) =>
    Array.from(text, (_, i) => text.slice(0, i + 1)).find((part) => typed(part) !== null) ?? null

  it.each([
    ['stop', 'stop'],
    ['please stop moving', 'please stop'],
    ['don’t move', 'don’t'],
    ['go left, wait', 'go left, wait'],
    ['no, left', 'no,'],
    ['stpo it', 'stpo '],
  ])('"%s" halts at "%s"', (text, at) => expect(firstHalt(text)).toBe(at))

  it('do not halt on the way to a command', () => {
    for (const text of [
      ...allCommands(),
      'nothing',
      'now a step to the top left',
      'quite a bit up',
      'further off'.slice(0, 8),
    ])
      if (kind(text) === null) expect(firstHalt(text), text).toBeNull()
    fc.assert(
      fc.property(motion, (text) => firstHalt(text) === null),
      { numRuns: 100 },
    )
  })
})
