/** @file Where a camera sees a point. */
import type { CameraMount } from './robot.ts'
import { conjugate, rotate } from './rotation.ts'

type Pixel = readonly [x: number, y: number]
type Point = readonly [x: number, y: number, z: number]

/** Where a point of the mount's frame appears; the camera looks along its -z. `ahead`: m in front of it, negative behind. */
export function project(
  { position, rotation, fovy }: Pick<CameraMount, 'position' | 'rotation' | 'fovy'>,
  width: number,
  height: number,
  point: Point,
): { pixel: Pixel; ahead: number } {
  const [px, py, pz] = position
  const [x, y, z] = rotate(conjugate(rotation), [point[0] - px, point[1] - py, point[2] - pz])
  const focal = height / (2 * Math.tan(fovy / 2))
  return { pixel: [width / 2 - (focal * x) / z, height / 2 + (focal * y) / z], ahead: -z }
}
