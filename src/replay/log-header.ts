/** @file What the records of a log depend on: the robot as it was described, and the version that they are written in. */
import { z } from 'zod'
import type { Channel, Role, VectorRole } from '../robot/channels.ts'
import { ROLES } from '../robot/channels.ts'
import type { RobotSpec } from '../robot/robot.ts'

export const LOG_FORMAT = 'duet-log'
/**
 * Version 3 is for robots with cameras of their own: version 2, and images may be the cameras' JPEG. Version 4 is for a policy's
 * steps: version 3, and they may hold what was planned. Version 5 is for an actor of a fleet: version 4, and they hold which
 * policy planned them.
 */
const VERSIONS = [2, 3, 4, 5] as const

const count = z.int().min(0)
const finite = z.number()
const size = { width: z.int().min(1).max(4096), height: z.int().min(1).max(4096) }
const crop = z.strictObject({ left: z.int().min(0).max(4096), top: z.int().min(0).max(4096), ...size })
const actionScale = z.strictObject({ translation: finite, rotation: finite })
const quaternion = z.tuple([finite, finite, finite, finite])

/** All of a RobotSpec but its tasks. */
export const LoggedRobot = z.strictObject({
  name: z.string(),
  rate: finite.gt(0),
  cameras: z.record(
    z.string(),
    z.strictObject({
      ...size,
      jpeg: z.literal(true).optional(),
      capture: z.strictObject(size).optional(),
      crop: crop.optional(),
      rotate: z.union([z.literal(0), z.literal(90), z.literal(180), z.literal(270)]).optional(),
      mount: z
        .strictObject({
          mount: z.enum(['base', 'tool']),
          position: z.tuple([finite, finite, finite]),
          rotation: quaternion,
          fovy: finite,
        })
        .optional(),
    }),
  ),
  channels: z
    .array(
      z.strictObject({
        name: z.string(),
        unit: z.string(),
        low: finite.optional(),
        high: finite.optional(),
        role: z.enum(ROLES).optional(),
      }),
    )
    .max(4096),
  home: quaternion.optional(),
  actionFrame: z.enum(['base', 'tool']),
  actionScale,
})
export type LoggedRobot = z.infer<typeof LoggedRobot>

const rest = { format: z.literal(LOG_FORMAT), nextId: count, nextEpisode: count }

/** What the records of a log depend on. Each segment opens with it. */
export const LogHeader = z
  .strictObject({ ...rest, version: z.literal(VERSIONS), robot: LoggedRobot })
  .refine(({ version, robot }) => version >= versionFor(robot), {
    path: ['version'],
    message: 'is older than its cameras',
  })
export type LogHeader = Omit<z.infer<typeof LogHeader>, 'version'> & { version: LogVersion }
export type LogVersion = 1 | (typeof VERSIONS)[number]

/** What a log keeps of a step beside what was done and seen. */
export type Besides = { plans?: boolean; policyVersions?: boolean }

/** In which version a robot's log is written: the oldest that can hold it, so that older readers read what they can. */
export const versionFor = (
  { cameras }: Pick<LoggedRobot, 'cameras'>,
  { plans, policyVersions }: Besides = {},
): (typeof VERSIONS)[number] => {
  if (policyVersions) return 5
  if (plans) return 4
  return Object.values(cameras).some(({ jpeg, crop, rotate }) => jpeg || crop || rotate) ? 3 : 2
}

/** Version 1: only workcells wrote logs, of their channels only the names; the gripper's entry as it was asked, not canonical. */
const FirstHeader = z
  .strictObject({
    ...rest,
    version: z.literal(1),
    robot: z.strictObject({
      name: z.string(),
      cameras: z.record(z.string(), z.strictObject(size)),
      proprio: z.array(z.string()).max(4096),
      actionScale,
    }),
  })
  .transform(({ robot: { proprio, ...robot }, ...header }): LogHeader => {
    const channels = proprio.map(channelNamed)
    return { ...header, robot: { ...robot, channels, rate: 10, actionFrame: 'base' } }
  })

/** As it is read: that of version 1 as one of today. */
export const ReadableHeader = z.union([LogHeader, FirstHeader])

const GRIPPER_ROLES: Record<string, Role> = { 'gripper.opening': 'opening', 'gripper.command': 'grip' }

/** A channel of version 1 by its name, "tcp.x [m]". */
function channelNamed(text: string): Channel {
  const [, name, unit] = /^(.*) \[(.*)\]$/.exec(text) ?? [text, text, '']
  const [, prefix, axis] = /^(.*)\.([xyz])$/.exec(name!) ?? []
  const vectors: Record<string, VectorRole> = {
    tcp: 'position',
    'tcp.turn': 'turn',
    'tcp.velocity': 'velocity',
    'wrist.force': 'force',
  }
  const of = vectors[prefix ?? '']
  const role = of ? (`${of}.${axis}` as Role) : GRIPPER_ROLES[name!]
  return { name: name!, unit: unit!, ...(role && { role }) }
}

export function loggedRobot({ tasks: _, ...spec }: RobotSpec): LoggedRobot {
  return structuredClone({ ...spec, channels: [...spec.channels] })
}
