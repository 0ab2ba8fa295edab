/**
 * @file Smooth changes between policy and person: the action never changes faster than a limit from the one executed last,
 * neither when a person takes over nor when they give back. One call a control step; belongs beside the robot.
 */
import { GRIP_VALUE } from './device.ts'
import type { Asked } from './takeover.ts'

/** Change of a motion axis in one second, in action units: 0.5 a step at 10 Hz, so that two steps stop a full push. */
const SLEW = 5

const MOTION_AXES = 6

export class Handover {
  private leaving = false

  constructor(private readonly slew: number = SLEW) {}

  /**
   * The action to execute in the person's name, or null where the policy's plan may be executed as it is. `asked`: what
   * they ask for, null when they do not act. After they gave back, the last steps that lead from their action to the plan
   * still count as theirs.
   *
   * @param last [7] executed in the step before; zeros after a reset
   * @param planned [7] what the policy would do
   * @param seconds length of a step
   */
  step(
    asked: Pick<Asked, 'axes' | 'gripper'> | null,
    last: ArrayLike<number>,
    planned: ArrayLike<number>,
    seconds = 0.1,
  ): Float32Array | null {
    const most = this.slew * seconds
    if (asked) {
      this.leaving = true
      return this.towards(last, asked.axes, most, GRIP_VALUE[asked.gripper])
    }
    if (!this.leaving) return null
    const action = this.towards(last, planned, most, planned[MOTION_AXES]!)
    const arrived = Array.from({ length: MOTION_AXES }, (_, i) => Math.abs(planned[i]! - last[i]!) <= most).every(
      Boolean,
    )
    this.leaving = !arrived
    return arrived ? null : action
  }

  /** A new episode begins at rest: nothing to lead back from. */
  reset(): void {
    this.leaving = false
  }

  private towards(last: ArrayLike<number>, wanted: ArrayLike<number>, most: number, gripper: number): Float32Array {
    const action = new Float32Array(MOTION_AXES + 1)
    for (let i = 0; i < MOTION_AXES; i++) action[i] = last[i]! + Math.max(-most, Math.min(most, wanted[i]! - last[i]!))
    action[MOTION_AXES] = gripper
    return action
  }
}
