/**
 * @file Whose forward it is: turns what a hand pushes into the robot's base frame (x forward, y left, z up), seen from
 * where the person sits or from a camera.
 */
import type { Axes } from './device.ts'

export type AxisVector = readonly [number, number, number]

/** Columns: where the person's forward, left and up point in the base frame. A rotation. */
export type BaseAxes = readonly [forward: AxisVector, left: AxisVector, up: AxisVector]

export const BASE: BaseAxes = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
]

const cross = ([a, b, c]: AxisVector, [d, e, f]: AxisVector): AxisVector => [
  b * f - c * e,
  c * d - a * f,
  a * e - b * d,
]
const dot = (a: AxisVector, b: AxisVector) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
const scaled = (v: AxisVector, by: number): AxisVector => [v[0] * by, v[1] * by, v[2] * by]
const unit = (v: AxisVector): AxisVector => scaled(v, 1 / Math.hypot(...v))

/** The person faces `yaw` radians to the left of the robot's forward: π is face to face. */
export function turned(yaw: number): BaseAxes {
  const [cos, sin] = [Math.cos(yaw), Math.sin(yaw)]
  return [
    [cos, sin, 0],
    [-sin, cos, 0],
    [0, 0, 1],
  ]
}

/** How a camera stands in the base frame: where it looks, and what is up in its picture. Lengths do not matter. */
export type ViewAxes = { direction: AxisVector; up: AxisVector }

/** Steeper than this a camera's forward says little about the horizontal; the picture's up decides instead. */
const STEEP = Math.cos((20 * Math.PI) / 180)

/** The camera's bearing alone: forward is into the picture but level, up stays up. For a camera that looks down, forward is the picture's up. */
export function levelFrame({ direction, up }: ViewAxes): BaseAxes {
  const into = unit(direction)
  const ahead = Math.abs(into[2]) > STEEP ? (into[2] < 0 ? up : scaled(up, -1)) : into
  return turned(Math.atan2(ahead[1], ahead[0]))
}

/** The camera's whole attitude: forward is exactly into the picture, left and up are the picture's. */
export function cameraFrame({ direction, up }: ViewAxes): BaseAxes {
  const forward = unit(direction)
  const level = unit([0, 1, 2].map((i) => up[i]! - dot(up, forward) * forward[i]!) as unknown as AxisVector)
  return [forward, cross(level, forward), level]
}

const rotate = (frame: BaseAxes, [x, y, z]: AxisVector): AxisVector =>
  [0, 1, 2].map((i) => frame[0][i]! * x + frame[1][i]! * y + frame[2][i]! * z) as unknown as AxisVector

/** Translation and rotation are both vectors, and turn alike. Lengths stay, so an entry may exceed 1 by up to √3. */
export const inBase = (axes: Axes, frame: BaseAxes): readonly number[] => [
  ...rotate(frame, [axes[0], axes[1], axes[2]]),
  ...rotate(frame, [axes[3], axes[4], axes[5]]),
]
