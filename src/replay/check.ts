/** @file Looks a log over, record by record: which episodes are whole, and where it is damaged. It changes nothing. */
import { setImmediate as pause } from 'node:timers/promises'
import { InputError } from '../errors.ts'
import type { Observation, RobotSpec } from '../robot/robot.ts'
import { crc32 } from './crc32.ts'
import { FRAME_OVERHEAD, FrameReader, frame, type LogFrame } from './frames.ts'
import { expectRobot, segmentsOf } from './log-files.ts'
import { LOG_FORMAT, type LogHeader, type LogVersion, loggedRobot, versionFor } from './log-header.ts'
import { type LogOutline, type LogRecord, outlineOf, RecordCodec } from './records.ts'

const RECORDS_BEFORE_PAUSE = 50

export type Damage = {
  offset: number // in the file
  episode: number | null // null: of none, or nobody can tell of which
  step: number | null // where it is known
  what: string
}

/** An episode that is whole, or the last one of a log, which goes on or was interrupted. */
export type EpisodeSpan = { episode: number; steps: number; from: number; to: number } // bytes

export type FileCheck = {
  file: string
  bytes: number
  episodes: EpisodeSpan[]
  damage: Damage[]
  /** Images whose JPEG no longer gives the pixels that the policy saw: another version decodes it. They can be learned from. */
  changed: number
  cut: { offset: number; bytes: number } | null // a write cut short at the end of the log: its next owner takes it back
  /** The file's own header, one bit put right if need be, or one of the same robot; without any nothing can be read. */
  header: Header | undefined
}

/** `whole`: as it stands in the file. */
export type Header = { payload: Buffer; content: LogHeader; whole: boolean }

export type LogCheck = {
  folder: string
  files: FileCheck[]
  /** Numbers that no episode and no step has had yet, damaged ones among them. */
  next: { id: number; episode: number }
}

/**
 * Checks headers, checksums, the structure of every record, indices and numbers, and that all numbers are finite. `spec`
 * helps where the only header is lost. `pictures`: looks at them, too, which takes most of the time; without, their bytes are
 * known to be those that were written. Pauses now and then, and tells how far it is. @throws InputError if a header is whole but
 * of another version, or of another robot than the first
 */
export async function checkLog(
  folder: string,
  spec?: RobotSpec,
  onShare: (share: number) => void = () => undefined,
  pictures = true,
): Promise<LogCheck> {
  const files = segmentsOf(folder)
  const own = files.map(ownHeader)
  const known = own.filter((header) => header !== undefined)
  for (const [k, header] of own.entries())
    if (header) expectRobot(files[k]!, header.content.robot, known[0]!.content.robot)
  const next = { id: 0, episode: 0 }
  const checks: FileCheck[] = []
  for (const [k, file] of files.entries()) {
    const header = own[k] ?? borrowed(own.slice(0, k).findLast((one) => one) ?? own.slice(k).find((one) => one), spec)
    const frames = new FrameReader(file)
    try {
      const check = new SegmentCheck(frames, file, header, next, { last: k === files.length - 1, pictures })
      for (let records = 1; check.advance(); records++)
        if (records % RECORDS_BEFORE_PAUSE === 0) {
          onShare((k + frames.end / frames.size) / files.length)
          await pause()
        }
      checks.push(check.result)
    } finally {
      frames.close()
    }
  }
  return { folder, files: checks, next }
}

/** A header that is not whole may have one wrong bit: the checksum then says which. @throws InputError if it is of another version */
function ownHeader(file: string): Header | undefined {
  const frames = new FrameReader(file)
  try {
    const first = frames.read(0)
    if (first) return headerIn(first.payload, file, true)
    const end = frames.findIntact() ?? frames.size
    const mended = end <= LARGEST_HEADER ? withOneBitFlipped(frames.bytes(0, end)) : undefined
    return mended && headerIn(mended, file, false)
  } finally {
    frames.close()
  }
}

const LARGEST_HEADER = 1 << 13 // bytes; the search below takes a time that grows with the square

/** The payload of the frame that `bytes` were before one of its bits changed. */
function withOneBitFlipped(bytes: Buffer): Buffer | undefined {
  const payload = bytes.subarray(FRAME_OVERHEAD)
  const wholeFrame = () => bytes.length > FRAME_OVERHEAD && bytes.equals(frame(payload))
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7)
    if (wholeFrame()) return Buffer.from(payload)
    bytes[bit >> 3]! ^= 1 << (bit & 7)
  }
  return undefined
}

function headerIn(payload: Buffer, file: string, whole: boolean): Header | undefined {
  const record = outlineOf(payload, `${file} at byte 0`)
  return record.kind === 'header' ? { payload, content: record.header, whole } : undefined
}

/** Of the same log or, made anew, of the same robot. */
function borrowed(other: Header | undefined, spec: RobotSpec | undefined): Header | undefined {
  if (other) return { ...other, whole: false }
  if (!spec) return undefined
  const robot = loggedRobot(spec)
  const content = { format: LOG_FORMAT, version: versionFor(robot), robot, nextId: 0, nextEpisode: 0 } as const
  return { payload: new RecordCodec(robot).encode({ kind: 'header', header: content }), content, whole: false }
}

/** One segment. From a damaged record on, all up to the next start of an episode is lost: frames refer to those before them. */
class SegmentCheck {
  readonly result: FileCheck
  private readonly codec: RecordCodec | undefined
  private readonly version: LogVersion | undefined
  private open: (EpisodeSpan & { lastId: number }) | undefined
  private lost = false

  constructor(
    private readonly frames: FrameReader,
    private readonly file: string,
    header: Header | undefined,
    private readonly next: LogCheck['next'], // goes on from file to file
    private readonly how: { last: boolean; pictures: boolean }, // the last one of its log may end in the middle
  ) {
    this.result = { file, bytes: frames.size, episodes: [], damage: [], changed: 0, cut: null, header }
    this.version = header?.content.version
    this.codec = header && new RecordCodec(header.content.robot, header.content.version)
    if (header?.whole) frames.next()
    else {
      const what = header ? 'its header is damaged' : 'its header is damaged, and there is none of the same robot'
      this.report(0, what)
      if (!this.isRecord(frames.read(0))) frames.end = frames.findIntact() ?? frames.size
    }
  }

  /** Takes the next record. @returns false at the end */
  advance(): boolean {
    const found = this.frames.next()
    if (found && this.codec) this.take(found)
    else if (!found && this.frames.torn) this.skip()
    else if (!found) return this.finish()
    return true
  }

  /** A file that has lost its header, all of it, opens with a record. */
  private isRecord(first: LogFrame | null): boolean {
    return first !== null && outlineOf(first.payload, this.file).kind !== 'header'
  }

  /** Version 1 took readings that are no numbers, and whoever reads such an episode leaves it out: that is no damage. */
  private strange(numbers: Numbers): string | undefined {
    return this.version === 1 ? undefined : strangeNumber(numbers)
  }

  private skip(): void {
    const { frames } = this
    const intact = frames.findIntact()
    if (intact === null && this.how.last && frames.cutShort)
      this.result.cut = { offset: frames.end, bytes: frames.size - frames.end }
    else this.lose(frames.end, `${(intact ?? frames.size) - frames.end} bytes are not what was written`)
    if (intact === null) this.finish()
    frames.end = intact ?? frames.size
  }

  private take({ offset, payload }: LogFrame): void {
    try {
      const outline = outlineOf(payload, '', this.version)
      if (this.lost && outline.kind !== 'start') this.name(offset, outline)
      else this.follow(offset, this.recordIn(payload))
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      this.lose(offset, (error.cause as Error).message)
    }
  }

  private recordIn(payload: Buffer): LogRecord {
    const codec = this.codec!
    if (this.how.pictures) return codec.decode(payload, '')
    const { outline, observation } = codec.unwrap(payload, '')
    if (outline.kind === 'header' || outline.kind === 'end') return outline
    const seen = { ...codec.readingsIn(observation, ''), images: {} }
    return outline.kind === 'start' ? { ...outline, observation: seen } : { ...outline, next: seen }
  }

  private follow(offset: number, record: LogRecord): void {
    if (record.kind === 'start') this.start(offset, record)
    else if (record.kind === 'step') this.step(offset, record)
    else if (record.kind === 'end' && record.episode === this.open?.episode) this.end(this.frames.end)
    else this.lose(offset, `holds ${aKind(record.kind)} that does not follow from the records before it`)
  }

  private start(offset: number, { start, observation }: Extract<LogRecord, { kind: 'start' }>): void {
    if (this.open) this.lose(this.open.from, 'has no end')
    this.lost = false
    const { episode } = start
    const undecoded = this.look(observation)
    this.open = { episode, steps: 0, from: offset, to: offset, lastId: this.next.id - 1 }
    const strange = this.strange(observation)
    if (episode < this.next.episode) this.lose(offset, `has a number that was used before`)
    else if (strange ?? undecoded) this.lose(offset, (strange ?? undecoded)!)
    this.next.episode = Math.max(this.next.episode, episode + 1)
  }

  private step(offset: number, { episode, step, next }: Extract<LogRecord, { kind: 'step' }>): void {
    const { open } = this
    const strange = this.strange({ ...next, action: step.action, reward: step.reward }) ?? this.look(next)
    if (episode !== open?.episode || step.step !== open.steps)
      this.lose(offset, 'holds a step that does not follow from the records before it')
    else if (!(step.id > open.lastId)) this.lose(offset, `has id ${step.id} after ${open.lastId}`)
    else if (strange) this.lose(offset, strange)
    else {
      open.steps++
      open.lastId = step.id
    }
  }

  /** At the images that are a camera's JPEG; says which cannot be decoded, if one cannot. */
  private look({ images }: Observation): string | undefined {
    for (const [camera, sum] of Object.entries(this.codec!.sums))
      try {
        if (crc32(images[camera]!.data) !== sum) this.result.changed++
      } catch (error) {
        if (!(error instanceof InputError)) throw error
        return `holds a JPEG of camera ${camera} that cannot be decoded`
      }
    return undefined
  }

  private end(to: number): void {
    const { episode, steps, from, lastId } = this.open!
    this.result.episodes.push({ episode, steps, from, to })
    this.next.id = Math.max(this.next.id, lastId + 1)
    this.open = undefined
  }

  /** Until the next start. */
  private lose(offset: number, what: string): void {
    this.report(offset, what)
    if (this.open) this.next.id = Math.max(this.next.id, this.open.lastId + 1)
    this.open = undefined
    this.lost = true
  }

  private report(offset: number, what: string): void {
    const { episode = null, steps = null } = this.open ?? {}
    this.result.damage.push({ offset, episode, step: steps, what })
  }

  /** A record among lost ones still tells which numbers are taken, and whose start it was that is damaged. */
  private name(offset: number, record: LogOutline): void {
    if (record.kind !== 'step' && record.kind !== 'end') return
    const { episode } = record
    const of = this.result.damage.at(-1)!
    if (of.episode === null) of.episode = episode
    else if (of.episode !== episode) this.result.damage.push({ offset, episode, step: null, what: 'its start is lost' })
    this.next.episode = Math.max(this.next.episode, episode + 1)
    if (record.kind === 'step') this.next.id = Math.max(this.next.id, record.step.id + 1)
  }

  private finish(): false {
    if (this.open && this.how.last) this.end(this.frames.end)
    else if (this.open) this.lose(this.open.from, 'has no end')
    return false
  }
}

const aKind = (kind: LogRecord['kind']) => (kind === 'end' ? 'an end' : `a ${kind}`)

type Numbers = { time: number; proprio: Float32Array; action?: Float32Array; reward?: number }

/** Says which number of a step is none, if one is. */
function strangeNumber(numbers: Numbers): string | undefined {
  const { time, proprio, action = [], reward = 0 } = numbers
  const named = [
    ['time', [time]],
    ['proprio', proprio],
    ['action', action],
    ['reward', [reward]],
  ] as const
  for (const [name, values] of named)
    for (const [i, value] of values.entries())
      if (!Number.isFinite(value)) return `has ${value} in ${name}${values.length > 1 ? `[${i}]` : ''}`
  return undefined
}
