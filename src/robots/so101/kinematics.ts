/**
 * @file From a tool pose to joint angles. Five joints cannot follow a twist of six: the position comes first, and of the rotation
 * what they can still do. Damped least squares; the rotation is sought in the null space of the position.
 */
import { type Pose, rotationBetween, type Vec3 } from '../../robot/rotation.ts'
import { BUILT_RANGES, type Posture, posture } from './chain.ts'
import { ARM_JOINTS, type JointVector } from './joints.ts'

const ITERATIONS = 10
const POLISHING = 4 // of them, the last: for the position alone
const DAMPING = 1e-4 // m²: of the position, as long as it helps
const MOST = 0.2 // rad: change of a joint in one iteration; what is linear here is not further off
const SLACK = 2e-3 // m: what a turn may cost the position on the way, to be made good by polishing
const TURN_DAMPING = 1e-2 // rad²
const PROJECTION_DAMPING = 1e-9 // m²: what leaks through the null space would keep the position from its target

export type Ranges = readonly (readonly [low: number, high: number])[]

export type Solution = {
  angles: number[] // [5] rad
  tool: Pose // where they bring it
  missed: number // m between that and what was asked for
}

/**
 * [5] The angles nearest to `from` that bring the tool to `target`, as far as that can be, within `ranges`. A joint that comes to its
 * end stays there, and the others go on without it.
 */
export function solve(target: Pose, from: JointVector, ranges: Ranges = BUILT_RANGES): Solution {
  let angles = from.slice(0, ARM_JOINTS)
  let now = posture(angles)
  let damping = DAMPING
  let turning = 1 // of the turn, what is tried at once
  const free = angles.map(() => true)
  const away = ({ tool }: Posture) => Math.hypot(...minus(target.position, tool.position))
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const polishing = iteration >= ITERATIONS - POLISHING
    const left = rotationBetween(now.tool.rotation, target.rotation)
    const turn = left.map((value) => (polishing ? 0 : turning * value)) as Vec3
    const change = step(now, minus(target.position, now.tool.position), turn, free, damping)
    const share = Math.min(1, MOST / Math.max(...change.map(Math.abs)))
    const wanted = angles.map((angle, j) => angle + share * change[j]!)
    const next = wanted.map((angle, j) => {
      const [low, high] = ranges[j]!
      return Math.min(Math.max(high, from[j]!), Math.max(Math.min(low, from[j]!), angle))
    })
    const then = posture(next)
    if (away(then) > Math.max(away(now), polishing ? 0 : SLACK)) {
      if (polishing) damping *= 10
      else turning /= 4
      continue
    }
    next.forEach((angle, j) => {
      if (angle !== wanted[j]) free[j] = false
    })
    angles = next
    now = then
  }
  return { angles, tool: now.tool, missed: away(now) }
}

/** The twist that leads from one pose to another: metres, then radians about the axes of the base. */
export const twistBetween = (from: Pose, to: Pose): number[] => [
  ...minus(to.position, from.position),
  ...rotationBetween(from.rotation, to.rotation),
]

const minus = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]]

const cross = (a: Vec3, b: Vec3): Vec3 => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
]

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** A matrix of three rows. */
type Rows = readonly [number[], number[], number[]]

/** [5] First what moves the tool by `shift`, then, in what leaves the position alone, what comes nearest to `turn`. */
function step({ tool, joints }: Posture, shift: Vec3, turn: Vec3, free: readonly boolean[], damping: number): number[] {
  const columns = joints.map(({ position, axis }) => cross(axis, minus(tool.position, position)))
  const rows = (of: readonly Vec3[]): Rows =>
    [0, 1, 2].map((r) => of.map((column, j) => (free[j] ? column[r]! : 0))) as unknown as Rows
  const linear = rows(columns)
  const angular = rows(joints.map(({ axis }) => axis))
  const first = leastSquares(linear, shift, damping)
  // rows of angular·N, N = 1 - J⁺J: what each row of it can do without the position
  const spare = angular.map((row) => {
    const along = leastSquares(linear, linear.map((of) => dot(of, row)) as unknown as Vec3, PROJECTION_DAMPING)
    return row.map((value, j) => value - along[j]!)
  }) as unknown as Rows
  const left = angular.map((row, r) => turn[r]! - dot(row, first)) as unknown as Vec3
  const second = leastSquares(spare, left, TURN_DAMPING)
  return first.map((value, j) => value + second[j]!)
}

/** x = Aᵀ(AAᵀ + damping·1)⁻¹ b, by the adjugate of a symmetric 3 × 3. */
function leastSquares(A: Rows, b: Vec3, damping: number): number[] {
  const [p, q, r] = A
  const [xx, yy, zz] = [dot(p, p) + damping, dot(q, q) + damping, dot(r, r) + damping]
  const [xy, xz, yz] = [dot(p, q), dot(p, r), dot(q, r)]
  const [a, d, f] = [yy * zz - yz * yz, xx * zz - xz * xz, xx * yy - xy * xy]
  const [c, e, g] = [xz * yz - xy * zz, xy * yz - xz * yy, xy * xz - xx * yz]
  const scale = 1 / (xx * a + xy * c + xz * e)
  const y0 = (a * b[0] + c * b[1] + e * b[2]) * scale
  const y1 = (c * b[0] + d * b[1] + g * b[2]) * scale
  const y2 = (e * b[0] + g * b[1] + f * b[2]) * scale
  return p.map((value, j) => value * y0 + q[j]! * y1 + r[j]! * y2)
}
