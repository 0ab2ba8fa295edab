import { rmSync } from 'node:fs'
import { EpisodeLog } from '../../src/replay/log.ts'
import { LogSource } from '../../src/replay/log-source.ts'
import { aFolder, aRobot } from './scenes.ts'
import { episodePlaceSpec } from './source-spec.ts'

episodePlaceSpec('a log as a place of episodes', () => {
  const folder = aFolder()
  return {
    sink: EpisodeLog.open(folder, aRobot()),
    source: () => new LogSource(folder, aRobot()),
    remove: () => rmSync(folder, { recursive: true }),
  }
})
