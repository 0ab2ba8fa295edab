/** @file What the package `duet/robot` offers to who writes a driver: what a robot promises, and what helps to keep it (docs/drivers.md). */
export { CamerasConfig } from '../robot/cameras/config.ts'
export { type Cameras, openCameras } from '../robot/cameras/open.ts'
export { type Channel, nameOf, type Role, vector, vectorOf } from '../robot/channels.ts'
export { type RobotClock, realClock } from '../robot/clock.ts'
export { type Fault, type FaultKind, RobotFault } from '../robot/fault.ts'
export { FaultFile } from '../robot/fault-file.ts'
export { canonicalAction, gripAfter } from '../robot/gripper.ts'
export { defaultLimits, type SafetyLimits } from '../robot/guard.ts'
export { RealSafetyConfig, safetyLimitsOf, TasksConfig } from '../robot/real-config.ts'
export {
  ACTION_WIDTH,
  type Action,
  type CameraMount,
  type CameraSpec,
  type Image,
  type Observation,
  type Outcome,
  type Robot,
  type RobotSpec,
  type TaskSpec,
} from '../robot/robot.ts'
export { eulerOf, fromEuler, type Pose, type Quat, type Vec3 } from '../robot/rotation.ts'
export { SafeRobot, type SafeRobotOptions } from '../robot/safety.ts'
export type { DrivenRobot, Driver, DriverOptions, DriverSettings } from '../robots/index.ts'
