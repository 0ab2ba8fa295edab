/** @file The messages that are written as JSON: Foxglove's own for poses and words, by their published names and fields, and ours. */
import type { McapSchema } from './file.ts'

const number = { type: 'number' }
const integer = { type: 'integer' }
const text = { type: 'string' }
const truth = { type: 'boolean' }
const orNull = (type: string) => ({ type: [type, 'null'] })
const object = (properties: Readonly<Record<string, object>>) => ({ type: 'object', properties })

const time = object({ sec: integer, nsec: integer })
const vector = object({ x: number, y: number, z: number })
const quaternion = object({ x: number, y: number, z: number, w: number })

function schema(name: string, properties: Readonly<Record<string, object>>): McapSchema {
  const described = { $schema: 'https://json-schema.org/draft/2020-12/schema', title: name, ...object(properties) }
  return { name, encoding: 'jsonschema', data: Buffer.from(JSON.stringify(described)), messageEncoding: 'json' }
}

export const POSE_IN_FRAME = schema('foxglove.PoseInFrame', {
  timestamp: time,
  frame_id: text,
  pose: object({ position: vector, orientation: quaternion }),
})

export const FRAME_TRANSFORM = schema('foxglove.FrameTransform', {
  timestamp: time,
  parent_frame_id: text,
  child_frame_id: text,
  translation: vector,
  rotation: quaternion,
})

export const LOG = schema('foxglove.Log', {
  timestamp: time,
  level: integer,
  message: text,
  name: text,
  file: text,
  line: integer,
})
export const INFO = 2 // a level of foxglove.Log

/** The entries of an action, in their order. */
export const ACTION_ENTRIES = ['dx', 'dy', 'dz', 'droll', 'dpitch', 'dyaw', 'gripper'] as const

export const STEP = schema('duet.Step', {
  episode: integer,
  step: integer,
  task: text,
  actor: { ...text, description: 'primary, refinement, operator or exploration: whose action was executed' },
  intervention: { ...truth, description: 'the operator acted in place of the policy' },
  command: { ...orNull('string'), description: 'what held while the policy acted' },
  action: {
    ...object(Object.fromEntries(ACTION_ENTRIES.map((entry) => [entry, number]))),
    description: 'as executed, in [-1, 1]; gripper: 1 closed, -1 open',
  },
  reward: number,
  terminated: truth,
  truncated: truth,
  by: { ...text, description: 'whose word reward and end are' },
  confidence: orNull('number'),
})

export const EPISODE = schema('duet.Episode', {
  episode: integer,
  task: text,
  source: text,
  seed: orNull('integer'),
  steps: integer,
  ending: text,
  why: orNull('string'),
})

/** An entry for each channel of the robot, under its name. */
export const proprioSchema = (channels: readonly { name: string; unit: string }[]): McapSchema =>
  schema(
    'duet.Proprioception',
    Object.fromEntries(channels.map(({ name, unit }) => [fieldOf(name), { ...number, description: unit }])),
  )

/** A dot would ask Foxglove's paths for a field within a field. */
export const fieldOf = (channel: string) => channel.replaceAll('.', '_')
