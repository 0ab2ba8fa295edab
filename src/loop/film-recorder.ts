/** @file Keeps what the cameras saw of one episode, for the report. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { contactSheet, sideBySide } from '../formats/images.ts'
import type { Image, Observation } from '../robot/robot.ts'
import type { Recorder } from './episode.ts'
import type { EpisodeSummary, Happening } from './happening.ts'
import { NO_COPIES } from './perception.ts'

const FRAMES = 8 // on one strip

export class FilmRecorder implements Recorder {
  readonly copies = NO_COPIES
  private readonly frames: Image[] = []

  constructor(
    private readonly directory: string,
    private readonly name: string,
  ) {}

  observationId(): number {
    return 0
  }

  begin(_task: string, _seed: number, observation: Observation): void {
    this.keep(observation)
  }

  step(_happening: Happening, next: Observation): void {
    this.keep(next)
  }

  end({ ending }: EpisodeSummary): void {
    const last = this.frames.length - 1
    if (last < 0) return // a robot without cameras
    const strip = Array.from({ length: FRAMES }, (_, i) => this.frames[Math.round((i * last) / (FRAMES - 1))]!)
    writeFileSync(join(this.directory, `${this.name}-${ending}.png`), contactSheet(strip, FRAMES / 2))
  }

  private keep({ images }: Observation): void {
    if (Object.keys(images).length > 0)
      this.frames.push(sideBySide(Object.values(images).map((image) => ({ ...image, data: image.data.slice() }))))
  }
}
