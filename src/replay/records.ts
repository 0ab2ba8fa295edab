/** @file The log's records as bytes: header, episode start, step, episode end. Reading trusts nothing and evaluates nothing. */
import { z } from 'zod'
import { InputError, ShapeError } from '../errors.ts'
import { undeveloped } from '../robot/cameras/develop-now.ts'
import { nameOf } from '../robot/channels.ts'
import { ACTION_WIDTH, type Image, type Observation, type RobotSpec } from '../robot/robot.ts'
import { ENDINGS, type EpisodeEnd, type EpisodeStart, type Step } from './episode.ts'
import { packImage, packJpeg, unpackImage, unpackJpeg } from './image-codec.ts'
import { LoggedRobot, LogHeader, type LogVersion, loggedRobot, ReadableHeader, versionFor } from './log-header.ts'
import { float32s, float64, json, MalformedRecord, RecordCursor } from './record-bytes.ts'
import { ACTORS, JUDGES } from './transition.ts'

const count = z.int().min(0)
const finite = z.number()

const Start = z.strictObject({
  episode: count,
  task: z.string(),
  source: z.enum(['demonstration', 'online']),
  seed: finite.nullable(),
})
const End = z.strictObject({
  episode: count,
  ending: z.enum(ENDINGS),
  verdict: z.strictObject({ reward: finite, terminated: z.boolean() }).optional(),
  why: z.string().optional(),
})

/** What a step from version 2 on holds beside its numbers. */
const Beside = z.strictObject({
  command: z.string().nullable(),
  confidence: finite.optional(),
  policyVersion: count.optional(), // from version 5 on
})

/** A record without its observation: enough to find the place where a log goes on. */
export type LogOutline =
  | { kind: 'header'; header: LogHeader }
  | { kind: 'start'; start: EpisodeStart }
  | { kind: 'step'; episode: number; step: Step }
  | { kind: 'end'; episode: number; end: EpisodeEnd }

export type LogRecord =
  | Extract<LogOutline, { kind: 'header' | 'end' }>
  | { kind: 'start'; start: EpisodeStart; observation: Observation }
  | { kind: 'step'; episode: number; step: Step; next: Observation }

/** A record as far as it is read in passing. `observation`: its bytes, none of a header or an end. */
type PackedRecord = { outline: LogOutline; observation: Buffer }
/** What an observation tells beside its pictures. */
export type Unpictured = Pick<Observation, 'proprio' | 'time'>

const KINDS = ['header', 'start', 'step', 'end'] as const

/** @throws InputError naming the first entry of a robot's description that a log could not hold */
export const expectLoggable = (spec: RobotSpec): void =>
  void valid(LoggedRobot, loggedRobot(spec), `the description of "${spec.name}"`)

/** Turns records into payloads and back. One codec an episode stream: frames refer to the frame before them. */
export class RecordCodec {
  /** Of the images read last that are a camera's JPEG: the CRC-32 of what the policy saw. */
  sums: Record<string, number> = {}
  private readonly cameras: readonly string[]
  private previous: Observation['images'] = {} // those that the next ones may refer to

  /** `version`: of the records, read or written. */
  constructor(
    readonly robot: LoggedRobot,
    readonly version: LogVersion = versionFor(robot),
  ) {
    this.cameras = Object.keys(robot.cameras).sort()
  }

  encode(record: LogRecord): Buffer {
    const kind = Buffer.of(KINDS.indexOf(record.kind))
    if (record.kind === 'header') return Buffer.concat([kind, json(valid(LogHeader, record.header, 'log header'))])
    if (record.kind === 'end') {
      return Buffer.concat([kind, json(valid(End, { episode: record.episode, ...record.end }, 'log episode end'))])
    }
    if (record.kind === 'start') {
      this.restart()
      return Buffer.concat([
        kind,
        json(valid(Start, record.start, 'log start')),
        ...this.observation(record.observation),
      ])
    }
    const step = stepPieces(record.episode, record.step, this.version)
    return Buffer.concat([kind, ...step, ...this.observation(record.next)])
  }

  /** Forgets the last frame: the next one refers to none. */
  restart() {
    this.previous = {}
  }

  /** `where` names file and offset. @throws InputError if the payload is no record of this robot */
  decode(payload: Buffer, where: string): LogRecord {
    const { outline, observation } = this.unwrap(payload, where)
    if (outline.kind === 'start') {
      this.restart()
      return { ...outline, observation: this.unpack(observation, where) }
    }
    return outline.kind === 'step' ? { ...outline, next: this.unpack(observation, where) } : outline
  }

  /** A record with its observation as it is, which `readingsIn` and `unpack` understand. @throws as `decode` */
  unwrap(payload: Buffer, where: string): PackedRecord {
    return explain(where, () => {
      const cursor = new RecordCursor(payload)
      const outline = readOutline(cursor, this.version)
      const bare = outline.kind === 'header' || outline.kind === 'end'
      return { outline, observation: bare ? cursor.end(Buffer.alloc(0)) : cursor.rest() }
    })
  }

  /** Looks at no picture. @throws as `decode` */
  readingsIn(observation: Buffer, where: string): Unpictured {
    return explain(where, () => this.readReadings(new RecordCursor(observation)))
  }

  /** The next observation of an episode, whose pictures refer to those of the one that was unpacked before it. @throws as `decode` */
  unpack(observation: Buffer, where: string): Observation {
    return explain(where, () => {
      const cursor = new RecordCursor(observation)
      return cursor.end(this.readObservation(cursor))
    })
  }

  /** Time, proprioception, then a codec, a length and the bytes for each camera in the order of their names. */
  private observation(observation: Observation): Buffer[] {
    const { proprio, images, time } = observation
    if (proprio.length !== this.robot.channels.length) {
      throw new ShapeError('log observation.proprio', [proprio.length], [this.robot.channels.length])
    }
    if (!Number.isFinite(time))
      throw new InputError('log observation.time', `is ${time}`, 'Mend the clock of the robot')
    const bad = proprio.findIndex((value) => !Number.isFinite(value))
    if (bad >= 0)
      throw new InputError(
        `log observation, ${nameOf(this.robot.channels[bad]!)}`,
        `is ${proprio[bad]}`,
        'A log takes finite readings only: mend the sensor',
      )
    const pieces = [float64(time), float32s(proprio)]
    for (const camera of this.cameras) {
      const { width, height, jpeg } = this.robot.cameras[camera]!
      const image = images[camera]
      if (!image)
        throw new InputError(`log observation.images.${camera}`, 'is missing', 'Every camera of the spec is logged')
      if (image.width !== width || image.height !== height || image.data.length !== 3 * width * height) {
        throw new ShapeError(`log observation.images.${camera}`, [image.height, image.width], [height, width])
      }
      const { codec, bytes } =
        jpeg && image.jpeg
          ? packJpeg(image.jpeg, image.data)
          : packImage(image.data, width, this.previous[camera]?.data)
      const head = Buffer.alloc(5)
      head[0] = codec
      head.writeUInt32LE(bytes.length, 1)
      pieces.push(head, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
    }
    this.previous = this.kept(images, (image) => ({ ...image, data: image.data.slice() }))
    return pieces
  }

  private readReadings(cursor: RecordCursor): Unpictured {
    return { time: cursor.float64(), proprio: cursor.float32s(this.robot.channels.length) }
  }

  private readObservation(cursor: RecordCursor): Observation {
    const { time, proprio } = this.readReadings(cursor)
    const images: Observation['images'] = {}
    this.sums = {}
    for (const camera of this.cameras) {
      const view = this.robot.cameras[camera]!
      const { width, height } = view
      const packed = { codec: cursor.uint8(), bytes: cursor.bytes(cursor.uint32()) }
      const sent = this.version >= 3 ? unpackJpeg(packed) : undefined
      const data = sent === undefined && unpackImage(packed, width, 3 * width * height, this.previous[camera]?.data)
      if (!sent && !data) throw new MalformedRecord(`holds a damaged image of camera ${camera}`)
      images[camera] = data ? { width, height, data } : undeveloped(sent!.jpeg, view, camera)
      if (sent) this.sums[camera] = sent.sum
    }
    this.previous = this.kept(images, (image) => image)
    return { images, proprio, time }
  }

  /** Without what is a camera's JPEG: nothing refers to that. */
  private kept(images: Observation['images'], keep: (image: Image) => Image): Observation['images'] {
    const own = this.cameras.filter((camera) => !(this.robot.cameras[camera]!.jpeg && images[camera]!.jpeg))
    // A robot may reuse its image memory: the frame to compare the next one with has to be our own.
    return Object.fromEntries(own.map((camera) => [camera, keep(images[camera]!)]))
  }
}

/** The payload of a header with other numbers to go on from; all else stays as it is, of whatever version. */
export function renumbered(header: Buffer, numbers: Pick<LogHeader, 'nextId' | 'nextEpisode'>): Buffer {
  const text = JSON.parse(new RecordCursor(header.subarray(1)).text()) as object
  return Buffer.concat([header.subarray(0, 1), json({ ...text, ...numbers })])
}

/** Reads a record without looking at its images. @throws InputError if it is none */
export function outlineOf(payload: Buffer, where: string, version: LogVersion = 2): LogOutline {
  return explain(where, () => readOutline(new RecordCursor(payload), version))
}

function explain<T>(where: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof MalformedRecord)) throw error
    const remedy = 'Restore the file from a copy; `duet log check` and `repair` show and keep what is whole'
    throw new InputError(where, error.message, remedy, { cause: error })
  }
}

function readOutline(cursor: RecordCursor, version: LogVersion): LogOutline {
  const kind = KINDS[cursor.uint8()]
  if (kind === 'header') return { kind, header: cursor.json(ReadableHeader, 'log header') }
  if (kind === 'start') return { kind, start: cursor.json(Start, 'episode start') }
  if (kind === 'step') return { kind, ...readStep(cursor, version) }
  if (kind !== 'end') throw new MalformedRecord('holds a record of an unknown kind')
  const { episode, ...end } = cursor.json(End, 'episode end')
  return { kind, episode, end }
}

/** What is written has to be readable: the same schema checks both ways. */
function valid<T>(schema: z.ZodType<T>, value: T, where: string): T {
  const result = schema.safeParse(value)
  if (result.success) return value
  const [issue] = result.error.issues
  throw new InputError(`${where}.${issue!.path.join('.')}`, issue!.message, 'Mend the value before it is recorded')
}

function stepPieces(episode: number, step: Step, version: LogVersion): Buffer[] {
  if (step.action.length !== ACTION_WIDTH) throw new ShapeError('log step.action', [step.action.length], [ACTION_WIDTH])
  const planned = version >= 4 ? step.planned : undefined
  if (planned && planned.length !== ACTION_WIDTH)
    throw new ShapeError('log step.planned', [planned.length], [ACTION_WIDTH])
  if (![...step.action, ...(planned ?? []), step.reward].every(Number.isFinite))
    throw new InputError(
      `log episode ${episode} step ${step.step}`,
      `has action [${step.action}]${planned ? `, plan [${planned}]` : ''} and reward ${step.reward}`,
      'A log takes finite numbers only: mend whoever acts or judges',
    )
  const head = Buffer.alloc(25)
  head.writeDoubleLE(step.id, 0)
  head.writeUInt32LE(episode, 8)
  head.writeUInt32LE(step.step, 12)
  const { terminated, truncated, actor, by } = step
  head[16] =
    (terminated ? 1 : 0) |
    (truncated ? 2 : 0) |
    (ACTORS.indexOf(actor) << 2) |
    (JUDGES.indexOf(by) << 4) |
    (planned ? PLANNED : 0)
  head.writeDoubleLE(step.reward, 17)
  const { command, confidence } = step
  const policyVersion = version >= 5 ? step.policyVersion : undefined
  const numbers = planned ? [float32s(step.action), float32s(planned)] : [float32s(step.action)]
  return [head, ...numbers, json(valid(Beside, { command, confidence, policyVersion }, 'log step'))]
}

/** Flag of a step: its plan follows its action. */
const PLANNED = 1 << 6

/** Bits of a step's flags, by version. */
const FLAG_BITS = { 1: 4, 2: 6, 3: 6, 4: 7, 5: 7 } as const

function readStep(cursor: RecordCursor, version: LogVersion): { episode: number; step: Step } {
  const id = cursor.float64()
  const episode = cursor.uint32()
  const index = cursor.uint32()
  const flags = cursor.uint8()
  const reward = cursor.float64()
  const action = cursor.float32s(ACTION_WIDTH)
  const planned = flags & PLANNED && version >= 4 ? { planned: cursor.float32s(ACTION_WIDTH) } : {}
  const terminated = (flags & 1) !== 0
  const truncated = (flags & 2) !== 0
  const actor = ACTORS[(flags >> 2) & 3]
  if (!actor || flags >> FLAG_BITS[version]) throw new MalformedRecord('holds a step of an unknown actor')
  const told = { id, step: index, action, ...planned, reward, terminated, truncated, actor }
  if (version === 1) {
    const command = cursor.json(z.string().nullable(), 'command')
    return { episode, step: { ...told, by: truncated ? 'clock' : 'robot', command } }
  }
  const by = JUDGES[(flags >> 4) & 3]!
  return { episode, step: { ...told, by, ...cursor.json(Beside, 'step') } }
}
