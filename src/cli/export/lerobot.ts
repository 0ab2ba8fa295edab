/** @file `duet export lerobot`: the episodes of a run as a LeRobotDataset 3.0. */
import type { Command } from 'commander'
import { InputError } from '../../errors.ts'
import { type Exported, RunExport, usualDataset } from '../../run/lerobot.ts'
import { ProgressDisplay } from '../progress.ts'

type Options = { out?: string; video?: boolean; json?: boolean }

const DETAILS = `
Examples:
  duet export lerobot runs/quick                    into runs/quick/lerobot
  duet export lerobot runs/quick --out bolts --video
  duet train --record-lerobot bolts                 while a run goes on
  duet push dataset bolts me/bolts                  to the Hugging Face Hub

Called again, it adds the episodes that are new. What it has written stays, whatever happens: a set opens at every moment
once it has an episode. docs/export.md says what the columns mean.
`

export function registerLerobot(group: Command): void {
  group
    .command('lerobot')
    .description('demonstrations, rollouts and interventions as a LeRobot dataset, version 3.0')
    .argument('<run>', 'a run, or a folder of demonstrations')
    .option('--out <folder>', 'where the dataset goes; by default "lerobot" in the run')
    .option('--video', 'pictures as mp4, by an ffmpeg on the PATH; otherwise as JPEG in the Parquet files')
    .option('--json', 'print one JSON object on standard output')
    .addHelpText('after', DETAILS)
    .action(run)
}

async function run(path: string, { out = usualDataset(path), video, json }: Options): Promise<void> {
  const display = new ProgressDisplay()
  const onEpisode = (done: number) => display.show({ stage: 'exporting [episodes]', done, total: done })
  const exporting = await RunExport.open(path, out, { video, onEpisode })
  let exported: Exported
  try {
    exported = await exporting.advance()
    if (exported.episodes === 0)
      throw new InputError(path, 'holds no episode that has ended', 'Let the run go on, then export it')
  } finally {
    display.close()
    exporting.close()
  }
  process.stdout.write(`${json ? JSON.stringify(exported) : describe(exported)}\n`)
}

const describe = ({ folder, episodes, frames, taken, empty }: Exported) =>
  [
    `${folder}: ${episodes} episodes, ${frames} frames; ${taken === episodes ? 'all new' : `new: ${taken}`}`,
    ...(empty > 0 ? [`Left out, without a step: ${empty}`] : []),
  ].join('\n')
