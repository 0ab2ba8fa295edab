/** @file Which robot of a run has which numbers: each has a place of its own for good, from the first time it joins. */
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { writeWhole } from '../durable.ts'
import { InputError } from '../errors.ts'
import type { CellIndex } from '../loop/online-recorder.ts'

/** Robots of a run at most: episodes and steps are numbered in as many series, so that no two robots use one number. */
const PLACES = 64

/** `run`: see `FleetPlaces.run`; files of earlier versions have none. */
const Saved = z.strictObject({ run: z.string().optional(), robots: z.array(z.string()).max(PLACES) })
type Saved = z.infer<typeof Saved>

export class FleetPlaces {
  private saved: Saved

  /** @throws InputError if the file is not what was saved */
  constructor(private readonly path: string) {
    this.saved = existsSync(path) ? read(path) : { robots: [] }
  }

  get known(): readonly string[] {
    return this.saved.robots
  }

  /** Drawn once: tells the run, whose numbers these are, from another one under the same name. */
  get run(): string {
    return this.saved.run ?? this.save({ ...this.saved, run: randomUUID() }).run!
  }

  /** @throws InputError if none is left */
  of(robot: string): CellIndex {
    const { robots } = this.saved
    const index = robots.indexOf(robot)
    if (index >= 0) return { index, of: PLACES }
    if (robots.length === PLACES)
      throw new InputError(`robot "${robot}"`, `is one too many: a run has ${PLACES} places`, 'Begin another run')
    this.save({ ...this.saved, robots: [...robots, robot] })
    return { index: robots.length, of: PLACES }
  }

  private save(saved: Saved): Saved {
    writeWhole(this.path, JSON.stringify(saved))
    this.saved = saved
    return saved
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

function read(path: string): Saved {
  try {
    return Saved.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (cause) {
    throw new InputError(path, 'is not what was saved', 'Restore it from a copy: it says which numbers are whose', {
      cause,
    })
  }
}
