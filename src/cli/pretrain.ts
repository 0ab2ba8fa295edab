/** @file `duet pretrain`: makes the nano encoder's weights from nothing, by play in the simulated workcell. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { PRETRAIN_DEFAULTS, type PretrainProgress, pretrain } from '../pretrain/pretrain.ts'
import { NANO_FOLDER } from '../vla/nano/weights.ts'
import { countNumber, shareNumber, wholeNumber } from './options.ts'
import { ProgressDisplay } from './progress.ts'

type Options = {
  out: string
  continueFrom?: string
  seed: number
  frames: number
  fourBolts: number
  steps: number
  batch: number
  threads: number
  learningRate: number
  json?: boolean
}

const EXAMPLES = `
Examples:
  duet pretrain                                        writes models/nano anew, with the settings that made ours
  duet pretrain --out try --frames 2000 --steps 100    a quick look at the process, useless as an encoder
`

export function register(program: Command): void {
  const { seed, frames, fourBolts, steps, batch, threads, learningRate } = PRETRAIN_DEFAULTS
  program
    .command('pretrain')
    .description('train the nano encoder on play in the simulated workcell; no demonstration of a task is used')
    .addOption(
      new Option('--out <folder>', 'for weights.safetensors and config.json').default(NANO_FOLDER, 'models/nano'),
    )
    .option('--seed <n>', 'all random streams derive from it', wholeNumber, seed)
    .option('--frames <n>', 'frames of play to collect', countNumber, frames)
    .option('--four-bolts <share>', 'share of the play with four bolts in view', shareNumber(), fourBolts)
    .option('--continue-from <folder>', 'start from the weights in this folder instead of random ones')
    .option('--steps <n>', 'training steps', countNumber, steps)
    .option('--batch <n>', 'frames of one step', countNumber, batch)
    .option('--threads <n>', 'threads inside a training step', wholeNumber, threads)
    .option('--learning-rate <rate>', 'of Adam after its warm-up', rate, learningRate)
    .option('--json', 'print one JSON object on standard output at the end')
    .addHelpText('after', EXAMPLES)
    .action(run)
}

async function run({ out, json, ...options }: Options): Promise<void> {
  const display = new ProgressDisplay()
  const started = performance.now()
  let last: Extract<PretrainProgress, { phase: 'training' }> | undefined
  try {
    await pretrain({ ...options, folder: out }, (progress) => {
      const { phase, done, total } = progress
      if (phase === 'training') last = progress
      const note = phase === 'training' ? `loss ${progress.loss.toFixed(3)}` : ''
      display.show({ stage: phase === 'play' ? 'frames of play' : 'training steps', done, total, note })
    })
  } finally {
    display.close()
  }
  const minutes = (performance.now() - started) / 60_000
  const result = { folder: out, minutes, loss: last?.loss, parts: last?.parts }
  process.stdout.write(
    json ? `${JSON.stringify(result)}\n` : `Weights in ${out}, after ${minutes.toFixed(1)} minutes\n`,
  )
}

function rate(text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('Give a number above 0.')
  return value
}
