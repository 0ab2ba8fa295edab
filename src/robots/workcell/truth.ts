/** @file Privileged state of the workcell: for the scripted expert, the simulated operator, probes and tests; never for a policy. */
import type { Pose, Vec3 } from '../../robot/rotation.ts'

export type { Pose, Quat, Vec3 } from '../../robot/rotation.ts' // the world frame is the robot's base frame

/** A cradle, stand or slot: `position` is the centre of the hole at its opening, local -z goes into the hole. */
export type Fixture = Pose & { depth: number; clearance: number }

/** `position` is the body origin (underside of the head); local +z points to the head; `tip` is the lower end of the shaft. */
export type BoltState = Pose & { tip: Vec3; speed: number; held: boolean; touchesHand: boolean }

/** Of a stand on a rail: metres from its start, where the end stop is, and m/s along the stand's own y. */
export type Slide = { travel: number; stroke: number; speed: number }

export type Truth = {
  task: string
  tip?: 'round' | 'flat' // of the bolts; round where nothing is said
  bolt: number // index of the active bolt, its cradle and its slot
  tcp: Pose & { velocity: Vec3; angularVelocity: Vec3 }
  gripper: { width: number; command: 'open' | 'close' } // opening between the pads, metres (0..0.05)
  bolts: BoltState[]
  cradles: Fixture[]
  slots: Fixture[]
  stand: Fixture
  slide?: Slide // only in the scene of the task `slide`; elsewhere the stand does not move
  contactForce: number // N, largest hand-or-bolt against fixture force over the last step
}
