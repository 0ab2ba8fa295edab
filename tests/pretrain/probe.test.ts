/** @file Ridge regression on problems whose answer is known, and the probe's units. */
import { describe, expect, it } from 'vitest'
import { type ProbeFrame, probe } from '../../src/pretrain/probe.ts'
import { ridge } from '../../src/pretrain/ridge.ts'
import { TARGET_WIDTH, targetOffset } from '../../src/pretrain/targets.ts'
import { RandomStream } from '../../src/random/stream.ts'

const stream = new RandomStream(1, 'test')
const rows = (count: number, width: number) =>
  Array.from({ length: count }, () => stream.fillNormal(new Float32Array(width)))

describe('ridge', () => {
  const linear = (x: Float32Array) => Float32Array.of(2 * x[0]! - x[1]! + 3, 0.5 * x[2]! - 1)

  it('finds a linear map with an offset from enough rows', () => {
    const x = rows(60, 3)
    const map = ridge(x, x.map(linear), 1e-8)
    for (const fresh of rows(5, 3))
      for (const i of [0, 1]) expect(map.predict(fresh)[i]).toBeCloseTo(linear(fresh)[i]!, 4)
  })

  it('gives the same through the dual, when there are more columns than rows', () => {
    // One row is as wide as the problem: pad with zeros to force the dual path, the answer must not change.
    const x = rows(20, 3)
    const padded = x.map((row) => Float32Array.of(...row, ...new Float32Array(30)))
    const [narrow, wide] = [ridge(x, x.map(linear), 0.1), ridge(padded, x.map(linear), 0.1)]
    for (const r of [0, 1, 2, 3, 4])
      for (const i of [0, 1]) expect(wide.predict(padded[r]!)[i]).toBeCloseTo(narrow.predict(x[r]!)[i]!, 6)
  })

  it('shrinks a one-dimensional slope by 1 / (1 + penalty)', () => {
    // standardised x, mean of x² is 1: w = mean(xy) / (1 + penalty)
    const x = [-1, 1].map((v) => Float32Array.of(v))
    const map = ridge(x, [Float32Array.of(-2), Float32Array.of(2)], 0.25)
    expect(map.predict(Float32Array.of(1))[0]).toBeCloseTo(2 / 1.25, 6)
  })
})

it('reports millimetres and degrees of what the map cannot read', () => {
  // h holds the tip without its z, which alternates by ± 10 mm in the test: the error is 10 mm. The axis is constant but
  // tilted by 0.1 rad in every test frame: 5.7 degrees.
  const frames = Array.from({ length: 80 }, (_, n): ProbeFrame => {
    const episode = n % 2
    const targets = new Float32Array(TARGET_WIDTH)
    const [x, y] = [stream.normal(), stream.normal()]
    targets.set([x, y, episode ? (n % 4 === 1 ? 0.01 : -0.01) : 0], targetOffset('tip'))
    targets.set(episode ? [0, Math.sin(0.1), Math.cos(0.1)] : [0, 0, 1], targetOffset('boltAxis'))
    return { task: 'place', episode, encoding: { h: Float32Array.of(x, y), features: new Float32Array(1) }, targets }
  })
  const errors = Object.fromEntries(probe(frames, 'h').map((error) => [error.reading, error]))
  expect(errors.tip!.unit).toBe('mm')
  expect(errors.tip!.median).toBeCloseTo(10, 1)
  expect(errors.boltAxis!.median).toBeCloseTo((0.1 * 180) / Math.PI, 2)
})
