/** @file Task-space impedance control of the seven-joint arm: a spring and damper between the tool and its target pose. */
import { inverseKinematics, solveTaskSpace } from './kinematics.ts'
import type { Gains } from './options.ts'
import { conjugate, multiply, rotationVector } from './spatial.ts'
import type { Pose } from './truth.ts'
import type { World } from './world.ts'

/** What moves the gripper: joint torques of an arm, or the slides and hinges of a gantry. */
export interface Drive {
  /** Sets the joint positions so that the tool is at `pose`. */
  place(pose: Pose): void
  /** Writes the controls of one physics step towards `target`. */
  drive(target: Pose): void
}

const POSTURE = { stiffness: 10, damping: 4 } // Nm/rad, Nms/rad, in the nullspace
const HOME = [0, 0.05, 0, -2.35, 0, 2.4, -Math.PI / 4]
const TORQUE_LIMIT = [87, 87, 87, 87, 12, 12, 12]

/**
 * τ = Jᵀ(K e - D v) + (bias - gravity compensation) + (I - Jᵀ(J Jᵀ)⁻¹J)(k (q_home - q) - d q̇).
 * e: position error and rotation vector from tool to target; v: tool twist. No inertia shaping and no velocity
 * feed-forward: the lag filters noisy actions (docs/simulator.md §4 has the comparison).
 */
export class ImpedanceDrive implements Drive {
  private readonly wrench = new Float64Array(6)
  private readonly posture = new Float64Array(7)
  private readonly projection = new Float64Array(6)
  private readonly home: number[]

  constructor(
    private readonly world: World,
    private readonly gains: Gains,
    baseYaw: number,
  ) {
    // a turned base keeps its posture facing the table
    this.home = HOME.map((q, j) => (j === 0 ? q - baseYaw : q))
  }

  place(pose: Pose): void {
    const { qpos, qvel } = this.world.views
    qpos.set(this.home, 0)
    qvel.fill(0, 0, 7)
    inverseKinematics(this.world, pose)
  }

  drive(target: Pose): void {
    const { world, gains, wrench, posture, projection } = this
    const { nv } = world
    world.computeJacobian()
    const { jacobianTranslation: jp, jacobianRotation: jr } = world
    const { qpos, qvel, ctrl, bias, gravityCompensation } = world.views
    const { position, rotation } = world.tcp()
    const turn = rotationVector(multiply(target.rotation, conjugate(rotation)))
    for (let r = 0; r < 3; r++) {
      let linear = 0
      let angular = 0
      for (let j = 0; j < 7; j++) {
        linear += jp[r * nv + j]! * qvel[j]!
        angular += jr[r * nv + j]! * qvel[j]!
      }
      wrench[r] = gains.stiffness * (target.position[r]! - position[r]!) - gains.damping * linear
      wrench[3 + r] = gains.rotationalStiffness * turn[r]! - gains.rotationalDamping * angular
    }
    for (let j = 0; j < 7; j++) posture[j] = POSTURE.stiffness * (this.home[j]! - qpos[j]!) - POSTURE.damping * qvel[j]!
    for (let r = 0; r < 3; r++) {
      let linear = 0
      let angular = 0
      for (let j = 0; j < 7; j++) {
        linear += jp[r * nv + j]! * posture[j]!
        angular += jr[r * nv + j]! * posture[j]!
      }
      projection[r] = linear
      projection[3 + r] = angular
    }
    solveTaskSpace(jp, jr, nv, 7, 1e-9, projection, projection)
    for (let j = 0; j < 7; j++) {
      let torque = posture[j]! + bias[j]! - gravityCompensation[j]!
      for (let r = 0; r < 3; r++)
        torque +=
          jp[r * nv + j]! * (wrench[r]! - projection[r]!) + jr[r * nv + j]! * (wrench[3 + r]! - projection[3 + r]!)
      ctrl[j] = Math.min(TORQUE_LIMIT[j]!, Math.max(-TORQUE_LIMIT[j]!, torque))
    }
  }
}
