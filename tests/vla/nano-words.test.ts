/** @file Tokens of instructions, checked against hand-picked rows and the published FNV-1a test vectors. */
import { describe, expect, it } from 'vitest'
import { embeddingRows, fnv1a, VOCABULARY, WordTokeniser } from '../../src/vla/nano/words.ts'

const config = { words: 4, vocabulary: ['reach', 'the', 'bolt'], buckets: 8 }
const tokeniser = new WordTokeniser(config)

describe('WordTokeniser', () => {
  it('gives each known word its row and each word an equal share', () => {
    const { rows, shares } = tokeniser.encode('Reach the bolt!')
    expect([...rows]).toEqual([1, 2, 3, 0])
    expect([...shares]).toEqual([1 / 3, 1 / 3, 1 / 3, 0].map(Math.fround))
  })

  it('hashes unknown words to buckets behind the vocabulary, always the same', () => {
    const [first, second] = tokeniser.encode('grab foobar').rows
    expect(second).toBe(1 + 3 + (0xbf9cf968 % 8))
    expect(first).toBeGreaterThanOrEqual(4)
    expect(Math.max(first!, second!)).toBeLessThan(embeddingRows(config))
  })

  it('cuts long instructions and leaves an empty one to padding', () => {
    expect([...tokeniser.encode('the the the the bolt').rows]).toEqual([2, 2, 2, 2])
    expect([...tokeniser.encode('').shares]).toEqual([0, 0, 0, 0])
  })
})

it('hashes as FNV-1a is published', () => {
  // draft-eastlake-fnv, 32-bit vectors
  expect(fnv1a('')).toBe(0x811c9dc5)
  expect(fnv1a('a')).toBe(0xe40c292c)
  expect(fnv1a('foobar')).toBe(0xbf9cf968)
})

it('knows every word of the three tasks by a row of its own', () => {
  const words = 'place the bolt upright in the stand pick up the bolt assemble the bolt into the slot'.split(' ')
  for (const word of words) expect(VOCABULARY).toContain(word)
  expect(new Set(VOCABULARY).size).toBe(VOCABULARY.length)
})
