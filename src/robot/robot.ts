/** @file What every robot, simulated or real, promises to the interaction loop. */
import type { Channel } from './channels.ts'
import type { Quat, Vec3 } from './rotation.ts'

/** RGB, row-major, top row first. `jpeg`: what the camera sent, of which `cameras/develop.ts` made these pixels. */
export type Image = { width: number; height: number; data: Uint8Array; jpeg?: Uint8Array }

export type Observation = {
  images: Record<string, Image>
  proprio: Float32Array // entries as in RobotSpec.channels
  time: number // seconds since the robot started; advances with every step
  taken?: Record<string, number> // when each camera took its picture, on the same clock; left out where a camera cannot tell
}

/**
 * [7] in [-1, 1]: dx dy dz, droll dpitch dyaw, gripper. RobotSpec.actionFrame and actionScale say in which frame, and how far.
 * The gripper's entry above 0.5 asks to close, below -0.5 to open; between, and at 0, what is asked for already stays. What is
 * executed and recorded is canonical: -1 or 1, what is asked for from this step on (`gripper.ts`, docs/decisions/0038).
 */
export type Action = Float32Array

export const ACTION_WIDTH = 7

/**
 * Where a camera is: `position` and `rotation` (camera to frame) in the robot's base frame, or in that of its tool. It looks
 * along its -z, +y is up in the picture.
 */
export type CameraMount = { mount: 'base' | 'tool'; position: Vec3; rotation: Quat; fovy: number /* rad */ }

/** What of a camera's picture the policy sees: a part of it, in the camera's pixels, then turned clockwise, then resized. */
export type PolicyView = {
  width: number
  height: number
  crop?: { left: number; top: number; width: number; height: number }
  rotate?: 0 | 90 | 180 | 270 // degrees
}

/**
 * The size of its pictures as the policy is given them, and how they are made. `capture`: as the camera takes them, where that
 * is another size. `mount`: where it is known, so that motion can be drawn over the picture.
 */
export type CameraSpec = PolicyView & {
  jpeg?: true // its images bring the camera's own bytes, and a log keeps those
  capture?: { width: number; height: number }
  mount?: CameraMount
}

/** `scene`: how a person lays it for an episode. `starts`: where in it an episode may begin, in words, to be paired by them. */
export type TaskSpec = { instruction: string; maxSteps: number; scene?: string; starts?: readonly string[] }

export type RobotSpec = {
  name: string
  rate: number // Hz: steps a second
  cameras: Record<string, CameraSpec>
  channels: readonly Channel[] // one an entry of the proprioception; a robot with a gripper has one of role "grip"
  home?: Quat // orientation of the tool where the channels that tell its turn read 0
  actionFrame: 'base' | 'tool' // the frame in which an action moves the tool
  actionScale: { translation: number; rotation: number } // metres and radians per step at |a| = 1
  tasks: Record<string, TaskSpec>
}

/**
 * `executed`: [7] what the robot did of the action, on the same scale, canonical or not; from a robot that knows: joints that cannot
 * follow a twist, a limit of its own. It is what is recorded and learned from. Left out: the action was carried out as it came.
 */
export type Outcome = {
  observation: Observation
  executed?: Action
  reward: number // 1 on success, else 0
  terminated: boolean // the task ended by success or failure; the clock (truncation) belongs to `run`
}

/** The driver of a robot that can fail throws `RobotFault` from any of these, which latches (safety.ts). */
export interface Robot {
  readonly spec: RobotSpec
  /**
   * Brings the scene to a start state of the task. `seed` fixes the randomisation where the robot has one. A robot that is
   * stopped on its way there stays where it is, and this rejects.
   */
  reset(task: string, seed?: number): Promise<Observation>
  observe(): Promise<Observation>
  /**
   * Carries out one action, a period of `rate`; resolves when the next observation is there. A real robot sends the command
   * at once, and looks so late that the period's rest is just enough to answer what it sees: the loop paces the commands.
   */
  step(action: Action): Promise<Outcome>
  /** Stops all motion now; safe to call at any time, more than once. */
  stop(): Promise<void>
  /** Goes to where it rests, as slowly and as watched as on its way to a start; left out where there is no such place. */
  park?(): Promise<void>
  /** A person has looked and cleared the fault: what the robot itself latched may go, too. Moves nothing. */
  recover?(): Promise<void>
}
