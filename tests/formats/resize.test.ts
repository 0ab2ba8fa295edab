/** @file Resizing with antialiasing, against sums done by hand; the golden pictures are in the ResNet-10 set. */
import { describe, expect, it } from 'vitest'
import { resizeAntialiased } from '../../src/formats/resize.ts'

/** One row or column of grey pixels. */
const grey = (width: number, height: number, values: number[]) => ({
  width,
  height,
  data: Uint8Array.from(values.flatMap((value) => [value, value, value])),
})
const firstChannel = (pixels: Float32Array) => Array.from(pixels).filter((_, i) => i % 3 === 0)

describe('a picture', () => {
  it('of the right size stays as it is', () => {
    const image = { width: 2, height: 2, data: Uint8Array.from({ length: 12 }, (_, i) => 20 * i) }
    expect(Array.from(resizeAntialiased(image, 2, 2))).toEqual(Array.from(image.data))
  })

  it('at half its width takes from four pixels, from three at the border', () => {
    // centre 0.5, triangle of half width 2: weights 3/4, 3/4, 1/4, over their sum 7/4
    const [left, right] = firstChannel(resizeAntialiased(grey(4, 1, [0, 70, 140, 210]), 2, 1))
    expect(left).toBeCloseTo((3 * 0 + 3 * 70 + 140) / 7, 4)
    expect(right).toBeCloseTo((70 + 3 * 140 + 3 * 210) / 7, 4)
  })

  it('at twice its height lies between its neighbours, not beyond the border', () => {
    const column = firstChannel(resizeAntialiased(grey(1, 2, [0, 100]), 1, 4))
    expect(column).toEqual([0, 25, 75, 100])
  })
})
