/** @file Where a point of the robot's base frame appears in a camera's picture: a pinhole camera, as the calibration says. */
import type { CameraInfo, Quaternion, Vector3 } from '../../protocol.ts'

export type Pixel = readonly [x: number, y: number] // shares of the picture: 0, 0 is top left, 1, 1 bottom right
export type ViewPose = { position: Vector3; rotation: Quaternion } // metres, base frame

/** A camera at this moment: its place and axes (columns of its rotation) in the base frame. */
export type ViewedFrom = {
  position: Vector3
  right: Vector3
  up: Vector3
  back: Vector3 // it looks along -back
  fovy: number // radians, full vertical angle
  aspect: number // width / height
}

const NEAREST = 1e-3 // metres in front of the camera; nearer points have no place in the picture

const plus = (a: Vector3, b: Vector3): Vector3 => [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
const minus = (a: Vector3, b: Vector3): Vector3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
const dot = (a: Vector3, b: Vector3) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]

/** The columns of the rotation matrix of a unit quaternion: where it turns the x, y and z axes to. */
export function columnsOf([w, x, y, z]: Quaternion): readonly [Vector3, Vector3, Vector3] {
  return [
    [1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)],
    [2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)],
    [2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)],
  ]
}

export function turn(rotation: Quaternion, v: Vector3): Vector3 {
  const [x, y, z] = columnsOf(rotation)
  return [0, 1, 2].map((i) => x[i]! * v[0] + y[i]! * v[1] + z[i]! * v[2]) as unknown as Vector3
}

/** Whether a camera's place can be known. `tool`: whether the tool's pose is told, as one that rides on it needs. */
export const isPlaced = ({ calibration }: CameraInfo, tool: boolean): boolean =>
  calibration !== null && (calibration.mount === 'base' || tool)

/** null where the camera's place is not known: no calibration, or it rides on a tool whose pose is not told. */
export function viewOf({ calibration, width, height }: CameraInfo, tcp: ViewPose | null): ViewedFrom | null {
  if (!calibration) return null
  const [right, up, back] = columnsOf(calibration.rotation)
  const { fovy, position } = calibration
  const view = { position, right, up, back, fovy, aspect: width / height }
  if (calibration.mount === 'base') return view
  if (!tcp) return null
  const turned = (axis: Vector3) => turn(tcp.rotation, axis)
  const place = plus(tcp.position, turned(position))
  return { ...view, position: place, right: turned(right), up: turned(up), back: turned(back) }
}

/** The point in the camera's own axes: c = Rᵀ (q - p). */
function toCamera({ position, right, up, back }: ViewedFrom, point: Vector3): Vector3 {
  const d = minus(point, position)
  return [dot(right, d), dot(up, d), dot(back, d)]
}

/**
 * u = 1/2 + f x / depth / aspect, v = 1/2 - f y / depth, with f = 1 / (2 tan(fovy / 2)) in picture heights.
 * null behind the camera. Points outside the field of view get shares below 0 or above 1.
 */
export function projectPoint(view: ViewedFrom, point: Vector3): Pixel | null {
  const [x, y, z] = toCamera(view, point)
  const depth = -z
  if (depth < NEAREST) return null
  const focal = 1 / (2 * Math.tan(view.fovy / 2))
  return [0.5 + (focal * x) / depth / view.aspect, 0.5 - (focal * y) / depth]
}

/** A line in the picture; its part behind the camera is cut off. null if all of it is behind. */
export function projectLine(view: ViewedFrom, from: Vector3, to: Vector3): readonly [Pixel, Pixel] | null {
  const [near, far] = [from, to].map((point) => -toCamera(view, point)[2])
  if (near! < NEAREST && far! < NEAREST) return null
  const between = (share: number): Vector3 =>
    [0, 1, 2].map((i) => from[i]! + share * (to[i]! - from[i]!)) as unknown as Vector3
  const edge = () => between((1.01 * NEAREST - near!) / (far! - near!))
  return [projectPoint(view, near! < NEAREST ? edge() : from)!, projectPoint(view, far! < NEAREST ? edge() : to)!]
}
