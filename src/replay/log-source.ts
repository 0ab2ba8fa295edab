/** @file A log folder as a source of episodes. */
import type { RobotSpec } from '../robot/robot.ts'
import { type PackedEpisode, readPackedEpisodes } from './log-reader.ts'
import { type Episode, type EpisodeFilter, type EpisodeSource, isWanted } from './source.ts'
import { whyUnusable } from './usable.ts'

/** None if there is no such folder. Episodes that the log has but in part come with what it has, as "interrupted". */
export class LogSource implements EpisodeSource {
  constructor(
    readonly name: string, // the folder
    readonly spec: RobotSpec,
  ) {}

  async *episodes(filter: EpisodeFilter = {}): AsyncGenerator<Episode> {
    for (const episode of readPackedEpisodes(this.name, this.spec))
      if (isWanted(episode, filter)) yield this.given(episode)
  }

  private given({ readings, observations, ...rest }: PackedEpisode): Episode {
    return {
      ...rest,
      unusable: whyUnusable({ observations: readings, steps: rest.steps }, this.spec),
      async *observations() {
        yield* observations()
      },
    }
  }
}
