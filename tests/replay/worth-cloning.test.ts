import { describe, expect, it } from 'vitest'
import type { Actor } from '../../src/replay/transition.ts'
import { worthCloning } from '../../src/replay/worth-cloning.ts'

const ACTOR: Record<string, Actor> = { p: 'primary', e: 'exploration', o: 'operator', r: 'refinement' }

/** A letter a step → + where it is worth cloning. */
const worth = (episode: string, idle: number) =>
  worthCloning(
    [...episode].map((letter) => ({ actor: ACTOR[letter]! })),
    idle,
  )
    .map((is) => (is ? '+' : '-'))
    .join('')

describe('of an episode that succeeded by itself', () => {
  it.each([
    ['pppp', 2, '++++'], // nothing was tried
    ['', 2, ''],
    ['pppppeepp', 3, '++---++++'], // the standing still before is not, what was tried is
    ['ppppeppppeepp', 3, '+---' + '-' + '+---' + '++' + '++'], // of two tries the first led nowhere
    ['ppeepp', 10, '--++++'], // an arm that stood still from the first moment on
    ['ppppee', 2, '++--++'], // the try itself succeeded
    ['ppppeepp', 0, '++++++++'],
    ['oorreepp', 2, '++--++++'], // whoever acted before
  ])('%s, standing still for %i steps: %s', (episode, idle, expected) => {
    expect(worth(episode, idle)).toBe(expected)
  })
})
