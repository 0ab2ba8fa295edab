/** @file Three-vectors, and what turns and measures them. */
import { rotate } from '../../robot/rotation.ts'
import type { Quat, Vec3 } from './truth.ts'

export { rotate } from '../../robot/rotation.ts'

export const add = (a: Vec3, b: Vec3): Vec3 => [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
export const subtract = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
export const scale = (a: Vec3, s: number): Vec3 => [a[0] * s, a[1] * s, a[2] * s]
export const dot = (a: Vec3, b: Vec3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
export const cross = (a: Vec3, b: Vec3): Vec3 => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
]
export const length = (a: Vec3): number => Math.hypot(a[0], a[1], a[2])
export const normalise = (a: Vec3): Vec3 => scale(a, 1 / Math.max(length(a), 1e-12))

/** The part of `a` across the unit vector `axis`. */
export const across = (a: Vec3, axis: Vec3): Vec3 => subtract(a, scale(axis, dot(a, axis)))

/** Local axis (0 x, 1 y, 2 z) of a frame, in the world. */
export const axisOf = (q: Quat, axis: 0 | 1 | 2): Vec3 =>
  rotate(q, [axis === 0 ? 1 : 0, axis === 1 ? 1 : 0, axis === 2 ? 1 : 0])

/** Rotation vector (rad) of the shortest turn that brings unit vector `from` onto `to`; antiparallel: half a turn across. */
export function turnBetween(from: Vec3, to: Vec3): Vec3 {
  const axis = cross(from, to)
  const sine = length(axis)
  if (sine < 1e-9) {
    if (dot(from, to) > 0) return [0, 0, 0]
    const other: Vec3 = Math.abs(from[0]) < 0.9 ? [1, 0, 0] : [0, 1, 0]
    return scale(normalise(cross(from, other)), Math.PI)
  }
  return scale(axis, Math.atan2(sine, dot(from, to)) / sine)
}

/** 0 below `low`, 1 above `high`, linear between. */
export const ramp = (value: number, low: number, high: number): number =>
  Math.min(1, Math.max(0, (value - low) / (high - low)))
