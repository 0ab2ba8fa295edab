/** @file What the page draws over the cameras, from what a robot's channels are, and where its cameras are. */
import { vectorOf } from '../../robot/channels.ts'
import { type AskedGrip, gripAfter, toldGrip } from '../../robot/gripper.ts'
import type { CameraSpec, RobotSpec } from '../../robot/robot.ts'
import { fromRotationVector, multiply, type Quat, type Vec3 } from '../../robot/rotation.ts'
import type { CameraInfo, State } from '../protocol.ts'

/** Reads an observation's proprioception by what its channels are; looks them up once. */
export class ProprioReader {
  private readonly position: number[] | null
  private readonly turn: number[] | null
  private readonly velocity: number[] | null
  private readonly opening: number
  private readonly home: Quat | undefined
  private readonly channels: RobotSpec['channels']

  constructor({ channels, home }: Pick<RobotSpec, 'channels' | 'home'>) {
    this.home = home
    this.channels = channels
    this.position = vectorOf(channels, 'position')
    this.turn = vectorOf(channels, 'turn')
    this.velocity = vectorOf(channels, 'velocity')
    this.opening = channels.findIndex(({ role }) => role === 'opening')
  }

  /** The tool's pose in the base frame; null where the robot does not tell all of it. */
  tcp(values: ArrayLike<number>): State['tcp'] {
    if (!this.position || !this.turn || !this.home) return null
    const vector = (indices: number[]) => indices.map((i) => values[i]!) as Vec3
    const rotation = multiply(fromRotationVector(vector(this.turn)), this.home)
    return { position: vector(this.position), rotation }
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
