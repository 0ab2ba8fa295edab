import { describe, expect, it } from 'vitest'
import { RandomStream } from '../../src/random/stream.ts'

const draws = (stream: RandomStream, n: number) => Array.from({ length: n }, () => stream.bits())

describe('RandomStream', () => {
  it('gives other numbers for every seed and every purpose', () => {
    const first = new Set<number>()
    for (let seed = 0; seed < 200; seed++)
      for (const purpose of ['environment', 'noise', 'sampling']) first.add(new RandomStream(seed, purpose).bits())
    expect(first.size).toBe(600)
  })

  it('repeats for the same seed and purpose', () =>
    expect(draws(new RandomStream(7, 'noise'), 50)).toEqual(draws(new RandomStream(7, 'noise'), 50)))

  it('goes on from a saved state as if never interrupted, the spare normal included', () => {
    const stream = new RandomStream(3, 'noise')
    stream.normal()
    const state = JSON.parse(JSON.stringify(stream.save()))
    const expected = [stream.normal(), stream.normal(), stream.uniform()]
    const other = new RandomStream(99, 'elsewhere')
    other.restore(state)
    expect([other.normal(), other.normal(), other.uniform()]).toEqual(expected)
  })

  it('fills with the numbers that it draws one by one, and leaves off where these would', () => {
    for (const length of [0, 1, 2, 7, 100])
      for (const before of [0, 1]) {
        const [filling, drawing] = [new RandomStream(5, 'fill'), new RandomStream(5, 'fill')]
        for (const stream of [filling, drawing]) for (let i = 0; i < before; i++) stream.normal() // leaves a spare
        const filled = filling.fillNormal(new Float32Array(length), 1.5)
        expect([...filled]).toEqual(Array.from({ length }, () => Math.fround(1.5 * drawing.normal())))
        expect(filling.save()).toEqual(drawing.save())
      }
  })

  it('has the moments of the uniform and the normal distribution', () => {
    const stream = new RandomStream(0, 'moments')
    const n = 200_000
    let [mean, square, sum, tails] = [0, 0, 0, 0]
    for (let i = 0; i < n; i++) {
      mean += stream.uniform() / n
      const x = stream.normal()
      sum += x / n
      square += (x * x) / n
      if (Math.abs(x) > 1.959963984540054) tails += 1 / n
    }
    expect(mean).toBeCloseTo(0.5, 2)
    expect(sum).toBeCloseTo(0, 2)
    expect(square).toBeCloseTo(1, 1.5)
    expect(tails).toBeCloseTo(0.05, 2)
  })

  it('draws integers over their whole range and nothing else', () => {
    const stream = new RandomStream(1, 'integers')
    const seen = new Set(Array.from({ length: 500 }, () => stream.integer(7)))
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6])
  })
})
