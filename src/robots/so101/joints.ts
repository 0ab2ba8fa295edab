/** @file The six joints of an SO-100 or SO-101, by the names and ids that LeRobot gave them. */

export const JOINTS = ['shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex', 'wrist_roll', 'gripper'] as const
export type JointName = (typeof JOINTS)[number]

export const ARM_JOINTS = 5 // those before the gripper
export const GRIPPER_JOINT = 5 // its place among them

/** Servo of joint i has id i + 1, where no calibration says otherwise. */
export const idOf = (joint: number): number => joint + 1

/** One number a joint, in their order: radians, and of the gripper 0 closed to 1 open. */
export type JointVector = readonly number[]

export const toDegrees = (radians: number): number => (radians * 180) / Math.PI
export const toRadians = (degrees: number): number => (degrees * Math.PI) / 180
