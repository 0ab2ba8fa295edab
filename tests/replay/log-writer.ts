/** @file A process to be killed: writes episodes for ever and says after each step that it is written. */
import fs from 'node:fs'
import { EpisodeLog } from '../../src/replay/index.ts'
import { aRobot, episodeOf } from './scenes.ts'

const log = EpisodeLog.open(process.argv[2]!, aRobot(), { segmentBytes: 20_000 })
for (;;) {
  const episode = episodeOf(log.nextEpisode, 12)
  log.begin(episode.start, episode.observations[0]!)
  episode.steps.forEach((step, t) => {
    log.step(step, episode.observations[t + 1]!)
    fs.writeSync(1, `${episode.start.episode}/${t}\n`)
  })
  log.end(episode.end)
}
