import { describe, expect, it } from 'vitest'
import { Normaliser } from '../../src/learn/normaliser.ts'

describe('Normaliser', () => {
  it('subtracts the mean and divides by the population deviation', () => {
    const normaliser = Normaliser.fit([Float32Array.of(1, 10), Float32Array.of(3, 30)]) // means 2 and 20, deviations 1 and 10
    expect([...normaliser.apply(Float32Array.of(4, 25))]).toEqual([2, 0.5])
  })

  it('leaves the unit of an entry that never moved', () => {
    const normaliser = Normaliser.fit([Float32Array.of(5), Float32Array.of(5)])
    expect([...normaliser.apply(Float32Array.of(6))]).toEqual([1])
  })

  it('clips what lies far outside the demonstrations', () => {
    const normaliser = Normaliser.fit([Float32Array.of(-1), Float32Array.of(1)])
    expect([...normaliser.apply(Float32Array.of(1e6))]).toEqual([6])
  })

  it('comes back from its state the same', () => {
    const normaliser = Normaliser.fit([Float32Array.of(1, 2, 3), Float32Array.of(2, 4, 8)])
    const row = Float32Array.of(0.1, 0.2, 0.3)
    expect(new Normaliser(JSON.parse(JSON.stringify(normaliser.save()))).apply(row)).toEqual(normaliser.apply(row))
  })

  it('refuses rows of another width, and an empty set', () => {
    const normaliser = Normaliser.fit([Float32Array.of(1, 2)])
    expect(() => normaliser.apply(Float32Array.of(1))).toThrow('is [1], expected [2]')
    expect(() => Normaliser.fit([])).toThrow('Normaliser.fit rows')
  })
})
