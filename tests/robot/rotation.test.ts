/** @file Quaternions and cameras, against turns and pictures that can be told by hand. */
import { describe, expect, it } from 'vitest'
import { project } from '../../src/robot/projection.ts'
import {
  conjugate,
  fromRotationVector,
  multiply,
  type Quat,
  rotate,
  unit,
  type Vec3,
} from '../../src/robot/rotation.ts'

const near = (got: readonly number[], want: readonly number[]) => {
  expect(got).toHaveLength(want.length)
  for (const [i, x] of want.entries()) expect(got[i]).toBeCloseTo(x, 9)
}
const quarter = Math.PI / 2
const X: Vec3 = [1, 0, 0]
const Y: Vec3 = [0, 1, 0]
const Z: Vec3 = [0, 0, 1]

describe('a rotation', () => {
  it.each<[string, Vec3, Vec3, Vec3]>([
    ['x', [quarter, 0, 0], Y, Z],
    ['x', [quarter, 0, 0], Z, [0, -1, 0]],
    ['y', [0, quarter, 0], Z, X],
    ['y', [0, quarter, 0], X, [0, 0, -1]],
    ['z', [0, 0, quarter], X, Y],
    ['z', [0, 0, quarter], Y, [-1, 0, 0]],
  ])('by a quarter about %s turns one axis into the next', (_, by, from, to) =>
    near(rotate(fromRotationVector(by), from), to),
  )

  it('about the diagonal by a third turns x into y, y into z, z into x', () => {
    const third = fromRotationVector([1, 1, 1].map((axis) => (axis * 2 * Math.PI) / 3 / Math.sqrt(3)) as Vec3)
    near(third, [0.5, 0.5, 0.5, 0.5])
    for (const [from, to] of [
      [X, Y],
      [Y, Z],
      [Z, X],
    ] as const)
      near(rotate(third, from), to)
  })

  it('of two is the second, then the first', () => {
    const [a, b] = [fromRotationVector([0.3, -0.7, 1.1]), fromRotationVector([-1.3, 0.2, 0.5])]
    for (const v of [X, Y, Z]) near(rotate(multiply(a, b), v), rotate(a, rotate(b, v)))
    near(multiply([0, 1, 0, 0], [0, 0, 1, 0]), [0, 0, 0, 1]) // ij = k
    near(multiply([0, 0, 1, 0], [0, 1, 0, 0]), [0, 0, 0, -1])
  })

  it('is undone by its conjugate', () => {
    const q = fromRotationVector([0.3, -0.7, 1.1])
    near(rotate(conjugate(q), rotate(q, [1, 2, 3])), [1, 2, 3])
    near(multiply(q, conjugate(q)), [1, 0, 0, 0])
  })

  it('keeps lengths, and is made a unit by dividing by its size', () => {
    near(unit([1, 2, -2, 4]), [0.2, 0.4, -0.4, 0.8])
    expect(Math.hypot(...fromRotationVector([0.3, -0.7, 1.1]))).toBeCloseTo(1, 12)
  })

  it('by next to nothing is next to none, without a division by 0', () => {
    near(fromRotationVector([0, 0, 0]), [1, 0, 0, 0])
    expect(fromRotationVector([2e-13, -4e-13, 6e-13])).toEqual([1, 1e-13, -2e-13, 3e-13])
  })
})

describe('a camera', () => {
  // a metre above the origin, looking down; 90 degrees from top to bottom: the focal length is half the height
  const above = { position: [0, 0, 1] as Vec3, rotation: [1, 0, 0, 0] as Quat, fovy: quarter }

  it.each<[string, Vec3, [number, number], number]>([
    ['what it looks at in the middle', [0, 0, 0], [40, 30], 1],
    ['what is to its right on the right', [0.5, 0, 0], [55, 30], 1],
    ['what is to its top on the top', [0, 0.5, 0], [40, 15], 1],
    ['what is further away nearer to the middle', [0.5, 0.5, -1], [47.5, 22.5], 2],
  ])('sees %s', (_, point, pixel, ahead) => {
    const seen = project(above, 80, 60, point)
    near(seen.pixel, pixel)
    expect(seen.ahead).toBeCloseTo(ahead, 9)
  })

  it('knows what is behind it', () => expect(project(above, 80, 60, [0, 0, 3]).ahead).toBeCloseTo(-2, 9))

  it('is turned with its mount', () => {
    const turned = { ...above, position: [0, 0, 0] as Vec3, rotation: fromRotationVector([quarter, 0, 0]) } // looks along y
    const seen = project(turned, 80, 60, [0.5, 1, 0.5])
    near(seen.pixel, [55, 15])
    expect(seen.ahead).toBeCloseTo(1, 9)
  })
})
