/** @file All that a robot is read by: one topic a reading, the age of the oldest, and the proprioception made of them. */
import { type Pose, rotationBetween } from '../../robot/rotation.ts'
import type { RosConfig } from './config.ts'
import { type Reader, readJoints, readPose, readTwist, readWrench } from './messages.ts'
import { Topic } from './topic.ts'

export type Late = { what: string; age: number /* s */ }

export class ArmReadings {
  readonly pose: Topic<Pose>
  private readonly velocity
  private readonly wrench
  private readonly joints
  private readonly finger

  constructor(private readonly config: RosConfig) {
    const optional = <T>(name: string | undefined, type: string, read: Reader<T>) =>
      name === undefined ? undefined : new Topic({ name, type, read })
    const { pose, velocity, wrench, joints, gripper } = config
    const opening = gripper?.opening
    this.pose = new Topic({ name: pose, type: 'geometry_msgs/PoseStamped', read: readPose })
    this.velocity = optional(velocity, 'geometry_msgs/TwistStamped', readTwist)
    this.wrench = optional(wrench, 'geometry_msgs/WrenchStamped', readWrench)
    this.joints = optional(joints?.topic, 'sensor_msgs/JointState', readJoints(joints?.names ?? []))
    this.finger = optional(opening?.topic, 'sensor_msgs/JointState', readJoints(opening ? [opening.joint] : []))
  }

  get topics(): Topic<unknown>[] {
    const { pose, velocity, wrench, joints, finger } = this
    return [pose, velocity, wrench, joints, finger].filter((topic) => topic !== undefined)
  }

  /** 0 closed, 1 open; null where nothing tells, or before the first message. */
  get opening(): number | null {
    const range = this.config.gripper?.opening
    const position = this.finger?.newest?.value[0]
    return range && position !== undefined ? (position - range.closed) / (range.open - range.closed) : null
  }

  /** The entries of `rosSpec(config).channels`. Each topic has told something. `grip`: what the gripper is asked for. */
  proprio(grip: number): Float32Array {
    const { position, rotation } = this.pose.newest!.value
    const twist = this.velocity?.newest?.value
    const wrench = this.wrench?.newest?.value
    return Float32Array.from([
      ...position,
      ...rotationBetween(this.config.home, rotation),
      ...(twist ? [...twist.linear, ...twist.angular] : []),
      ...(wrench ? [...wrench.force, ...wrench.torque] : []),
      ...(this.joints?.newest?.value ?? []),
      ...(this.config.gripper?.opening ? [this.opening!] : []),
      ...(this.config.gripper ? [grip] : []),
    ])
  }
}
