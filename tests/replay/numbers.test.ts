/** @file Halves, checksums and returns against values from outside. */
import { describe, expect, it } from 'vitest'
import { FROM_HALF, toHalf } from '../../src/float16.ts'
import { crc32, plainCrc32 } from '../../src/replay/crc32.ts'
import { monteCarloReturns } from '../../src/replay/returns.ts'
import { goldenCase, hasGolden } from '../talk/golden.ts'

describe('half precision', () => {
  it.each([
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [0.1, 0x2e66],
    [1 / 3, 0x3555],
    [65504, 0x7bff],
    [2 ** -14, 0x0400], // smallest normal
    [2 ** -24, 0x0001], // smallest subnormal
    [2 ** -25, 0x0000], // a tie goes to even
    [1 + 2 ** -11, 0x3c00], // a tie goes to even
    [1 + 3 * 2 ** -11, 0x3c02],
    [1e9, 0x7bff], // saturates
    [-Infinity, 0xfbff],
  ])('%d is 0x%s', (value, half) => expect(toHalf(value)).toBe(half))

  it('takes back each of its own 63,488 finite values exactly, and NaN as NaN', () => {
    for (let half = 0; half < 65536; half++) {
      if (((half >>> 10) & 31) === 31) continue
      if (toHalf(FROM_HALF[half]!) !== half) expect(toHalf(FROM_HALF[half]!)).toBe(half)
    }
    expect(FROM_HALF[toHalf(Number.NaN)]).toBeNaN()
  })

  it('rounds to the nearest: no neighbour is closer', () => {
    for (let i = 1; i < 20_000; i++) {
      const value = Math.fround(Math.sin(i) * 2 ** ((i % 38) - 24))
      const half = toHalf(value)
      const error = Math.abs(FROM_HALF[half]! - value)
      for (const neighbour of [half - 1, half + 1]) {
        const other = FROM_HALF[neighbour & 0xffff]!
        if (Math.abs(other - value) < error) expect.fail(`${value}: ${other} is closer than ${FROM_HALF[half]}`)
      }
    }
  })
})

describe('crc32', () => {
  it('gives the check value of the standard, in one piece or several', () => {
    const digits = new TextEncoder().encode('123456789')
    expect(crc32(digits)).toBe(0xcbf43926)
    expect(crc32(digits.subarray(0, 4), digits.subarray(4))).toBe(0xcbf43926)
    expect(plainCrc32(digits.subarray(4), plainCrc32(digits.subarray(0, 4)))).toBe(0xcbf43926) // where Node has none
  })
})

describe('monteCarloReturns', () => {
  it('discounts a reward back to the start: 1 at step 3 with 0.5 gives 0.25, 0.5, 1', () => {
    expect([...monteCarloReturns([0, 0, 1], 0.5)]).toEqual([0.25, 0.5, 1])
  })

  it('does not carry over from one episode to the one before', () => {
    expect([...monteCarloReturns([0, 0, 1], 0.5, [7, 7, 8])]).toEqual([0, 0, 1])
    expect(() => monteCarloReturns([0], 0.5, [])).toThrow('episode of each step is [0], expected [1]')
  })

  it.skipIf(!hasGolden)('agrees with the golden case', () => {
    const { config, tensor } = goldenCase('mc-returns')
    const got = monteCarloReturns(tensor('in/rewards'), config.gamma, tensor('in/episode'))
    const want = tensor('out/mc_returns')
    got.forEach((value, t) => {
      expect(Math.abs(value - want[t]!)).toBeLessThan(2e-6)
    })
  })
})
