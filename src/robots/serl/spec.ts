/** @file What an arm behind a SERL server tells of itself, without a connection made, and where its episodes begin. */
import { InputError } from '../../errors.ts'
import { RandomStream } from '../../random/stream.ts'
import { cameraSpecs } from '../../robot/cameras/config.ts'
import { type Channel, vector } from '../../robot/channels.ts'
import { expectTask } from '../../robot/real-config.ts'
import type { RobotSpec } from '../../robot/robot.ts'
import { eulerOf, fromRotationVector, multiply, type Pose, type Quat } from '../../robot/rotation.ts'
import { turnedBeyond } from '../../robot/turn-box.ts'
import type { SerlConfig } from './config.ts'
import { poseOfSix } from './poses.ts'

const TURNED = 1e-6 // rad: what conversions leave of an angle that is the limit itself

/** Ranges beyond what a Franka can do. */
const ARM: Channel[] = [
  ...vector('tcp', 'm', { of: 'position', low: -2, high: 2 }),
  ...vector('tcp.turn', 'rad', { of: 'turn', low: -4, high: 4 }), // rotation vector from the start pose
  ...vector('tcp.velocity', 'm/s', { of: 'velocity', low: -10, high: 10 }),
  ...vector('tcp.angularVelocity', 'rad/s', { low: -50, high: 50 }),
  ...vector('tcp.force', 'N', { of: 'force', low: -1000, high: 1000 }),
  ...vector('tcp.torque', 'Nm', { low: -500, high: 500 }),
]
const GRIPPER: Channel[] = [
  { name: 'gripper.opening', unit: '0 closed, 1 open', low: -0.5, high: 2, role: 'opening' },
  { name: 'gripper.command', unit: '-1 open, 1 close', low: -1, high: 1, role: 'grip' },
]

/** @throws InputError if there is no such cell */
export function serlSpec(config: SerlConfig, cell: string): RobotSpec {
  const { name, cells, rate, actionScale, tasks, cameras, gripper } = config
  if (!cells.includes(cell))
    throw new InputError('robot.cells', `has no cell "${cell}"`, `There are: ${cells.join(', ')}`)
  return {
    name: `${name}-${cell}`,
    rate,
    cameras: cameraSpecs(cameras),
    channels: gripper === 'none' ? ARM : [...ARM, ...GRIPPER],
    home: poseOfSix(config.startPose, config.startAngles).rotation,
    actionFrame: 'base',
    actionScale,
    tasks,
  }
}

/** Where an episode of a task begins. Without a seed: in the middle of its spread. @throws InputError for an unknown task */
export function serlStart(config: SerlConfig, spec: RobotSpec, task: string, seed?: number): Pose {
  expectTask(spec, task)
  const { startPose, startPoses, startAngles, startSpread } = config
  const middle = poseOfSix(Object.hasOwn(startPoses, task) ? startPoses[task]! : startPose, startAngles)
  if (seed === undefined) return middle
  const stream = new RandomStream(seed, 'start')
  const spread = (range: number) => stream.uniform(-range, range)
  const [x, y, z] = middle.position
  return {
    position: [x + spread(startSpread.xy), y + spread(startSpread.xy), z],
    rotation: multiply(fromRotationVector([0, 0, spread(startSpread.yaw)]), middle.rotation),
  }
}

/** @throws InputError where a start, or what it may be spread to, or the place to park lies outside of the work box, or a start is that of no task */
export function expectStartsWithin(config: SerlConfig, spec: RobotSpec): void {
  const { low, high, turn } = config.safety.workBox
  for (const task of Object.keys(config.startPoses))
    if (!Object.hasOwn(spec.tasks, task))
      throw new InputError(`robot.startPoses.${task}`, 'is the start of no task', 'Name one of robot.tasks')
  const expectTurned = (where: string, rotation: Quat) => {
    const out = turnedBeyond(rotation, turn)
    if (out > TURNED)
      throw new InputError(
        where,
        `is turned ${out.toFixed(2)} rad out of the work box: roll, pitch and yaw ${eulerOf(rotation).map((angle) => angle.toFixed(2))}`,
        'Turn it, or widen safety.workBox.turn',
      )
  }
  if (config.park) expectTurned('robot.park', poseOfSix(config.park, config.startAngles).rotation)
  config.park?.slice(0, 3).forEach((value, axis) => {
    if (value < low[axis]! || value > high[axis]!)
      throw new InputError(
        'robot.park',
        `is ${value} m on ${'xyz'[axis]}, the work box reaches from ${low[axis]} to ${high[axis]}`,
        'Move it, or widen safety.workBox',
      )
  })
  for (const task of Object.keys(spec.tasks)) {
    const start = serlStart(config, spec, task)
    for (const yaw of [-config.startSpread.yaw, config.startSpread.yaw])
      expectTurned(`robot.startPose of "${task}"`, multiply(fromRotationVector([0, 0, yaw]), start.rotation))
    start.position.forEach((value, axis) => {
      const spread = axis < 2 ? config.startSpread.xy : 0
      if (value - spread < low[axis]! || value + spread > high[axis]!)
        throw new InputError(
          `robot.startPose of "${task}"`,
          `is ${value}${spread ? ` ± ${spread}` : ''} m on ${'xyz'[axis]}, the work box reaches from ${low[axis]} to ${high[axis]}`,
          'Move the start, or widen safety.workBox',
        )
    })
  }
}
