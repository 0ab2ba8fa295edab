import { expect, it } from 'vitest'
import { eventsOf, motionsOf } from '../../../../src/formats/lerobot/write/language.ts'

it('a command is an event where it begins to hold, and again after a pause', () => {
  const commands = ['move up', 'move up', null, 'move up', 'move left', 'move left']
  const said = eventsOf(commands.map((command) => ({ command }))).map((events) => events.map(({ content }) => content))
  expect(said).toEqual([['move up'], [], [], ['move up'], ['move left'], []])
})

it('a motion stands at the start of the steps that it labels; corrections that moved nothing are none', () => {
  const labels = [null, 'move up', 'move up', '[null]', 'move up', null, 'move left']
  const motions = motionsOf(
    labels.map((command) => (command === null ? null : { command })),
    10,
  )
  expect(motions.map(({ timestamp, content }) => [Math.round(10 * timestamp), content])).toEqual([
    [1, 'move up'],
    [4, 'move up'],
    [6, 'move left'],
  ])
})
