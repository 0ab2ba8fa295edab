/** @file Where a point of the robot's base frame appears in a camera's picture: a pinhole camera, as the calibration says. */

export type Vector = readonly [x: number, y: number, z: number] // metres, base frame
export type Pixel = readonly [x: number, y: number] // shares of the picture: 0, 0 is top left, 1, 1 bottom right

/** The camera looks along its -z, its +x is to the right and its +y upwards in the picture. Square pixels, no distortion. */
export type Calibration = {
  position: ArrayLike<number> // [3] metres, base frame
  rotation: ArrayLike<number> // [9] row-major, camera to base
  fovy: number // radians, full vertical angle
  width: number // pixels; only the ratio to `height` counts
  height: number
}

const NEAREST = 1e-3 // metres in front of the camera; nearer points have no place in the picture

/** The point in the camera's own axes: p_c = Rᵀ (p - position). */
export function toCamera({ position, rotation }: Calibration, point: Vector): [number, number, number] {
  const d = [point[0] - position[0], point[1] - position[1], point[2] - position[2]]
  const along = (axis: number) => rotation[axis] * d[0] + rotation[3 + axis] * d[1] + rotation[6 + axis] * d[2]
  return [along(0), along(1), along(2)]
}

/**
 * u = 1/2 + f x / (-z) / aspect, v = 1/2 - f y / (-z), with f = 1 / (2 tan(fovy / 2)) in picture heights.
 * null behind the camera. Points outside the field of view get shares below 0 or above 1.
 */
export function project(calibration: Calibration, point: Vector): Pixel | null {
  const [x, y, z] = toCamera(calibration, point)
  const depth = -z
  if (depth < NEAREST) return null
  const focal = 1 / (2 * Math.tan(calibration.fovy / 2))
  const aspect = calibration.width / calibration.height
  return [0.5 + (focal * x) / depth / aspect, 0.5 - (focal * y) / depth]
}

/** A line in the picture; its part behind the camera is cut off. null if all of it is behind. */
export function projectLine(calibration: Calibration, from: Vector, to: Vector): readonly [Pixel, Pixel] | null {
  const depths = [from, to].map((point) => -toCamera(calibration, point)[2])
  if (depths[0] < NEAREST && depths[1] < NEAREST) return null
  const cut = (inside: Vector, outside: Vector, near: number, far: number): Vector => {
    const share = (near - NEAREST * 1.01) / (near - far)
    return [0, 1, 2].map((i) => inside[i] + share * (outside[i] - inside[i])) as unknown as Vector
  }
  const start = depths[0] < NEAREST ? cut(to, from, depths[1], depths[0]) : from
  const end = depths[1] < NEAREST ? cut(from, to, depths[0], depths[1]) : to
  return [project(calibration, start)!, project(calibration, end)!]
}

/** The three axes of a tool as vectors of the base frame, from its rotation vector (radians, base frame). */
export function axesOf([x, y, z]: Vector): readonly [Vector, Vector, Vector] {
  const angle = Math.hypot(x, y, z)
  if (angle < 1e-9) return [[1, 0, 0], [0, 1, 0], [0, 0, 1]] // biome-ignore format: a matrix
  const [a, b, c] = [x / angle, y / angle, z / angle]
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const k = 1 - cos
  return [
    [cos + a * a * k, b * a * k + c * sin, c * a * k - b * sin],
    [a * b * k - c * sin, cos + b * b * k, c * b * k + a * sin],
    [a * c * k + b * sin, b * c * k - a * sin, cos + c * c * k],
  ]
}
