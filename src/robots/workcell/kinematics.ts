/** @file From a tool pose to joint angles: damped least squares, and the 6 × 6 solve that it shares with the controller. */
import { InputError } from '../../errors.ts'
import { conjugate, multiply, rotationVector } from './spatial.ts'
import type { Pose } from './truth.ts'
import { length, subtract } from './vector.ts'
import type { World } from './world.ts'

/**
 * Solves (J Jᵀ + damping·I) y = b by Cholesky, J = [Jp; Jr] of the arm, [6, dofs].
 * jp, jr: [3, stride] row-major, of which the first `dofs` columns count. b, y: [6]; y may be b.
 */
export function solveTaskSpace(
  jp: Float64Array,
  jr: Float64Array,
  stride: number,
  dofs: number,
  damping: number,
  b: Float64Array,
  y: Float64Array,
): void {
  for (let r = 0; r < 6; r++) {
    const rowR = r < 3 ? jp : jr
    const startR = (r % 3) * stride
    for (let c = 0; c <= r; c++) {
      const rowC = c < 3 ? jp : jr
      const startC = (c % 3) * stride
      let sum = r === c ? damping : 0
      for (let j = 0; j < dofs; j++) sum += rowR[startR + j]! * rowC[startC + j]!
      for (let k = 0; k < c; k++) sum -= factor[6 * r + k]! * factor[6 * c + k]!
      factor[6 * r + c] = r === c ? Math.sqrt(Math.max(sum, 1e-12)) : sum / factor[6 * c + c]!
    }
  }
  for (let r = 0; r < 6; r++) {
    let sum = b[r]!
    for (let k = 0; k < r; k++) sum -= factor[6 * r + k]! * y[k]!
    y[r] = sum / factor[6 * r + r]!
  }
  for (let r = 5; r >= 0; r--) {
    let sum = y[r]!
    for (let k = r + 1; k < 6; k++) sum -= factor[6 * k + r]! * y[k]!
    y[r] = sum / factor[6 * r + r]!
  }
}
const factor = new Float64Array(36)

/**
 * Joint positions that bring the tool centre point to `target`, from the posture that qpos holds. Writes qpos; error < 1e-7.
 * @throws InputError when 100 iterations do not reach the pose
 */
export function inverseKinematics(world: World, target: Pose): void {
  const step = new Float64Array(6)
  for (let iteration = 0; iteration < 100; iteration++) {
    world.refresh()
    const { position, rotation } = world.tcp()
    const linear = subtract(target.position, position)
    const angular = rotationVector(multiply(target.rotation, conjugate(rotation)))
    if (length(linear) + length(angular) < 1e-7) return
    world.computeJacobian()
    const { jacobianTranslation: jp, jacobianRotation: jr } = world
    const { qpos } = world.views
    step.set([...linear, ...angular])
    solveTaskSpace(jp, jr, world.nv, world.armDofs, 1e-4, step, step)
    for (let j = 0; j < world.armDofs; j++) {
      let change = 0
      for (let r = 0; r < 3; r++) change += jp[r * world.nv + j]! * step[r]! + jr[r * world.nv + j]! * step[3 + r]!
      const [low, high] = [world.jointRange[2 * j], world.jointRange[2 * j + 1]]
      qpos[j] = Math.min(high!, Math.max(low!, qpos[j]! + change))
    }
  }
  const at = target.position.map((x) => x.toFixed(3)).join(', ')
  throw new InputError(
    'workcell.inverseKinematics',
    `no joint posture reaches the tool pose at (${at}) m`,
    'Choose a pose inside the work box.',
  )
}
