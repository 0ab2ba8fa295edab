/** @file SmolVLA's inputs where the golden folder has one case of several: picture shapes, widths of the state. */
import { describe, expect, it } from 'vitest'
import { preparePicture, prepareState, restore } from '../../src/vla/smolvla/preprocess.ts'

const grey = (width: number, height: number, value = 255) => ({
  width,
  height,
  data: new Uint8Array(3 * width * height).fill(value),
})

/** Red channel as rows. */
const red = (picture: Float32Array, size: number) =>
  Array.from({ length: size }, (_, y) => Array.from({ length: size }, (_, x) => picture[3 * (size * y + x)]!))

describe('preparePicture', () => {
  it('puts black above a wide picture and left of a tall one', () => {
    expect(red(preparePicture(grey(8, 4), 4), 4)).toEqual([
      [-1, -1, -1, -1],
      [-1, -1, -1, -1],
      [1, 1, 1, 1],
      [1, 1, 1, 1],
    ])
    expect(red(preparePicture(grey(4, 8), 4), 4)).toEqual(Array.from({ length: 4 }, () => [-1, -1, 1, 1]))
  })

  it('cuts the fraction of a size: 480 x 640 becomes 384 x 512 under 128 black rows', () => {
    const rows = red(preparePicture(grey(640, 480), 512), 512)
    expect(rows.findIndex((row) => row[0] === 1)).toBe(128)
    const odd = red(preparePicture(grey(7, 3), 4), 4) // 4 x trunc(3 / 1.75) = 4 x 1
    expect(odd.map(([first]) => first)).toEqual([-1, -1, -1, 1])
  })

  it('interpolates between pixel centres without antialiasing, and keeps a picture of the right size', () => {
    const ramp = { width: 8, height: 2, data: new Uint8Array(48) }
    for (let i = 0; i < 16; i++) ramp.data[3 * i] = (i % 8) * 30
    // pixel i of 4 lies at 2 i + 0.5 of 8: the mean of 2 i and 2 i + 1
    const want = [15, 75, 135, 195].map((value) => Math.fround((2 * value) / 255 - 1))
    const [last] = red(preparePicture(ramp, 4), 4).slice(-1)
    for (const [i, value] of last!.entries()) expect(value).toBeCloseTo(want[i]!, 6)
    const same = { width: 2, height: 2, data: Uint8Array.from({ length: 12 }, (_, i) => 20 * i) }
    const kept = [...preparePicture(same, 2)]
    for (const [i, value] of kept.entries()) expect(value).toBeCloseTo((2 * 20 * i) / 255 - 1, 6)
  })
})

describe('state', () => {
  it('is raw where the width is not that of the statistics, and cut or padded', () => {
    const scaling = { shift: Float32Array.of(1, 2), scale: Float32Array.of(0.5, 0.25), offset: 0 }
    expect([...prepareState(Float32Array.of(3, 10), scaling, 4)]).toEqual([1, 2, 0, 0])
    expect([...prepareState(Float32Array.of(3, 10, 5), scaling, 2)]).toEqual([3, 10])
    expect([...restore(Float32Array.of(1, 2), scaling)]).toEqual([3, 10])
  })
})
