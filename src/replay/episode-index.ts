/**
 * @file Finds episodes in a log without decoding them all, and reads one. Pauses now and then, so that a control loop in the
 * same process keeps its rhythm.
 */
import { setImmediate as pause } from 'node:timers/promises'
import { InputError } from '../errors.ts'
import type { EpisodeEnd, EpisodeStart } from './episode.ts'
import { FrameReader } from './frames.ts'
import { readLogHeader, segmentsOf } from './log-files.ts'
import { type LoggedEpisode, readEpisode } from './log-reader.ts'
import { type LoggedRobot, outlineOf, RecordCodec } from './records.ts'

const RECORDS_BEFORE_PAUSE = 50

export type IndexedEpisode = {
  start: EpisodeStart
  end: EpisodeEnd // "interrupted" while it goes on, too
  length: number // steps
  operatorSteps: number
  spokenSteps: number // under a command
  file: string
  offset: number // of its first record
}

/** The episodes of a log folder in the order of writing; none if there is no such folder. A torn end is left out. */
export async function indexEpisodes(folder: string): Promise<IndexedEpisode[]> {
  const found: IndexedEpisode[] = []
  for (const file of segmentsOf(folder)) {
    const frames = new FrameReader(file)
    try {
      const { version } = readLogHeader(frames, file)
      let records = 0
      for (let frame = frames.next(); frame; frame = frames.next()) {
        const record = outlineOf(frame.payload, `${file} at byte ${frame.offset}`, version)
        const last = found.at(-1)
        if (record.kind === 'start') {
          const counts = { length: 0, operatorSteps: 0, spokenSteps: 0 }
          found.push({ start: record.start, end: { ending: 'interrupted' }, ...counts, file, offset: frame.offset })
        } else if (record.kind === 'step' && last) {
          last.length++
          if (record.step.actor === 'operator') last.operatorSteps++
          if (record.step.command !== null) last.spokenSteps++
        } else if (record.kind === 'end' && last) last.end = record.end
        if (++records % RECORDS_BEFORE_PAUSE === 0) await pause()
      }
    } finally {
      frames.close()
    }
  }
  return found
}

/** One episode in full, with the robot that its log names. @throws InputError if the log has changed since it was indexed */
export async function readIndexed({
  file,
  offset,
  start,
}: Pick<IndexedEpisode, 'file' | 'offset' | 'start'>): Promise<{ robot: LoggedRobot; episode: LoggedEpisode }> {
  const frames = new FrameReader(file)
  try {
    const { robot, version } = readLogHeader(frames, file)
    frames.end = offset
    const reading = readEpisode(frames, file, new RecordCodec(robot, version))
    for (let records = 1; ; records++) {
      const { done, value } = reading.next()
      if (done && value?.start.episode === start.episode) return { robot, episode: value }
      if (done)
        throw new InputError(`${file} at byte ${offset}`, `holds no episode ${start.episode}`, 'Open the run again')
      if (records % RECORDS_BEFORE_PAUSE === 0) await pause()
    }
  } finally {
    frames.close()
  }
}
