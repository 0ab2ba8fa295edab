/** @file Which robot of a run has which numbers: each has a place of its own for good, from the first time it joins. */
import { existsSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { writeWhole } from '../durable.ts'
import { InputError } from '../errors.ts'
import type { CellIndex } from '../loop/online-recorder.ts'

/** Robots of a run at most: episodes and steps are numbered in as many series, so that no two robots use one number. */
const PLACES = 64

const Saved = z.strictObject({ robots: z.array(z.string()).max(PLACES) })

export class FleetPlaces {
  private readonly robots: string[]

  /** @throws InputError if the file is not what was saved */
  constructor(private readonly path: string) {
    this.robots = existsSync(path) ? read(path) : []
  }

  get known(): readonly string[] {
    return this.robots
  }

  /** @throws InputError if none is left */
  of(robot: string): CellIndex {
    let index = this.robots.indexOf(robot)
    if (index < 0) {
      if (this.robots.length === PLACES)
        throw new InputError(`robot "${robot}"`, `is one too many: a run has ${PLACES} places`, 'Begin another run')
      index = this.robots.length
      writeWhole(this.path, JSON.stringify({ robots: [...this.robots, robot] }))
      this.robots.push(robot)
    }
    return { index, of: PLACES }
  }
}

/**
 * From where a robot's next episode has its number: behind its log, and behind what the learner has. A power cut may have
 * taken the end of the log, of the episode that ran then; where the learner heard of that one and is away now, its number
 * must not come again, or two episodes would be one: a process that is not the first leaves one number out.
 */
export function goesOnFrom(
  logged: number, // the first number that the log has not
  { place, firstEpisode, have }: { place: CellIndex; firstEpisode: number; have: { episode: number } | null },
  isFirst: boolean, // of this robot's processes
): number {
  return Math.max(logged, firstEpisode, have ? have.episode + 1 : 0) + (isFirst ? 0 : place.of)
}

function read(path: string): string[] {
  try {
    return [...Saved.parse(JSON.parse(readFileSync(path, 'utf8'))).robots]
  } catch (cause) {
    throw new InputError(path, 'is not what was saved', 'Restore it from a copy: it says which numbers are whose', {
      cause,
    })
  }
}
