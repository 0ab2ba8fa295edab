/** @file What a workcell tells of itself, without a scene compiled. */
import { type Channel, vector } from '../../robot/channels.ts'
import type { RobotSpec } from '../../robot/robot.ts'
import { CAMERA_SIZE } from './appearance.ts'
import { HOME_ROTATION } from './layout.ts'
import { workcellCameras } from './mounts.ts'
import { DEFAULT_OPTIONS, type WorkcellOptions } from './options.ts'
import { PLACE_CHANNELS } from './places.ts'
import { ACTION_SCALE } from './target.ts'
import { TASKS } from './tasks/index.ts'

/** Ranges far beyond what the scene can do: contacts of rigid bodies may be hard, and drift a little into each other. */
const CHANNELS: Channel[] = [
  ...vector('tcp', 'm', { of: 'position', low: -3, high: 3 }),
  ...vector('tcp.turn', 'rad', { of: 'turn', low: -4, high: 4 }), // rotation vector from the home orientation
  ...vector('tcp.velocity', 'm/s', { of: 'velocity', low: -20, high: 20 }),
  ...vector('tcp.angularVelocity', 'rad/s', { low: -200, high: 200 }),
  { name: 'gripper.opening', unit: '0 closed, 1 open', low: -1, high: 2, role: 'opening' },
  { name: 'gripper.command', unit: '-1 open, 1 close', low: -1, high: 1, role: 'grip' },
  ...vector('wrist.force', 'N', { of: 'force', low: -1e5, high: 1e5 }), // contact force on the hand, mean over the last step
]

export const RATE = 10 // Hz

type Named =
  | 'arm'
  | 'bolts'
  | 'cell'
  | 'friction'
  | 'clearance'
  | 'tip'
  | 'starts'
  | 'toys'
  | 'frontHidden'
  | 'tellsPlaces'

/**
 * The robot's name: arm, bolts, cell, and in what its scene differs from the default one. Logs keep it, so that a
 * demonstration that was given in one scene is never taken for one of another (replay/log-files.ts).
 */
function nameOf(options: Pick<WorkcellOptions, Named>): string {
  const { arm, bolts, cell, friction, clearance, tip, starts, toys, frontHidden, tellsPlaces } = options
  const { friction: usual, clearance: play } = DEFAULT_OPTIONS
  const scene = [
    friction.slot === usual.slot ? '' : `friction${friction.slot}`,
    clearance === play ? '' : `clearance${clearance}`,
    tip === 'round' ? '' : tip,
    ...Object.entries(starts).map(([name, by]) => (by === 0 ? '' : `${name}${by}`)),
    toys.length === 0 ? '' : `toys${toys.length}`,
    frontHidden === 0 ? '' : `hidden${frontHidden}`,
    tellsPlaces ? 'places' : '',
  ]
  return ['workcell', arm, bolts, cell === 'A' ? '' : cell, ...scene].filter((part) => part !== '').join('-')
}

export function specOf(options: Pick<WorkcellOptions, Named | 'cameras' | 'frontCamera'>): RobotSpec {
  const { cameras } = options
  const mounts = workcellCameras(options)
  return {
    name: nameOf(options),
    rate: RATE,
    cameras: cameras
      ? { front: { ...CAMERA_SIZE, mount: mounts.front }, wrist: { ...CAMERA_SIZE, mount: mounts.wrist } }
      : {},
    channels: options.tellsPlaces ? [...CHANNELS, ...PLACE_CHANNELS] : CHANNELS,
    home: HOME_ROTATION,
    actionFrame: 'base',
    actionScale: ACTION_SCALE,
    tasks: Object.fromEntries(
      Object.entries(TASKS).map(([name, { instruction, maxSteps }]) => [name, { instruction, maxSteps }]),
    ),
  }
}
