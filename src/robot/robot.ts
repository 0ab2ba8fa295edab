/** @file What every robot, simulated or real, promises to the interaction loop. */
import type { Quat, Vec3 } from './rotation.ts'

export type Image = { width: number; height: number; data: Uint8Array } // RGB, row-major, top row first

export type Observation = {
  images: Record<string, Image>
  proprio: Float32Array // entries named by RobotSpec.proprio
  time: number // seconds since the robot started
}

/** [7] in [-1, 1]: dx dy dz (base frame), droll dpitch dyaw, gripper. RobotSpec.actionScale gives metres and radians per step. */
export type Action = Float32Array

export const ACTION_WIDTH = 7

/**
 * Where a camera is: `position` and `rotation` (camera to frame) in the robot's base frame, or in that of its tool. It looks
 * along its -z, +y is up in the picture.
 */
export type CameraMount = { mount: 'base' | 'tool'; position: Vec3; rotation: Quat; fovy: number /* rad */ }

/** `mount`: where it is known, so that motion can be drawn over the picture. */
export type CameraSpec = { width: number; height: number; mount?: CameraMount }

export type RobotSpec = {
  name: string
  cameras: Record<string, CameraSpec>
  proprio: readonly string[] // name and unit of each entry, e.g. "tcp.x [m]"
  home?: Quat // orientation of the tool where the channels that tell its turn read 0
  actionScale: { translation: number; rotation: number } // metres and radians per 10 Hz step at |a| = 1
  tasks: Record<string, { instruction: string; maxSteps: number }>
}

export type Outcome = {
  observation: Observation
  reward: number // 1 on success, else 0
  terminated: boolean // the task ended by success or failure; the clock (truncation) belongs to `run`
}

export interface Robot {
  readonly spec: RobotSpec
  /** Brings the scene to a start state of the task. `seed` fixes the randomisation where the robot has one. */
  reset(task: string, seed?: number): Promise<Observation>
  observe(): Promise<Observation>
  /** Carries out one 10 Hz action; resolves when the next observation is there. */
  step(action: Action): Promise<Outcome>
  /** Stops all motion now; safe to call at any time, more than once. */
  stop(): Promise<void>
}
