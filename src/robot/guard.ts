/** @file The safety envelope's rule: what of a command a motor may be told. Pure; `SafeRobot` (safety.ts) lets no command round it. */
import { InputError } from '../errors.ts'
import { vectorOf } from './channels.ts'
import type { Fault } from './fault.ts'
import { type AskedGrip, canonicalAction } from './gripper.ts'
import { ACTION_WIDTH, type Action, type RobotSpec } from './robot.ts'
import type { Quat } from './rotation.ts'
import { defaultSenseLimits, type SenseLimits } from './senses.ts'
import { toolPose } from './tool-pose.ts'
import { keptTurn } from './turn-box.ts'
import type { WorkBox } from './work-box.ts'

export type SafetyLimits = SenseLimits & {
  change: number // largest change of a motion axis (translation and rotation) between two steps, in action units
  workBox: WorkBox | null // TCP position; null: the robot has its own
  force: number // N: more is a fault
  commandAge: number // s between the making of a command and its execution, and between two commands; more is a fault
  heartbeatAge: number // s since any of those who supervise was last heard; more is a fault
}

/** Nothing is timed by default: a simulator waits for its learner. A real robot sets both ages. */
export const defaultLimits: SafetyLimits = {
  ...defaultSenseLimits,
  change: 1,
  workBox: null,
  force: 100,
  commandAge: Infinity,
  heartbeatAge: Infinity,
}

/** What the guard has to know beside the command. */
export type SafetySituation = {
  previous: ArrayLike<number> // [7] what was sent last; zeros after a reset, a stop or a hold
  grip: AskedGrip // what the gripper is asked for already
  position: readonly number[] | null // [3] TCP, metres; null where the robot does not tell
  rotation: Quat | null // of the tool in the base frame; null where the robot does not tell
  force: number | null // N; null where nothing measures it
  commandAge: number // s
  heartbeatAge: number // s
  pictureAge: number // s of the oldest picture, in the observation on which the command was decided
  blind: boolean // a camera shows nothing in it
  actionScale: RobotSpec['actionScale']
  fault: Fault | null // latched earlier
}

export type Guarded = {
  action: Action // [7] what may go to the motor
  fault: Fault | null
  limited: boolean // the command was within its rights but larger than allowed
}

/** Stand still; whatever the gripper does, it goes on. */
export const holdAction = (): Action => new Float32Array(ACTION_WIDTH)

const older = (age: number, limit: number) => !(age <= limit) // also catches an age that is not a number

function findFault(command: ArrayLike<number>, situation: SafetySituation, limits: SafetyLimits): Fault | null {
  if (situation.fault) return situation.fault
  if (command.length !== ACTION_WIDTH)
    return { kind: 'wrong length', what: `action has ${command.length} entries, expected ${ACTION_WIDTH}` }
  for (let i = 0; i < ACTION_WIDTH; i++)
    if (!Number.isFinite(command[i])) return { kind: 'not a number', what: `action[${i}] is ${command[i]}` }
  const { position, force, commandAge, heartbeatAge } = situation
  if (position && (position.length !== 3 || !position.every(Number.isFinite)))
    return { kind: 'sensor', what: `the TCP position reads [${position}]` }
  if (force !== null && !Number.isFinite(force)) return { kind: 'sensor', what: `the force reads ${force}` }
  if (force !== null && force > limits.force)
    return { kind: 'force', what: `${force.toFixed(1)} N, the limit is ${limits.force} N` }
  if (older(commandAge, limits.commandAge))
    return { kind: 'stale command', what: `${commandAge} s old, the limit is ${limits.commandAge} s` }
  if (older(heartbeatAge, limits.heartbeatAge))
    return { kind: 'lost heartbeat', what: `${heartbeatAge} s ago, the limit is ${limits.heartbeatAge} s` }
  return null
}

/**
 * What a motor may be told. With a fault: hold; with an old picture, or one that shows nothing, too, for the step. Else the command clipped to [-1, 1], its motion axes kept within
 * `limits.change` of the previous ones, and no step that leads or turns out of the work box (back into it always may), its
 * gripper entry canonical. Stopping at the wall of the box comes before smoothness. Pure; never throws.
 */
export function guard(command: ArrayLike<number>, situation: SafetySituation, limits: SafetyLimits): Guarded {
  const fault = findFault(command, situation, limits)
  if (fault) return { action: holdAction(), fault, limited: false }
  if (situation.blind || older(situation.pictureAge, limits.pictureHold))
    return { action: canonicalAction(holdAction(), situation.grip), fault: null, limited: true }
  const action = Float32Array.from(command, (value) => Math.min(1, Math.max(-1, value)))
  for (let i = 0; i < 6; i++) {
    const previous = situation.previous[i]!
    action[i] = Math.min(previous + limits.change, Math.max(previous - limits.change, action[i]!))
  }
  const { position, rotation, actionScale } = situation
  const { workBox } = limits
  if (workBox && position)
    for (let i = 0; i < 3; i++) {
      const upwards = Math.max(0, (workBox.high[i]! - position[i]!) / actionScale.translation)
      const downwards = Math.min(0, (workBox.low[i]! - position[i]!) / actionScale.translation)
      action[i] = Math.min(upwards, Math.max(downwards, action[i]!))
    }
  if (workBox?.turn && rotation) {
    const about = (i: number) => action[i]! * actionScale.rotation
    const kept = keptTurn([about(3), about(4), about(5)], rotation, workBox.turn).map((v) => v / actionScale.rotation)
    const largest = Math.max(1, ...kept.map(Math.abs))
    for (let i = 0; i < 3; i++) action[3 + i] = kept[i]! / largest
  }
  let limited = false
  for (let i = 0; i < ACTION_WIDTH; i++) limited ||= Math.abs(action[i]! - command[i]!) > 1e-6
  return { action: canonicalAction(action, situation.grip), fault: null, limited }
}

/** @throws InputError where limits contradict themselves, or need what a robot does not tell */
export function expectFittingLimits(limits: SafetyLimits, spec: RobotSpec): void {
  const { workBox } = limits
  for (const [name, value] of Object.entries(limits))
    if (typeof value === 'number' && !(value > 0))
      throw new InputError(`safety.${name}`, `is ${value}`, 'Give a positive number')
  if (workBox && ![0, 1, 2].every((i) => workBox.low[i]! < workBox.high[i]!))
    throw new InputError(
      'safety.workBox',
      `low [${workBox.low}], high [${workBox.high}]`,
      'Each low must be below its high',
    )
  if (workBox && !vectorOf(spec.channels, 'position'))
    throw new InputError(
      'safety.workBox',
      `${spec.name} reports no TCP position`,
      'Set it to null, or give channels the roles position.x, position.y and position.z',
    )
  if (workBox && spec.actionFrame !== 'base')
    throw new InputError(
      'safety.workBox',
      `is in the base frame, and ${spec.name} moves in the frame of its ${spec.actionFrame}`,
      'Have its driver take actions in the base frame',
    )
  if (workBox?.turn && !toolPose(spec))
    throw new InputError(
      'safety.workBox.turn',
      `${spec.name} does not tell how its tool is turned`,
      'Leave it out, or give channels the roles turn.x, turn.y and turn.z, and its description a `home`',
    )
}
