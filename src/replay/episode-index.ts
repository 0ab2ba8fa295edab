/**
 * @file Finds episodes in a log without decoding them all, and reads one. Pauses now and then, so that a control loop in the
 * same process keeps its rhythm.
 */
import { statSync } from 'node:fs'
import { setImmediate as pause } from 'node:timers/promises'
import { InputError } from '../errors.ts'
import type { EpisodeEnd, EpisodeStart } from './episode.ts'
import { FrameReader } from './frames.ts'
import { readLogHeader, segmentsOf } from './log-files.ts'
import type { LoggedRobot } from './log-header.ts'
import { type LoggedEpisode, readEpisode } from './log-reader.ts'
import { outlineOf, RecordCodec } from './records.ts'

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
export const indexEpisodes = (folder: string): Promise<IndexedEpisode[]> => new EpisodeIndex(folder).look()

/** The same of a log that grows: what was read once is not read again, unless another log lies there now. */
export class EpisodeIndex {
  private readonly found: IndexedEpisode[] = []
  private first: string | undefined // the file of the first segment, by its number and age
  private segment = 0 // among those of the folder
  private offset = 0 // in it, behind the last record that was read; 0 before its header
  private looking: Promise<void> = Promise.resolve()

  constructor(private readonly folder: string) {}

  /** All that there are by now. */
  async look(): Promise<IndexedEpisode[]> {
    const look = this.looking.then(() => this.goOn())
    this.looking = look.catch(() => this.forget())
    await look
    return this.found.map((episode) => ({ ...episode })) // the last one grows
  }

  private async goOn(): Promise<void> {
    for (;;) {
      const files = segmentsOf(this.folder)
      const first = files[0] && identityOf(files[0])
      const size = files[this.segment] ? statSync(files[this.segment]!).size : 0
      if (this.first !== undefined && (first !== this.first || size < this.offset)) this.forget()
      const file = files[this.segment]
      if (file === undefined) return
      this.first = first
      if (size > this.offset) await this.rest(file)
      if (this.segment === files.length - 1) return
      this.segment++
      this.offset = 0
    }
  }

  private forget(): void {
    this.found.splice(0)
    this.first = undefined
    this.segment = this.offset = 0
  }

  private async rest(file: string): Promise<void> {
    const frames = new FrameReader(file)
    try {
      const { version } = readLogHeader(frames, file)
      frames.end = Math.max(this.offset, frames.end)
      let records = 0
      for (let frame = frames.next(); frame; frame = frames.next()) {
        const record = outlineOf(frame.payload, `${file} at byte ${frame.offset}`, version)
        const last = this.found.at(-1)
        if (record.kind === 'start') {
          const counts = { length: 0, operatorSteps: 0, spokenSteps: 0 }
          this.found.push({
            start: record.start,
            end: { ending: 'interrupted' },
            ...counts,
            file,
            offset: frame.offset,
          })
        } else if (record.kind === 'step' && last) {
          last.length++
          if (record.step.actor === 'operator') last.operatorSteps++
          if (record.step.command !== null) last.spokenSteps++
        } else if (record.kind === 'end' && last) last.end = record.end
        if (++records % RECORDS_BEFORE_PAUSE === 0) await pause()
      }
      this.offset = frames.end
    } finally {
      frames.close()
    }
  }
}

function identityOf(file: string): string {
  const { ino, birthtimeMs } = statSync(file)
  return `${ino} ${birthtimeMs}`
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
