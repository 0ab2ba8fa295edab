/** @file Impedance parameters of a SERL server: spring and damper of the tool, and how much of an error they act on. */
import { conjugate, fromRotationVector, multiply, rotationVector } from '../spatial.ts'
import type { Pose, Vec3 } from '../truth.ts'
import { add, rotate, subtract } from '../vector.ts'

const AXES = ['x', 'y', 'z'] as const

type Range = { initial: number; most: number }

const clips = (kind: 'translational' | 'rotational', range: Range): [string, Range][] =>
  AXES.flatMap((axis) => [
    [`${kind}_clip_${axis}`, range],
    [`${kind}_clip_neg_${axis}`, range],
  ])

/**
 * By name, with what a value is cut down to. The integral gains are taken and have no effect: the simulated arm has no
 * friction for them to overcome.
 */
const RANGES: Record<string, Range> = {
  translational_stiffness: { initial: 2000, most: 3000 }, // N/m
  translational_damping: { initial: 89, most: 180 }, // Ns/m
  rotational_stiffness: { initial: 150, most: 300 }, // Nm/rad
  rotational_damping: { initial: 7, most: 12 }, // Nms/rad
  translational_Ki: { initial: 0, most: 30 },
  rotational_Ki: { initial: 0, most: 30 },
  ...Object.fromEntries(clips('translational', { initial: 0.01, most: 0.1 })), // m
  ...Object.fromEntries(clips('rotational', { initial: 0.05, most: 0.5 })), // rad
}

/** What the parameters are when nobody has set any. */
const INITIAL = Object.fromEntries(Object.entries(RANGES).map(([name, { initial }]) => [name, initial]))

export class Compliance {
  private values: Record<string, number> = { ...INITIAL }

  /** All or nothing. @returns false for a name that there is not, or a value that is no number */
  update(change: Record<string, unknown>): boolean {
    const entries = Object.entries(change)
    if (!entries.every(([name, value]) => Object.hasOwn(RANGES, name) && Number.isFinite(value))) return false
    for (const [name, value] of entries) this.values[name] = Math.min(RANGES[name]!.most, Math.max(0, value as number))
    return true
  }

  get gains() {
    const { values } = this
    return {
      stiffness: values.translational_stiffness!,
      damping: values.translational_damping!,
      rotationalStiffness: values.rotational_stiffness!,
      rotationalDamping: values.rotational_damping!,
    }
  }

  /**
   * Where the spring pulls the tool: towards `goal`, no further from the tool than the clips say. They bound the force, and
   * no command makes the tool jump. Translation is clipped along the axes of the base, rotation along those of the tool.
   */
  pull(tool: Pose, goal: Pose): Pose {
    const ahead = this.clip('translational', subtract(goal.position, tool.position))
    const turn = rotationVector(multiply(goal.rotation, conjugate(tool.rotation)))
    const clipped = this.clip('rotational', rotate(conjugate(tool.rotation), turn))
    return {
      position: add(tool.position, ahead),
      rotation: multiply(fromRotationVector(rotate(tool.rotation, clipped)), tool.rotation),
    }
  }

  private clip(kind: 'translational' | 'rotational', error: Vec3): Vec3 {
    return error.map((value, i) => {
      const axis = AXES[i]!
      return Math.min(this.values[`${kind}_clip_${axis}`]!, Math.max(-this.values[`${kind}_clip_neg_${axis}`]!, value))
    }) as Vec3
  }
}
