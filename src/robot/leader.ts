/** @file A second arm that a person moves by hand, beside the robot and at its machine: the robot makes its motion. */
import type { Action } from './robot.ts'

export interface Leader {
  /** The hand comes on: where the leader is now means no motion, wherever the robot is. */
  engage(): void
  /**
   * [7] Where the leader was moved to since then, as far as the robot has not followed yet, as an action. `done`: [7] what the robot did
   * in the step before. Null: the leader cannot be read, the robot is to hold.
   */
  motion(done: Action): Action | null
}
