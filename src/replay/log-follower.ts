/** @file Follows a log that may still be written: gives each episode once it has ended, from where it stopped the last time. */
import type { RobotSpec } from '../robot/robot.ts'
import { FrameReader } from './frames.ts'
import { expectRobot, expectTornTail, readLogHeader, segmentsOf } from './log-files.ts'
import { type LoggedRobot, loggedRobot } from './log-header.ts'
import { type LoggedEpisode, readEpisode } from './log-reader.ts'
import { outlineOf, RecordCodec } from './records.ts'

export type Followed = { robot: LoggedRobot; episode: LoggedEpisode }

export class LogFollower {
  private segment = 0 // among those of the folder
  private offset = 0 // behind the last episode that was given

  /** `spec`: where it is known whose log this is. */
  constructor(
    readonly folder: string,
    private readonly spec?: RobotSpec,
  ) {}

  /**
   * The episodes that have ended since; one at a time is in memory. What comes last and has no end may still go on, and is
   * left for the next time. @throws InputError on damage, or another robot
   */
  *next(): Generator<Followed> {
    for (;;) {
      const files = segmentsOf(this.folder)
      const file = files[this.segment]
      if (file === undefined) return
      yield* this.rest(file)
      if (this.segment === files.length - 1) return
      this.segment++
      this.offset = 0
    }
  }

  private *rest(file: string): Generator<Followed> {
    const frames = new FrameReader(file)
    try {
      const { robot, version } = readLogHeader(frames, file)
      if (this.spec) expectRobot(file, robot, loggedRobot(this.spec))
      frames.end = Math.max(this.offset, frames.end)
      this.offset = frames.end
      const codec = new RecordCodec(robot, version)
      while (hasEnd(frames, file, version)) {
        const reading = readEpisode(frames, file, codec)
        let read = reading.next()
        while (!read.done) read = reading.next()
        this.offset = frames.end
        yield { robot, episode: read.value! }
      }
    } finally {
      frames.close()
    }
  }
}

/** Whether the episode that comes next is there up to its end. Leaves the reader where it stands. @throws InputError on damage */
function hasEnd(frames: FrameReader, file: string, version: RecordCodec['version']): boolean {
  const from = frames.end
  try {
    for (let frame = frames.next(); frame; frame = frames.next())
      if (outlineOf(frame.payload, `${file} at byte ${frame.offset}`, version).kind === 'end') return true
    if (frames.torn) expectTornTail(frames, file)
    return false
  } finally {
    frames.end = from
  }
}
