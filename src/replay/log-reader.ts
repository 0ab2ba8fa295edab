/** @file Reads a log folder back, episode by episode in the order of writing; a resumed run rebuilds its replay from it. */
import { InputError } from '../errors.ts'
import { canonicalActions, toldGrip } from '../robot/gripper.ts'
import type { Observation, RobotSpec } from '../robot/robot.ts'
import { type EpisodeEnd, type EpisodeStart, type Step, settle } from './episode.ts'
import { chained, FrameReader } from './frames.ts'
import { expectRobot, expectTornTail, readLogHeader, repairOf, segmentsOf } from './log-files.ts'
import { type LoggedRobot, loggedRobot } from './log-header.ts'
import { RecordCodec, type Unpictured } from './records.ts'
import type { Transition } from './transition.ts'

export type LoggedEpisode = {
  start: EpisodeStart
  observations: Observation[] // T + 1, the last one is the final observation
  steps: Step[] // T; the last one carries the verdict and is terminated or truncated
  end: EpisodeEnd // "interrupted" where the log stops in the middle
}

/** An episode whose pictures are not yet looked at. */
export type PackedEpisode = Omit<LoggedEpisode, 'observations'> & {
  readings: Unpictured[] // T + 1
  sums: number[] // T + 1; each is another where its observation, or anything of the episode before it, is
  /** T + 1, with their pictures; may be gone through more than once. @throws InputError where one is damaged */
  observations(): Generator<Observation>
}

/**
 * Streams the episodes of a log; one at a time is in memory. An episode without its end, the last one before a crash, comes
 * with all its recorded steps, the last of them truncated.
 * @throws InputError naming file, offset and remedy: damage before the tail, another format, another robot than `spec`
 */
export const readEpisodes = (folder: string, spec?: RobotSpec): Generator<LoggedEpisode> =>
  readWith(readEpisode, folder, spec)

/** As `readEpisodes`, and what a picture holds is read where somebody asks for it. @throws InputError as `readEpisodes` */
export const readPackedEpisodes = (folder: string, spec?: RobotSpec): Generator<PackedEpisode> =>
  readWith(readPacked, folder, spec)

type ReadNext<T> = (frames: FrameReader, file: string, codec: RecordCodec) => Generator<void, T | undefined>

function* readWith<T>(readNext: ReadNext<T>, folder: string, spec?: RobotSpec): Generator<T> {
  const files = segmentsOf(folder)
  for (const file of files) {
    const frames = new FrameReader(file)
    try {
      const header = readLogHeader(frames, file)
      if (spec) expectRobot(file, header.robot, loggedRobot(spec))
      const codec = new RecordCodec(header.robot, header.version)
      for (let next = finish(readNext(frames, file, codec)); next; next = finish(readNext(frames, file, codec)))
        yield next
      if (!frames.torn) continue
      expectTornTail(frames, file)
      if (file !== files.at(-1)) {
        throw new InputError(
          `${file} at byte ${frames.end}`,
          'is cut short, though later segments exist',
          repairOf(file),
        )
      }
    } finally {
      frames.close()
    }
  }
}

/** Runs to the end without its pauses. */
function finish<T>(reading: Generator<void, T>): T {
  for (;;) {
    const { done, value } = reading.next()
    if (done) return value
  }
}

/**
 * The next episode of a segment; undefined where there is none. Yields after each record, for those who want to do
 * something else in between. @throws InputError on records that do not follow from each other
 */
export function* readEpisode(
  frames: FrameReader,
  file: string,
  codec: RecordCodec,
): Generator<void, LoggedEpisode | undefined> {
  const packed = yield* readPacked(frames, file, codec)
  if (!packed) return undefined
  const { start, steps, end } = packed
  const observations: Observation[] = []
  for (const observation of packed.observations()) {
    observations.push(observation)
    yield
  }
  return { start, observations, steps, end }
}

type Open = Omit<PackedEpisode, 'observations'> & { packed: { bytes: Buffer; where: string }[] }

function* readPacked(
  frames: FrameReader,
  file: string,
  codec: RecordCodec,
): Generator<void, PackedEpisode | undefined> {
  let open: Open | undefined
  for (let frame = frames.next(); frame; frame = frames.next()) {
    const where = `${file} at byte ${frame.offset}`
    const { outline, observation } = codec.unwrap(frame.payload, where)
    if (outline.kind === 'start' && !open)
      open = { start: outline.start, steps: [], end: { ending: 'interrupted' }, readings: [], sums: [], packed: [] }
    else if (
      outline.kind === 'step' &&
      outline.episode === open?.start.episode &&
      outline.step.step === open.steps.length
    )
      open.steps.push(outline.step)
    else if (outline.kind === 'end' && outline.episode === open?.start.episode)
      return settled({ ...open, end: outline.end }, codec)
    else
      throw new InputError(
        where,
        `holds a ${outline.kind} that does not follow from the records before it`,
        repairOf(file),
      )
    open.readings.push(codec.readingsIn(observation, where))
    open.sums.push(chained(open.sums.at(-1), frame.sum))
    open.packed.push({ bytes: observation, where })
    yield
  }
  return open && settled(open, codec)
}

function settled({ packed, ...episode }: Open, { version, robot }: RecordCodec): PackedEpisode {
  const last = episode.steps.pop()
  if (last) episode.steps.push(settle(last, episode.end))
  return {
    ...episode,
    steps: version === 1 ? canonical(episode, robot) : episode.steps,
    *observations() {
      const codec = new RecordCodec(robot, version)
      for (const { bytes, where } of packed) yield codec.unpack(bytes, where)
    },
  }
}

/** The steps of an episode of version 1 with the gripper's entries as later versions write them. */
function canonical({ steps, readings }: Pick<Open, 'steps' | 'readings'>, { channels }: LoggedRobot): Step[] {
  const told = readings.map(({ proprio }) => toldGrip(channels, proprio))
  const actions = canonicalActions(
    steps.map(({ action }) => action),
    told,
  )
  return steps.map((step, t) => ({ ...step, action: actions[t]! }))
}

/** The transitions of an episode; the observation after the last one is `episode.observations.at(-1)`. */
export function transitionsOf({ start, steps, observations }: LoggedEpisode): Transition[] {
  const { episode, task, source } = start
  return steps.map((step, t) => ({ ...step, episode, task, source, observation: observations[t]! }))
}
