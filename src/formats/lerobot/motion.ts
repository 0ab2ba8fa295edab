/**
 * @file From what a dataset tells of an arm's motion to actions of a robot at its own rate. The motion becomes a way of the tool, which
 * is walked in steps of the robot: deltas are added up, none is dropped, and what one step cannot do the next ones make up for.
 */
import { InputError } from '../../errors.ts'
import type { JointChain } from '../../robot/joint-chain.ts'
import { ACTION_WIDTH, type RobotSpec } from '../../robot/robot.ts'
import {
  conjugate,
  fromEuler,
  fromRotationVector,
  moved,
  multiply,
  type Pose,
  type Quat,
  rotate,
  rotationBetween,
  rotationVector,
  unit,
  type Vec3,
} from '../../robot/rotation.ts'
import { lengthIn, type SetMapping, type SetMotion, turnIn } from './mapping.ts'

/** Numbers of a frame, by a reference. */
export type NumberReader = (reference: string, frame: number) => Float64Array

/** Where the tool is at each of these times; between them it goes straight. */
export type ToolWay = { times: Float64Array; poses: readonly Pose[] }

type Told = Exclude<SetMotion, { kind: 'delta' }>
type Base = SetMapping['base']
type Spec = Pick<RobotSpec, 'actionFrame' | 'actionScale' | 'rate'>

const NOT_TURNED: Quat = [1, 0, 0, 0]
const degrees = (angles: readonly number[]) => angles.map((angle) => (angle * Math.PI) / 180) as Vec3

const baseTurn = ({ turn }: Base): Quat => fromEuler(degrees(turn))

/** Where the tool is by a frame's numbers, in the robot's base frame. */
export function poseIn(told: Told, base: Base, chain: JointChain | undefined, read: NumberReader, frame: number): Pose {
  const { position, rotation } =
    told.kind === 'joints' ? chain!.tool(anglesIn(told, chain!, read, frame)) : poseOf(told, read, frame)
  const turn = baseTurn(base)
  const at = rotate(turn, position)
  return {
    position: at.map((value, axis) => value + base.offset[axis]!) as Vec3,
    rotation: unit(multiply(turn, rotation)),
  }
}

function poseOf(told: Extract<Told, { kind: 'pose' }>, read: NumberReader, frame: number): Pose {
  const position = Array.from(read(told.position, frame), (value) => value * lengthIn(told.unit)!) as Vec3
  if (told.rotation === undefined) return { position, rotation: NOT_TURNED }
  const values = Array.from(read(told.rotation, frame))
  if (told.as === 'quaternion-wxyz') return { position, rotation: unit(values as unknown as Quat) }
  if (told.as === 'quaternion-xyzw')
    return { position, rotation: unit([values[3]!, values[0]!, values[1]!, values[2]!]) }
  const angles = values.map((value) => value * turnIn(told.turn)!) as Vec3
  return { position, rotation: told.as === 'euler-xyz' ? fromEuler(angles) : fromRotationVector(angles) }
}

/** rad */
export function anglesIn(
  told: Extract<Told, { kind: 'joints' }>,
  { ranges }: JointChain,
  read: NumberReader,
  frame: number,
): number[] {
  return Array.from(read(told.angles, frame), (value, joint) => {
    if (told.unit !== 'range') return value * turnIn(told.unit)!
    const [low, high] = ranges[joint]!
    return low + ((value + 100) / 200) * (high - low)
  })
}

/** How many numbers a rotation has. */
export const rotationWidth = (told: SetMotion): number =>
  told.kind === 'pose' && told.as.startsWith('quaternion') ? 4 : 3

/**
 * Steps of the tool become a way from where it was, if that is known, else from nowhere; targets hold from their frame on, and states at
 * it. `tools`: where the tool was in each frame.
 */
export function wayOf(
  motion: SetMotion,
  base: Base,
  chain: JointChain | undefined,
  spec: Spec,
  read: NumberReader,
  times: Float64Array,
  period: number, // s that the last frame lasts
  tools: readonly Pose[] | undefined,
): ToolWay {
  const frames = Array.from(times, (_, frame) => frame)
  const withEnd = Float64Array.from([...times, times.at(-1)! + period])
  if (motion.kind !== 'delta') {
    const poses = frames.map((frame) => poseIn(motion, base, chain, read, frame))
    return motion.tells === 'state' ? { times, poses } : { times: withEnd, poses: [poses[0]!, ...poses] }
  }
  const turn = baseTurn(base)
  const length = lengthIn(motion.unit) ?? spec.actionScale.translation
  const angle = turnIn(motion.turn) ?? spec.actionScale.rotation
  const poses: Pose[] = [tools?.[0] ?? { position: [0, 0, 0], rotation: NOT_TURNED }]
  for (const frame of frames) {
    const at = poses[frame]!
    const shift = Array.from(read(motion.position, frame), (value) => value * length) as Vec3
    const turned = Array.from(
      motion.rotation === undefined ? [0, 0, 0] : read(motion.rotation, frame),
      (value) => value * angle,
    ) as Vec3
    const into = motion.frame === 'base' ? turn : (tools?.[frame] ?? at).rotation
    poses.push(moved(at, [...rotate(into, shift), ...rotate(into, turned)]))
  }
  return { times: withEnd, poses }
}

/** How many steps of the robot a way takes. */
export const stepsOf = ({ times }: ToolWay, rate: number): number => Math.max(1, Math.ceil(times.at(-1)! * rate - 0.02))

function at({ times, poses }: ToolWay, time: number): Pose {
  let next = 1
  while (next < times.length - 1 && times[next]! < time) next++
  if (times.length === 1) return poses[0]!
  const [from, to] = [poses[next - 1]!, poses[next]!]
  const share = Math.min(1, Math.max(0, (time - times[next - 1]!) / (times[next]! - times[next - 1]!)))
  const turn = rotationBetween(from.rotation, to.rotation).map((value) => share * value) as Vec3
  return {
    position: from.position.map((value, axis) => value + share * (to.position[axis]! - value)) as Vec3,
    rotation: unit(multiply(fromRotationVector(turn), from.rotation)),
  }
}

const BEHIND = 10 // steps that the robot may fall behind the way: a second of most

export type Walked = {
  twists: Float32Array[] // [7] the gripper's entry 0
  clipped: number // steps that could not do all that was asked of them
  tooFast?: string // where the robot falls too far behind
}

/** `oriented`: of the tool in each step, where it is known; a robot whose actions are told in the tool's frame needs it. */
export function walk(way: ToolWay, spec: Spec, oriented?: (step: number) => Quat): Walked {
  const { translation, rotation } = spec.actionScale
  const scales = [translation, translation, translation, rotation, rotation, rotation]
  const twists: Float32Array[] = []
  let here = at(way, 0)
  let clipped = 0
  for (let step = 0; step < stepsOf(way, spec.rate); step++) {
    const there = at(way, (step + 1) / spec.rate)
    const frame = spec.actionFrame === 'tool' ? (oriented?.(step) ?? here.rotation) : NOT_TURNED
    const shift = rotate(conjugate(frame), there.position.map((value, axis) => value - here.position[axis]!) as Vec3)
    const turn = rotate(conjugate(frame), rotationBetween(here.rotation, there.rotation))
    const asked = [...shift, ...turn].map((value, i) => value / scales[i]!)
    const done = asked.map((value) => Math.min(1, Math.max(-1, value)))
    const most = Math.max(...asked.map(Math.abs))
    if (most > 1.001) clipped++
    if (most > BEHIND)
      return {
        twists,
        clipped,
        tooFast: `at ${((step + 1) / spec.rate).toFixed(1)} s the way is ${most.toFixed(1)} steps of the robot ahead`,
      }
    const made = done.map((value, i) => value * scales[i]!)
    here = moved(here, [...rotate(frame, made.slice(0, 3) as Vec3), ...rotate(frame, made.slice(3) as Vec3)])
    const twist = new Float32Array(ACTION_WIDTH)
    twist.set(done)
    twists.push(twist)
  }
  return { twists, clipped }
}

/** From the home orientation, as a robot's channels tell it. */
export const turnFrom = (home: Quat | undefined, rotation: Quat): Vec3 =>
  home ? rotationBetween(home, rotation) : rotationVector(rotation)

/** @throws InputError where steps told in one frame are to be actions in the other, and nobody knows how the tool was turned */
export function expectFrame(motion: SetMotion, pose: SetMapping['pose'], { actionFrame }: Spec): void {
  const told = motion.kind === 'delta' ? motion.frame : 'base'
  if (told !== actionFrame && motion.kind === 'delta' && pose === undefined)
    throw new InputError(
      'mapping.motion.frame',
      `is "${told}", the robot's actions are in the frame of its ${actionFrame}`,
      'Say how the tool was turned: mapping.pose',
    )
}
