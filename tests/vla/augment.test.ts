/** @file Shifts worked out by hand on a 3 x 2 image. */
import { expect, it } from 'vitest'
import { shiftImage } from '../../src/vla/augment.ts'

const image = (values: number[]) => ({
  width: 3,
  height: 2,
  data: Uint8Array.from(values.flatMap((v) => [v, v + 1, v + 2])),
})
const grey = ({ data }: { data: Uint8Array }) => [...data].filter((_, i) => i % 3 === 0)

it.each([
  [0, 0, [10, 20, 30, 40, 50, 60]],
  [1, 0, [10, 10, 20, 40, 40, 50]],
  [-1, 0, [20, 30, 30, 50, 60, 60]],
  [0, 1, [10, 20, 30, 10, 20, 30]],
  [0, -1, [40, 50, 60, 40, 50, 60]],
  [2, -1, [40, 40, 40, 40, 40, 40]],
  [9, 0, [10, 10, 10, 40, 40, 40]],
])('shifts by (%i, %i) and repeats the edge', (dx, dy, expected) =>
  expect(grey(shiftImage(image([10, 20, 30, 40, 50, 60]), dx, dy))).toEqual(expected),
)

it('keeps the three channels together and the original untouched', () => {
  const original = image([10, 20, 30, 40, 50, 60])
  expect([...shiftImage(original, 1, 0).data.subarray(3, 6)]).toEqual([10, 11, 12])
  expect(grey(original)).toEqual([10, 20, 30, 40, 50, 60])
})
