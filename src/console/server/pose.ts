/** @file What the page draws over the cameras, from what a robot's channels are, and where its cameras are. */
import { vectorOf } from '../../robot/channels.ts'
import { type AskedGrip, gripAfter, toldGrip } from '../../robot/gripper.ts'
import type { CameraSpec, RobotSpec } from '../../robot/robot.ts'
import { type ToolPose, toolPose } from '../../robot/tool-pose.ts'
import type { CameraInfo, State } from '../protocol.ts'

/** Reads an observation's proprioception by what its channels are; looks them up once. */
export class ProprioReader {
  private readonly pose: ToolPose | null
  private readonly velocity: number[] | null
  private readonly opening: number
  private readonly channels: RobotSpec['channels']

  constructor({ channels, home }: Pick<RobotSpec, 'channels' | 'home'>) {
    this.channels = channels
    this.pose = toolPose({ channels, home })
    this.velocity = vectorOf(channels, 'velocity')
    this.opening = channels.findIndex(({ role }) => role === 'opening')
  }

  /** The tool's pose in the base frame; null where the robot does not tell all of it. */
  tcp(values: ArrayLike<number>): State['tcp'] {
    return this.pose?.(values) ?? null
  }

  /** [3] m/s; null where the robot does not tell. */
  velocityOf(values: ArrayLike<number>): number[] | null {
    return this.velocity?.map((i) => values[i]!) ?? null
  }

  /** m/s; null where the robot does not tell. */
  speed(values: ArrayLike<number>): number | null {
    const velocity = this.velocityOf(values)
    return velocity && Math.hypot(...velocity)
  }

  /** 0 closed, 1 open. */
  gripper(values: ArrayLike<number>): number | null {
    return this.opening < 0 ? null : values[this.opening]!
  }

  /** What the gripper is asked for; 0 where the robot does not tell. */
  grip(values: ArrayLike<number>): AskedGrip {
    return gripAfter(toldGrip(this.channels, values), 0)
  }
}

/** The cameras of a robot in the order of their names, with their places where they are known. */
export function camerasOf(cameras: Readonly<Record<string, CameraSpec>>): CameraInfo[] {
  return Object.entries(cameras)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { width, height, mount }]) => ({ name, width, height, calibration: mount ?? null }))
}
