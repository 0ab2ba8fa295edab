/** @file What the columns of a dataset mean to a robot, as the config holds it. `duet data map` proposes one. */
import { z } from 'zod'
import { InputError } from '../../errors.ts'

const REFERENCE = /^([^[\]]+)(?:\[(\d+)(?::(\d+))?\])?$/
const column = (text: string) =>
  z.string().regex(REFERENCE, 'is no column such as "action", "action[6]" or "action[0:3]"').describe(text)

const LENGTHS = { m: 1, cm: 0.01, mm: 0.001 }
const TURNS = { rad: 1, deg: Math.PI / 180 }

const tells = z
  .enum(['target', 'state'])
  .describe('target: where the arm was sent to from that frame on; state: where it was then')

const Delta = z.strictObject({
  kind: z.literal('delta').describe('what moves the arm: steps of the tool, poses of the tool, or angles of joints'),
  position: column('delta: three numbers, how far the tool moves in that frame; pose: where it is'),
  rotation: column(
    'delta: three numbers, a rotation vector; pose: see `as`; without it the tool keeps its turn',
  ).optional(),
  unit: z.enum(['m', 'cm', 'mm', 'action']).default('m').describe("action: in [-1, 1], on the robot's own scale"),
  turn: z.enum(['rad', 'deg', 'action']).default('rad').describe('unit of angles'),
  frame: z.enum(['base', 'tool']).default('base').describe('delta: the frame that the steps are told in'),
})

const ToolPose = z.strictObject({
  kind: z.literal('pose').describe('how it is told: a pose of the tool, or angles of joints'),
  position: column('three numbers'),
  rotation: column('see `as`').optional(),
  as: z
    .enum(['rotation-vector', 'euler-xyz', 'quaternion-wxyz', 'quaternion-xyzw'])
    .default('rotation-vector')
    .describe('pose: how the rotation is told; euler-xyz: about the fixed axes x, then y, then z'),
  unit: z.enum(['m', 'cm', 'mm']).default('m').describe('of the position'),
  turn: z.enum(['rad', 'deg']).default('rad').describe('unit of angles'),
  tells,
})

const Joints = z.strictObject({
  kind: z.literal('joints'),
  angles: column('joints: one number a joint, from the base on'),
  unit: z
    .enum(['rad', 'deg', 'range'])
    .default('rad')
    .describe('joints: range is -100 to 100, over what a joint can turn'),
  model: z
    .string()
    .default('robot')
    .describe("joints: the robot's own, or a MuJoCo model (MJCF, URDF) of the arm that was recorded"),
  joints: z.array(z.string()).optional().describe("joints: their names in that model, in the column's order"),
  tool: z.string().optional().describe('joints: site or body of the model that is the tool; without it the last site'),
  tells,
})

const Value = z.union([
  z.number(),
  column('one number'),
  z.strictObject({ column: column('one number'), scale: z.number().default(1), offset: z.number().default(0) }),
])

const Picture = z.strictObject({
  feature: z.string(),
  crop: z
    .strictObject({ left: z.int().min(0), top: z.int().min(0), width: z.int().min(1), height: z.int().min(1) })
    .optional(),
  rotate: z.union([z.literal(0), z.literal(90), z.literal(180), z.literal(270)]).optional(),
})

const three = z.tuple([z.number(), z.number(), z.number()])

export const SetMapping = z.strictObject({
  motion: z.discriminatedUnion('kind', [Delta, ToolPose, Joints]).describe('what the actions are made of'),
  pose: z
    .discriminatedUnion('kind', [ToolPose, Joints])
    .optional()
    .describe('where the tool was, for the channels that tell it; without it they have to be columns'),
  base: z
    .strictObject({
      offset: three.default([0, 0, 0]).describe('m'),
      turn: three.default([0, 0, 0]).describe('degrees: roll, pitch, yaw'),
    })
    .prefault({})
    .describe("where the dataset's base frame stands in the robot's"),
  gripper: z
    .strictObject({
      column: column('what it was asked for'),
      open: z.number().describe('what the column says of an open one'),
      closed: z.number().describe('what it says of a closed one'),
      threshold: z.number().gt(0).lt(1).default(0.5).describe('asked to be less open than that, it closes'),
      opening: column('how far it was open, between the same two numbers').optional(),
    })
    .optional()
    .describe('without it the gripper stays as it is'),
  proprio: z
    .union([column('all channels, in their order'), z.record(z.string(), Value)])
    .default({})
    .describe(
      'channels that pose and gripper do not tell, by name: a column, `{column, scale, offset}`, or a number that it is taken to be',
    ),
  cameras: z
    .record(z.string(), z.union([z.string(), z.null(), Picture]))
    .default({})
    .describe('the feature that a camera of the robot sees, or `{feature, crop, rotate}`; null: it sees black'),
  tasks: z
    .record(z.string(), z.string())
    .default({})
    .describe("the robot's task for a text of the dataset; `*` for all others"),
  success: z.string().default('all').describe('all: every episode is one; else the column that says so of an episode'),
  episodes: z.array(z.int().min(0)).optional().describe('only these, by their indices'),
})
export type SetMapping = z.infer<typeof SetMapping>
export type SetMappingInput = z.input<typeof SetMapping>
export type SetMotion = SetMapping['motion']

export type Reference = { column: string; from: number; to: number | null } // to: exclusive; null: to the end

export function referenceOf(text: string): Reference {
  const [, name, from, to] = REFERENCE.exec(text)!
  if (from === undefined) return { column: name!, from: 0, to: null }
  return { column: name!, from: Number(from), to: to === undefined ? Number(from) + 1 : Number(to) }
}

/** Every column that a mapping reads numbers from. */
export function mappedColumns({ motion, pose, gripper, proprio, success }: SetMapping): string[] {
  const texts: (string | undefined)[] = [gripper?.column, gripper?.opening, success === 'all' ? undefined : success]
  for (const one of [motion, pose])
    if (one) texts.push(...(one.kind === 'joints' ? [one.angles] : [one.position, one.rotation]))
  if (typeof proprio === 'string') texts.push(proprio)
  else
    for (const value of Object.values(proprio))
      if (typeof value === 'string') texts.push(value)
      else if (typeof value === 'object') texts.push(value.column)
  return [...new Set(texts.filter((text) => text !== undefined).map((text) => referenceOf(text).column))]
}

/** m in one of the unit; undefined: the robot's own scale. */
export const lengthIn = (unit: keyof typeof LENGTHS | 'action'): number | undefined =>
  unit === 'action' ? undefined : LENGTHS[unit]
export const turnIn = (unit: keyof typeof TURNS | 'action'): number | undefined =>
  unit === 'action' ? undefined : TURNS[unit]

/** @throws InputError naming the setting */
export function parseMapping(where: string, settings: unknown): SetMapping {
  const result = SetMapping.safeParse(settings)
  if (result.success) return result.data
  const { path, message } = result.error.issues[0]!
  throw new InputError(
    where,
    `setting "${path.join('.') || 'mapping'}": ${message}`,
    'docs/data.md has what a mapping is made of',
  )
}
