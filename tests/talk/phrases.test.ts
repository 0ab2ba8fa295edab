import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { completions, understandPhrase } from '../../src/talk/phrases.ts'
import { slipsBetween } from '../../src/talk/slips.ts'
import { allCommands, FILLERS, parseCommand, SYNONYMS } from '../../src/talk/vocabulary.ts'

const command = (phrase: string) => {
  const reading = understandPhrase(phrase)
  return 'command' in reading ? reading.command : reading
}
const refusal = (phrase: string) => {
  const reading = understandPhrase(phrase)
  if (!('refused' in reading)) throw new Error(`understood ${JSON.stringify(phrase)} as ${JSON.stringify(reading)}`)
  return reading
}

const DIRECTIONS = ['left', 'right', 'forward', 'backward', 'up', 'down'].map((word) => `move ${word}`)

describe('free phrases', () => {
  it('read every canonical command as itself', () => {
    expect(allCommands().map(command)).toEqual(allCommands())
  })

  it.each([
    ['a bit to the left', 'move left'],
    ['left', 'move left'],
    ['LEFT!!!', 'move left'],
    ['go up and back', 'move backward and up'],
    ['a little more to the right and down please', 'move right and down'],
    ['can you go straight ahead, and higher', 'move forward and up'],
    ['lower it a tad, then left', 'move left and down'],
    ['away from me', 'move forward'],
    ['toward me and up', 'move backward and up'],
    ['towards the right', 'move right'],
    ['upper left', 'move left and up'],
    ['go right, and up', 'move right and up'],
    ['quite a bit to the left', 'move left'],
    ['um, keep going forwards', 'move forward'],
    ['left left left', 'move left'],
    ['nothing', '[null]'],
    ['[NULL]', '[null]'],
  ])('understand "%s"', (phrase, wanted) => expect(command(phrase)).toBe(wanted))

  it('tell how far was meant, and show what was understood', () => {
    expect(understandPhrase('a bit to the left')).toEqual({
      command: 'move left',
      magnitude: { said: 'a bit', size: 'small' },
      understood: 'move left (a bit)',
    })
    expect(understandPhrase('far up')).toMatchObject({ magnitude: { said: 'far', size: 'large' } })
    expect(understandPhrase('up')).toMatchObject({ magnitude: null, understood: 'move up' })
  })

  it.each([
    ['move left 20 mm', 'move left', 0.02, 'move left (20 mm)'],
    ['20mm to the left', 'move left', 0.02, 'move left (20 mm)'],
    ['please go up and left by-5 mm', 'move left and up', 0.005, 'move left and up (5 mm)'],
    ['2.5 cm backward', 'move backward', 0.025, 'move backward (2.5 cm)'],
    ['2,5 cm down', 'move down', 0.025, 'move down (2,5 cm)'],
    ['two centimetres right', 'move right', 0.02, 'move right (two centimetres)'],
    ['Ninety Millimeters up', 'move up', 0.09, 'move up (ninety millimeters)'],
    ['one inch forward', 'move forward', 0.0254, 'move forward (one inch)'],
    ['just a bit left, 8 mm', 'move left', 0.008, 'move left (8 mm)'],
    ['0.1 m left', undefined, undefined, undefined], // "m" alone is a slip of too many words
  ])('hear the distance of "%s"', (phrase, command, metres, understood) => {
    if (command === undefined) return expect(understandPhrase(phrase)).toHaveProperty('refused')
    const reading = understandPhrase(phrase)
    expect(reading).toMatchObject({ command, magnitude: null, understood })
    expect('command' in reading && reading.distance?.metres).toBeCloseTo(metres!, 12)
  })

  it('offer the units of a number', () => {
    expect(completions('left 20')[0]).toBe('left 20 mm')
    expect(completions('left 20 ')[0]).toBe('left 20 mm')
    expect(completions('left 2')).not.toContain('left 2 mm') // too little
    expect(completions('left 2')[0]).toBe('left 2 cm')
  })

  it.each(['stop', 'STOP!', 'stop now please', 'halt', 'emergency stop', 'stop moving left'])(
    'hear "%s" as the wish to stop',
    (phrase) => expect(understandPhrase(phrase)).toEqual({ stop: true, understood: 'stop' }),
  )

  it.each(['wait', 'no, left', "don't go up", 'hold the bolt and go up'])('hear "%s" as the wish to wait', (phrase) =>
    expect(understandPhrase(phrase)).toEqual({ pause: true, understood: 'pause' }),
  )

  it.each([
    ['left and right', /contradict/, ['move left', 'move right']],
    ['up and left and down', /contradict/, ['move left and up', 'move left and down']],
    ['not up', /"not"/, ['move down', 'nothing']],
    ['you are too far left', /"too"/, ['move right', 'nothing']],
    ['less left', /"less"/, ['move right', 'nothing']],
    ['up instead of left', /"instead"/, ['nothing']],
    ['it is not left of the bolt', /"not"/, ['nothing']],
    ['it is right', /how it is: "is"/, ['nothing']],
    ['it drifted left', /how it is: "drifted"/, ['nothing']],
    ['why are you going left', /how it is: "why"/, ['nothing']],
    ['right now', /how it is: "right now"/, ['nothing']],
    ['right up', /several/, ['move up', 'move right and up']],
    ['go right back', /several/, ['move backward', 'move right and backward']],
    ['move lef', /"lef".*"left"/, ['move left']],
    ['rihgt', /"rihgt".*"right"/, ['move right']],
    ['move forwrad and upp', /"forward" and "up"/, ['move forward and up']],
    ['5 left', /"5".*number with its unit/, ['move left']],
    ['some mm left', /"mm".*number with its unit/, ['move left']],
    ['left twice', /"twice".*number with its unit/, ['move left']],
    ['2 mm left', /"2 mm".*5 mm to 100 mm/, ['move left 5 mm']],
    ['left and up 1 metre', /5 mm to 100 mm/, ['move left and up 100 mm']],
    ['left 0 mm', /5 mm to 100 mm/, ['move left 5 mm']],
    ['left -20 mm', /no sign/, DIRECTIONS],
    ['-20 mm left', /no sign/, DIRECTIONS],
    ['left 10 mm and up 20 mm', /one distance/, ['move left and up 10 mm', 'move left and up 20 mm']],
    ['nothing 20 mm', /nothing and something/, ['nothing']],
    ['20 mm', /no direction/, DIRECTIONS],
    ['left faster', /not a speed/, ['move left']],
    ['twist left', /take over/, ['move left']],
    ['open the gripper', /take over/, []],
    ['up to the table', /not a place/, ['move up']],
    ['back up a bit', /several/, ['move backward', 'move up']],
    ['up the stairs', /"stairs"/, []],
    ['nothing left', /nothing and something/, ['nothing']],
  ])('refuse "%s" and say why', (phrase, reason, suggestions) => {
    const { refused, suggestions: got } = refusal(phrase)
    expect(refused).toMatch(reason)
    expect(got).toEqual(suggestions)
  })

  it.each(['please', '', '   ', '...', '\u0000', 'go'])('hear no direction in %j, and name all six', (phrase) => {
    expect(refusal(phrase).suggestions).toHaveLength(6)
  })

  it.each([
    ['you keep going left', 'left'],
    ['you always go up', 'up'],
    ['drifting left', 'left'],
    ['it leans right', 'right'],
    ['it drifts forward', 'forward'],
    ['that is just right', 'right'],
    ['your too far right', 'right'],
    ['its too low', 'down'],
    ['ever so slightly left', 'right'],
    ['clean up', 'up'],
    ['wake up', 'up'],
  ])('of a complaint, or of what is no motion, offer nothing of its own: "%s", not %s', (phrase, direction) => {
    const reading = understandPhrase(phrase)
    expect(reading).not.toHaveProperty('command')
    expect(refusal(phrase).suggestions.join()).not.toContain(direction)
  })

  it('of a slip offer what it was meant to be', () => {
    expect(refusal('mvoe lfet').suggestions).toEqual(['move left'])
    expect(refusal('omve to the rihgt').suggestions).toEqual(['move right'])
    expect(refusal('plaese go forwrd').suggestions).toEqual(['move forward'])
  })

  it('agree with the vocabulary wherever that understands', () => {
    const words = [...Object.keys(SYNONYMS), ...FILLERS, 'left', 'right', 'forward', 'backward', 'up', 'down', 'not']
    let compared = 0
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 6 }), (list) => {
        const phrase = list.join(' ')
        const reading = understandPhrase(phrase)
        if ('command' in reading) {
          compared++
          expect(reading.command).toBe(parseCommand(phrase))
        }
      }),
      { numRuns: 500 },
    )
    expect(compared).toBeGreaterThan(100)
  })

  it('never throw and never guess, and every suggestion is understood', () => {
    const anything = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 300 }), fc.stringMatching(/^[a-z' ]{0,60}$/))
    fc.assert(
      fc.property(anything, (phrase) => {
        const reading = understandPhrase(phrase)
        if ('command' in reading) expect(allCommands()).toContain(reading.command)
        if ('refused' in reading)
          for (const suggestion of reading.suggestions)
            expect(understandPhrase(suggestion)).not.toHaveProperty('refused')
      }),
      { numRuns: 500 },
    )
  })

  it('answer at once, whatever is said', () => {
    const worst = ['ab '.repeat(66), 'x'.repeat(200), 'toward '.repeat(28), 'y'.repeat(1e6), 'lefp '.repeat(40)]
    const since = performance.now()
    for (const phrase of worst) understandPhrase(phrase)
    expect((performance.now() - since) / worst.length).toBeLessThan(50)
    expect(refusal('y'.repeat(1e6)).refused).toMatch(/too long/)
  })
})

describe('slips', () => {
  it.each([
    ['left', 'left', 0],
    ['lef', 'left', 1],
    ['rihgt', 'right', 1],
    ['forwrad', 'forward', 1],
    ['kitten', 'sitting', 3],
    ['', 'up', 2],
  ])('%s to %s: %i', (a, b, slips) => expect(slipsBetween(a, b)).toBe(slips))
})

describe('completions', () => {
  it('go on from what is typed', () => {
    expect(completions('move l', 3)).toEqual(['move left', 'move left and up', 'move left and down'])
    expect(completions('go up and b')).toEqual(['go up and backward'])
    expect(completions('A bit to the r')[0]).toBe('a bit to the right')
    expect(completions('tow')).toEqual(['toward me'])
    expect(completions('sto')).toEqual(['stop'])
    expect(completions('left')).toEqual(['left and forward', 'left and backward', 'left and up', 'left and down'])
    expect(completions('xyz')).toEqual([])
  })

  it('begin with what is typed, are understood, and each leads elsewhere', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^(move |go |a bit )?[a-z]{0,2}$/),
        fc.integer({ min: 1, max: 30 }),
        (typed, limit) => {
          const found = completions(typed, limit)
          expect(found.length).toBeLessThanOrEqual(limit)
          for (const phrase of found) expect(phrase.startsWith(typed)).toBe(true)
          const outcomes = found.map((phrase) => JSON.stringify(command(phrase)))
          expect(outcomes.filter((outcome) => outcome.includes('refused'))).toEqual([])
          expect(new Set(outcomes).size).toBe(outcomes.length)
        },
      ),
      { numRuns: 100 },
    )
  })
})

it('what cannot be followed is offered without the rest, in its own direction', () => {
  for (const word of ['left', 'right', 'up', 'down', 'forward', 'backward'])
    expect(understandPhrase(`${word} 5`)).toMatchObject({ suggestions: [`move ${word}`] })
})
