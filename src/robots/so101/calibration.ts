/**
 * @file An arm's calibration in LeRobot's format and place, so that nobody calibrates twice: which steps of its servos each joint
 * turns between, and how far a servo's own zero is shifted.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { writeWhole } from '../../durable.ts'
import { InputError } from '../../errors.ts'
import { STEPS } from './feetech/registers.ts'
import { ARM_JOINTS, JOINTS, type JointName } from './joints.ts'

const step = z
  .int()
  .min(0)
  .max(STEPS - 1)

const JointCalibration = z
  .object({
    id: z.int().min(0).max(253),
    drive_mode: z.union([z.literal(0), z.literal(1)]),
    homing_offset: z.int().min(-2047).max(2047),
    range_min: step,
    range_max: step,
  })
  .refine(({ range_min, range_max }) => range_min < range_max, 'range_min is not below range_max')
export type JointCalibration = z.infer<typeof JointCalibration>

const ArmCalibration = z.object(
  Object.fromEntries(JOINTS.map((joint) => [joint, JointCalibration])) as Record<JointName, typeof JointCalibration>,
)
export type ArmCalibration = z.infer<typeof ArmCalibration>

export type ArmRole = 'follower' | 'leader'

/** Newest first: LeRobot before 0.4 had a folder for each arm and name. */
const FOLDERS: Record<ArmRole, readonly string[]> = {
  follower: ['robots/so_follower', 'robots/so101_follower', 'robots/so100_follower'],
  leader: ['teleoperators/so_leader', 'teleoperators/so101_leader', 'teleoperators/so100_leader'],
}

/** LeRobot's, by its own settings. */
function calibrationFolder(env: NodeJS.ProcessEnv): string {
  const { HF_LEROBOT_CALIBRATION, HF_LEROBOT_HOME, HF_HOME, XDG_CACHE_HOME } = env
  const cache = HF_HOME ?? join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'huggingface')
  return HF_LEROBOT_CALIBRATION ?? join(HF_LEROBOT_HOME ?? join(cache, 'lerobot'), 'calibration')
}

/** Where the calibration of an arm is written, and where it may lie already. */
export const calibrationPaths = (role: ArmRole, arm: string, env = process.env): string[] =>
  FOLDERS[role].map((folder) => join(calibrationFolder(env), folder, `${arm}.json`))

/** `arm`: its id, or the path of a file. @throws InputError if there is none, naming those that there are */
export function readCalibration(role: ArmRole, arm: string, env = process.env): ArmCalibration {
  const path = arm.endsWith('.json') ? arm : calibrationPaths(role, arm, env).find((file) => existsSync(file))
  if (path === undefined || !existsSync(path)) throw missing(role, arm, env)
  let content: unknown
  try {
    content = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new InputError(path, `is no JSON: ${(error as Error).message}`, RECALIBRATE, { cause: error })
  }
  const parsed = ArmCalibration.safeParse(content)
  if (parsed.success) return expectOneServoAJoint(parsed.data, path)
  const { path: at, message } = parsed.error.issues[0]!
  throw new InputError(path, `is no calibration of this arm: ${at.join('.') || 'the whole'}, ${message}`, RECALIBRATE)
}

/** Whole under its name when this returns. */
export function writeCalibration(path: string, calibration: ArmCalibration): void {
  mkdirSync(dirname(path), { recursive: true })
  writeWhole(path, `${JSON.stringify(calibration, null, 4)}\n`)
}

function expectOneServoAJoint(calibration: ArmCalibration, path: string): ArmCalibration {
  const owner = new Map<number, JointName>()
  for (const joint of JOINTS) {
    const { id } = calibration[joint]
    const other = owner.get(id)
    if (other) throw new InputError(path, `gives ${other} and ${joint} the same servo, ${id}`, RECALIBRATE)
    owner.set(id, joint)
  }
  return calibration
}

function missing(role: ArmRole, arm: string, env: NodeJS.ProcessEnv): InputError {
  const paths = calibrationPaths(role, arm, env)
  const others = paths
    .map((path) => dirname(path))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder))
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
  const known = others.length > 0 ? `Calibrated are: ${[...new Set(others)].join(', ')}. ` : ''
  const type = role === 'follower' ? '--robot.type=so101_follower --robot' : '--teleop.type=so101_leader --teleop'
  return new InputError(
    `${role} "${arm}"`,
    `has no calibration at ${paths[0]}`,
    `${known}Calibrate it with LeRobot, \`lerobot-calibrate ${type}.id=${arm}\`, or give the path of its file`,
  )
}

const RECALIBRATE = 'Calibrate the arm again with LeRobot'

/** Of the joint at `index`: steps to radians, (steps - middle)·2π/4095; of the gripper to 0 closed .. 1 open, by its range. */
export function fromSteps(index: number, calibration: JointCalibration, steps: number): number {
  const { range_min, range_max, drive_mode } = calibration
  if (index < ARM_JOINTS) return ((steps - (range_min + range_max) / 2) * 2 * Math.PI) / (STEPS - 1)
  const share = (steps - range_min) / (range_max - range_min)
  return drive_mode ? 1 - share : share
}

/** The other way, within the joint's range. Whole steps. */
export function toSteps(index: number, calibration: JointCalibration, value: number): number {
  const { range_min, range_max, drive_mode } = calibration
  const share = drive_mode ? 1 - value : value
  const steps =
    index < ARM_JOINTS
      ? (value * (STEPS - 1)) / (2 * Math.PI) + (range_min + range_max) / 2
      : range_min + share * (range_max - range_min)
  return Math.round(Math.min(range_max, Math.max(range_min, steps)))
}

/** What a joint can turn between, as `fromSteps` tells it. */
export const rangeOf = (index: number, calibration: JointCalibration): [low: number, high: number] => {
  const ends = [calibration.range_min, calibration.range_max].map((end) => fromSteps(index, calibration, end))
  return [Math.min(...ends), Math.max(...ends)]
}
