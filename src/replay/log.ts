/** @file The append-only episode log: every step is on its way to the disk before the next one begins. */
import fs from 'node:fs'
import path from 'node:path'
import { moveInPlace, syncFile, writeAll } from '../durable.ts'
import { InputError, systemError } from '../errors.ts'
import type { Observation, RobotSpec } from '../robot/robot.ts'
import type { EpisodeEnd, EpisodeStart, Step } from './episode.ts'
import { chained, FrameReader, frame, sumOf } from './frames.ts'
import { expectRobot, expectTornTail, readLogHeader, segmentNumber, segmentPath, segmentsOf } from './log-files.ts'
import { LOG_FORMAT, type LoggedRobot, type LogVersion, loggedRobot, versionFor } from './log-header.ts'
import { type LogOutline, type LogRecord, outlineOf, RecordCodec } from './records.ts'
import type { EpisodeSink } from './source.ts'

export type LogOptions = {
  segmentBytes?: number // a new file is begun at the first episode past this size; 256 MiB
  plans?: boolean // keeps what the policy planned beside what was executed
  policyVersions?: boolean // keeps which version of the policy planned a step, and what it planned
}

/** What opening found at the end of the last segment and put right. */
export type Recovery = {
  tornBytes: number // of a record cut short, removed
  interrupted: number | null // the episode that had no end; it keeps its steps
}

/**
 * A step's record completes its transition: it holds the action and the observation that followed. So a process killed at
 * any instant loses at most the step in flight, and what was written needs nothing that comes later. Writes are synchronous
 * (they reach the kernel before the call returns, and survive the process); fsync follows each episode, against power loss,
 * where the file system knows it.
 */
export class EpisodeLog implements EpisodeSink {
  /** The next free numbers; they increase over the run, resumed or not. */
  nextId = 0
  nextEpisode = 0
  recovery: Recovery = { tornBytes: 0, interrupted: null }
  /** False once the file system refused to flush: then a power cut may take what it has not written by itself. */
  flushes = true
  private readonly robot: LoggedRobot
  private readonly codec: RecordCodec
  private readonly segmentBytes: number
  private readonly version: LogVersion
  private fd = -1
  private segment = 0
  private size = 0
  private open: { episode: number; steps: number; over: boolean } | null = null
  private chain: number | undefined

  private constructor(
    readonly folder: string,
    spec: RobotSpec,
    options: LogOptions,
  ) {
    this.robot = loggedRobot(spec)
    this.version = versionFor(this.robot, options)
    this.codec = new RecordCodec(this.robot, this.version)
    this.segmentBytes = options.segmentBytes ?? 256 << 20
  }

  /** Opens a run's log to append to it, or begins one. @throws InputError if it is damaged or another robot's */
  static open(folder: string, spec: RobotSpec, options: LogOptions = {}): EpisodeLog {
    const log = new EpisodeLog(folder, spec, options)
    fs.mkdirSync(folder, { recursive: true })
    const last = segmentsOf(folder).at(-1)
    if (last) log.resume(last)
    else log.beginSegment()
    return log
  }

  /** Of the newest observation, as whoever reads the log will have it (`Episode.sums`). */
  get sum(): number {
    return this.chain!
  }

  /** Bytes in the current segment. */
  get segmentSize(): number {
    return this.size
  }

  /** Records an episode's start and its first observation. */
  begin(start: EpisodeStart, observation: Observation) {
    if (this.open) {
      throw new InputError(
        `log episode ${start.episode}`,
        `began while ${this.open.episode} was open`,
        'End that one first',
      )
    }
    if (start.episode < this.nextEpisode) {
      throw new InputError('log episode', `${start.episode} is already recorded`, `Number on from ${this.nextEpisode}`)
    }
    if (this.size > this.segmentBytes) this.beginSegment()
    this.append({ kind: 'start', start, observation })
    this.open = { episode: start.episode, steps: 0, over: false }
    this.nextEpisode = start.episode + 1
  }

  /** Records a step and the observation that followed. @returns false for a repeat, which is ignored */
  step(step: Step, next: Observation): boolean {
    if (!this.open) throw new InputError(`log step ${step.step}`, 'came while no episode was open', 'Begin one first')
    if (step.step < this.open.steps) return false
    const where = `log episode ${this.open.episode} step ${step.step}`
    if (step.step > this.open.steps) {
      throw new InputError(where, `came where step ${this.open.steps} was due`, 'Record the missing steps first')
    }
    if (this.open.over) throw new InputError(where, 'came after the episode was over', 'End it and begin another')
    if (step.id < this.nextId) throw new InputError(where, `has id ${step.id} again`, `Number on from ${this.nextId}`)
    this.append({ kind: 'step', episode: this.open.episode, step, next })
    this.open.steps++
    this.open.over = step.terminated || step.truncated
    this.nextId = step.id + 1
    return true
  }

  /** Records the end of the open episode, and waits for the disk. */
  end(end: EpisodeEnd) {
    if (!this.open) throw new InputError('log', 'no episode is open to be ended', 'Begin one first')
    this.append({ kind: 'end', episode: this.open.episode, end })
    this.open = null
    if (!syncFile(this.fd, segmentPath(this.folder, this.segment))) this.flushes = false
  }

  /** Ends an open episode as interrupted, and closes the file even where that cannot be written. Safe to call twice. */
  close() {
    if (this.fd < 0) return
    try {
      if (this.open) this.end({ ending: 'interrupted' })
    } finally {
      fs.closeSync(this.fd)
      this.fd = -1
    }
  }

  /** @throws InputError where the disk refuses */
  private refusedBy(write: () => void) {
    try {
      write()
    } catch (error) {
      throw systemError(error, segmentPath(this.folder, this.segment)) ?? error
    }
  }

  private append(record: LogRecord) {
    const bytes = frame(this.codec.encode(record))
    try {
      writeAll(this.fd, bytes, this.size)
    } catch (error) {
      // half a record must not stay in front of the next one, which must not refer to its frame
      this.codec.restart()
      fs.ftruncateSync(this.fd, this.size)
      throw new InputError(
        segmentPath(this.folder, this.segment),
        `could not be written: ${(error as Error).message}`,
        'Make room on the disk; all steps before this one are safe',
        { cause: error },
      )
    }
    this.size += bytes.length
    if (record.kind !== 'end') this.chain = chained(record.kind === 'start' ? undefined : this.chain, sumOf(bytes))
  }

  /** A new file appears under its name only once its header is whole. */
  private beginSegment() {
    if (this.fd >= 0) fs.closeSync(this.fd)
    this.fd = -1 // where no other file can be had, the number is soon that of somebody else's
    const file = segmentPath(this.folder, ++this.segment)
    const header = {
      format: LOG_FORMAT,
      version: this.version,
      robot: this.robot,
      nextId: this.nextId,
      nextEpisode: this.nextEpisode,
    } as const
    const bytes = frame(this.codec.encode({ kind: 'header', header }))
    const draft = path.join(this.folder, 'segment.draft')
    try {
      this.refusedBy(() => {
        this.fd = fs.openSync(draft, 'w')
        writeAll(this.fd, bytes, 0)
        const flushed = syncFile(this.fd, file)
        if (!moveInPlace(draft, file) || !flushed) this.flushes = false
      })
    } catch (error) {
      fs.rmSync(draft, { force: true })
      throw error
    }
    this.size = bytes.length
  }

  /** Takes up the last segment where it stops: cuts a torn record, ends an episode that has no end. */
  private resume(file: string) {
    const frames = new FrameReader(file)
    let version: LogVersion
    try {
      const header = readLogHeader(frames, file)
      version = header.version
      expectRobot(file, header.robot, this.robot)
      this.nextId = header.nextId
      this.nextEpisode = header.nextEpisode
      for (let next = frames.next(); next; next = frames.next()) {
        this.follow(outlineOf(next.payload, `${file} at byte ${next.offset}`, version))
      }
      if (frames.torn) expectTornTail(frames, file)
      this.recovery = { tornBytes: frames.size - frames.end, interrupted: this.open?.episode ?? null }
      this.size = frames.end
    } finally {
      frames.close()
    }
    this.segment = segmentNumber(file)
    this.fd = fs.openSync(file, 'r+')
    if (this.recovery.tornBytes) fs.ftruncateSync(this.fd, this.size)
    if (this.open) this.end({ ending: 'interrupted' })
    if (version !== this.version) this.beginSegment() // steps of two versions do not stand in one file
  }

  private follow(record: LogOutline) {
    if (record.kind === 'start') {
      this.open = { episode: record.start.episode, steps: 0, over: false }
      this.nextEpisode = Math.max(this.nextEpisode, record.start.episode + 1) // a header may know of episodes that a repair dropped
    } else if (record.kind === 'step') this.nextId = Math.max(this.nextId, record.step.id + 1)
    else if (record.kind === 'end') this.open = null
  }
}
