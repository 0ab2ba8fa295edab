/** @file Checks what a page sends: known kinds, known fields, bounded numbers and texts; anything else is refused by name. */
import { z } from 'zod'
import { haltIn } from '../../talk/halt-words.ts'
import { ACTION_AXES, type ClientMessage, LIMITS } from '../protocol.ts'

const finite = z.number() // zod lets no NaN and no infinity through; JSON has none
const axis = z.number().min(-1).max(1)
const name = z.string().trim().min(1).max(LIMITS.nameLength)
const verdict = z.enum(['success', 'failure', 'abort'])
/** Whoever stops the robot may use more words. */
const fits = (text: string) => text.length <= LIMITS.phraseLength || haltIn(text) !== null
const plain = <K extends string>(kind: K) => z.strictObject({ kind: z.literal(kind) })

const Control = z.discriminatedUnion('action', [
  z.strictObject({ kind: z.literal('control'), action: z.enum(['request', 'release']) }),
  z.strictObject({ kind: z.literal('control'), action: z.literal('grant'), to: name }),
])
const Recording = z.discriminatedUnion('action', [
  z.strictObject({ kind: z.literal('record'), action: z.literal('start'), task: name }),
  z.strictObject({ kind: z.literal('record'), action: z.enum(['keep', 'discard']) }),
])

const Message = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('input'),
    seq: z.int().min(0),
    t: finite,
    axes: z.tuple(
      Array(ACTION_AXES).fill(axis) as [typeof axis, typeof axis, typeof axis, typeof axis, typeof axis, typeof axis],
    ),
    gripper: z.union([z.literal(-1), z.literal(0), z.literal(1)]),
    hold: z.boolean(),
  }),
  z.strictObject({ kind: z.literal('name'), name }),
  Control,
  z.strictObject({
    kind: z.literal('command'),
    text: z.string().trim().min(1).refine(fits, `longer than ${LIMITS.phraseLength} characters`),
    source: z.enum(['typed', 'clicked', 'spoken', 'device']),
  }),
  plain('silence'),
  z.strictObject({ kind: z.literal('verdict'), verdict }),
  plain('undo'),
  plain('confirm'),
  plain('pause'),
  plain('resume'),
  plain('stop'),
  plain('clear'),
  z.strictObject({ kind: z.literal('ready'), robot: name.optional() }),
  z.strictObject({ kind: z.literal('roll-back'), version: z.int().min(0).nullable() }),
  z.strictObject({ kind: z.literal('speed'), speed: z.number().min(0.1).max(1000) }),
  z.strictObject({ kind: z.literal('focus'), robot: name }),
  Recording,
  z.strictObject({ kind: z.literal('hidden'), hidden: z.boolean() }),
  z.strictObject({
    kind: z.literal('ping'),
    t: finite,
    pong: z.strictObject({ left: finite, came: finite }).optional(),
  }),
])

export type Decoded = { message: ClientMessage } | { error: string }

/** Never throws. */
export function decodeClientMessage(data: Uint8Array | string): Decoded {
  if (data.length > LIMITS.messageBytes)
    return { error: `message of ${data.length} bytes, at most ${LIMITS.messageBytes}` }
  let value: unknown
  try {
    const text = typeof data === 'string' ? data : new TextDecoder('utf-8', { fatal: true }).decode(data)
    value = JSON.parse(text)
  } catch {
    return { error: 'message is not JSON' }
  }
  const result = Message.safeParse(value)
  if (result.success) return { message: result.data }
  const [issue] = result.error.issues
  return { error: `message ${issue!.path.join('.') || 'as a whole'}: ${issue!.message}`.slice(0, 200) }
}
