/** @file Where a robot's tool is, read from its proprioception by what the channels are. */
import { vectorOf } from './channels.ts'
import type { RobotSpec } from './robot.ts'
import { fromRotationVector, multiply, type Pose, type Vec3 } from './rotation.ts'

export type ToolPose = (proprio: ArrayLike<number>) => Pose

/** In the base frame; null for a robot that does not tell all of it. Looks the channels up once. */
export function toolPose({ channels, home }: Pick<RobotSpec, 'channels' | 'home'>): ToolPose | null {
  const position = vectorOf(channels, 'position')
  const turn = vectorOf(channels, 'turn')
  if (!position || !turn || !home) return null
  return (proprio) => {
    const vector = (indices: readonly number[]) => indices.map((i) => proprio[i]!) as Vec3
    return { position: vector(position), rotation: multiply(fromRotationVector(vector(turn)), home) }
  }
}
