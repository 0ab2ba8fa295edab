/** @file Where a robot's tool is, read from its proprioception by what the channels are. */
import { vectorOf } from './channels.ts'
import type { RobotSpec } from './robot.ts'
import { fromRotationVector, multiply, type Pose, type Vec3 } from './rotation.ts'

export type ToolPose = (proprio: ArrayLike<number>) => Pose

/** Metres, in the base frame; null for a robot that does not tell it. Looks the channels up once. */
export function toolPosition({ channels }: Pick<RobotSpec, 'channels'>): ((proprio: ArrayLike<number>) => Vec3) | null {
  const position = vectorOf(channels, 'position')
  return position && ((proprio) => position.map((i) => proprio[i]!) as Vec3)
}

/** The same with its turn; null for a robot that does not tell all of it. */
export function toolPose({ channels, home }: Pick<RobotSpec, 'channels' | 'home'>): ToolPose | null {
  const position = toolPosition({ channels })
  const turn = vectorOf(channels, 'turn')
  if (!position || !turn || !home) return null
  return (proprio) => {
    const vector = turn.map((i) => proprio[i]!) as Vec3
    return { position: position(proprio), rotation: multiply(fromRotationVector(vector), home) }
  }
}
