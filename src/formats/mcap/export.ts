/** @file Episodes of a log into one MCAP file, one after the other on the robot's clock. */
import { InputError } from '../../errors.ts'
import { indexEpisodes, readIndexed } from '../../replay/episode-index.ts'
import { McapFile } from './file.ts'
import { messagesOf } from './messages.ts'

const BETWEEN = 1 // s from an episode to the next, where the robot's clock began again

export type McapExport = {
  file: string
  library: string // who wrote it
  notes?: Readonly<Record<string, string>> // kept beside the episodes
  episode?: number // this one alone
  onEpisode?: (done: number, total: number) => void
}

/** One episode is in memory at a time. @throws InputError if the log holds no such episode, or is damaged; then there is no file */
export async function exportMcap(log: string, options: McapExport): Promise<{ episodes: number; steps: number }> {
  const { file, episode, notes = {}, onEpisode } = options
  const all = await indexEpisodes(log)
  const wanted = episode === undefined ? all : all.filter(({ start }) => start.episode === episode)
  if (wanted.length === 0)
    throw new InputError(
      log,
      episode === undefined ? 'holds no episode' : `holds no episode ${episode}`,
      'List what a folder holds with `duet demo show`',
    )
  const output = await McapFile.create(file, options.library)
  try {
    let delay = 0
    let steps = 0
    let last = Number.NEGATIVE_INFINITY // s, of what was written
    for (const [done, indexed] of wanted.entries()) {
      onEpisode?.(done, wanted.length)
      const { robot, episode: read } = await readIndexed(indexed)
      if (done === 0) await output.note('duet', { robot: robot.name, rate: `${robot.rate} Hz`, ...notes })
      const begins = read.observations[0]!.time
      if (delay + begins <= last) delay = last + BETWEEN - begins
      for await (const message of messagesOf(read, robot, delay)) await output.write(message)
      last = delay + read.observations.at(-1)!.time
      steps += read.steps.length
    }
    await output.finish()
    return { episodes: wanted.length, steps }
  } catch (error) {
    output.discard()
    throw error
  }
}
