/** @file Reads a log folder back, episode by episode in the order of writing; a resumed run rebuilds its replay from it. */
import { InputError } from '../errors.ts'
import { canonicalActions, toldGrip } from '../robot/gripper.ts'
import type { Observation, RobotSpec } from '../robot/robot.ts'
import { type EpisodeEnd, type EpisodeStart, type Step, settle } from './episode.ts'
import { FrameReader } from './frames.ts'
import { expectRobot, expectTornTail, readLogHeader, repairOf, segmentsOf } from './log-files.ts'
import { type LoggedRobot, loggedRobot, RecordCodec } from './records.ts'
import type { Transition } from './transition.ts'

export type LoggedEpisode = {
  start: EpisodeStart
  observations: Observation[] // T + 1, the last one is the final observation
  steps: Step[] // T; the last one carries the verdict and is terminated or truncated
  end: EpisodeEnd // "interrupted" where the log stops in the middle
}

/**
 * Streams the episodes of a log; one at a time is in memory. An episode without its end, the last one before a crash, comes
 * with all its recorded steps, the last of them truncated.
 * @throws InputError naming file, offset and remedy: damage before the tail, another format, another robot than `spec`
 */
export function* readEpisodes(folder: string, spec?: RobotSpec): Generator<LoggedEpisode> {
  const files = segmentsOf(folder)
  for (const file of files) {
    const frames = new FrameReader(file)
    try {
      yield* readSegment(frames, file, spec)
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

function* readSegment(frames: FrameReader, file: string, spec?: RobotSpec): Generator<LoggedEpisode> {
  const header = readLogHeader(frames, file)
  if (spec) expectRobot(file, header.robot, loggedRobot(spec))
  const codec = new RecordCodec(header.robot, header.version)
  for (;;) {
    const episode = finish(readEpisode(frames, file, codec))
    if (!episode) return
    yield episode
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
  let open: LoggedEpisode | undefined
  for (let frame = frames.next(); frame; frame = frames.next()) {
    const where = `${file} at byte ${frame.offset}`
    const record = codec.decode(frame.payload, where)
    if (record.kind === 'start' && !open) {
      open = { start: record.start, observations: [record.observation], steps: [], end: { ending: 'interrupted' } }
    } else if (
      record.kind === 'step' &&
      record.episode === open?.start.episode &&
      record.step.step === open.steps.length
    ) {
      open.steps.push(record.step)
      open.observations.push(record.next)
    } else if (record.kind === 'end' && record.episode === open?.start.episode) {
      return settled({ ...open, end: record.end }, codec)
    } else {
      throw new InputError(
        where,
        `holds a ${record.kind} that does not follow from the records before it`,
        repairOf(file),
      )
    }
    yield
  }
  return open && settled(open, codec)
}

function settled(episode: LoggedEpisode, { version, robot }: RecordCodec): LoggedEpisode {
  const last = episode.steps.pop()
  if (last) episode.steps.push(settle(last, episode.end))
  return version === 1 ? canonical(episode, robot) : episode
}

/** The gripper's entries of an episode of version 1 as later versions write them. */
function canonical(episode: LoggedEpisode, { channels }: LoggedRobot): LoggedEpisode {
  const { steps, observations } = episode
  const told = observations.map(({ proprio }) => toldGrip(channels, proprio))
  const actions = canonicalActions(
    steps.map(({ action }) => action),
    told,
  )
  return { ...episode, steps: steps.map((step, t) => ({ ...step, action: actions[t]! })) }
}

/** The transitions of an episode; the observation after the last one is `episode.observations.at(-1)`. */
export function transitionsOf({ start, steps, observations }: LoggedEpisode): Transition[] {
  const { episode, task, source } = start
  return steps.map((step, t) => ({ ...step, episode, task, source, observation: observations[t]! }))
}
