/** @file Makes the nano encoder from nothing: plays in the simulated workcell, trains on the play, writes the weights. */
import { RandomStream } from '../random/stream.ts'
import type { Channel } from '../robot/channels.ts'
import type { Image } from '../robot/robot.ts'
import { channelMeaning } from '../vla/nano/channels.ts'
import { NANO_SIZES, type NanoConfig } from '../vla/nano/config.ts'
import { fillInput } from '../vla/nano/encoder.ts'
import { loadNano, NANO_FOLDER, saveNano } from '../vla/nano/weights.ts'
import { VOCABULARY, WordTokeniser } from '../vla/nano/words.ts'
import { Looks } from './looks.ts'
import { collectPlay, type PlayCell, type PlayFrame, playCells } from './play-data.ts'
import {
  compileTraining,
  encoderValues,
  setEncoderValues,
  type TargetStatistics,
  type TrainingStep,
  update,
} from './training.ts'

export type PretrainOptions = {
  folder: string // where weights.safetensors and config.json go
  continueFrom?: string // folder of weights to start from instead of random ones; the optimiser starts anew
  seed: number
  frames: number // of play
  fourBolts: number // share of the play with four bolts in view
  steps: number // training steps at most
  minutes: number // of training at most; the learning rate falls towards whichever end is nearer
  batch: number
  threads: number
  learningRate: number // after warm-up; falls to FINAL_SHARE of it along a cosine
  checkpointMinutes: number // between two writes of the weights on the way
}

export const PRETRAIN_DEFAULTS: PretrainOptions = {
  folder: NANO_FOLDER,
  seed: 0,
  frames: 32_000,
  fourBolts: 0.45,
  steps: 6_000,
  minutes: Number.POSITIVE_INFINITY,
  batch: 64,
  threads: 2,
  learningRate: 1e-3,
  checkpointMinutes: 4,
}

export type PretrainProgress =
  | { phase: 'play'; done: number; total: number }
  | { phase: 'training'; done: number; total: number; loss: number; parts: Losses; secondsPerStep: number }

/** Means since the last report; in units of training.ts (a reading of 1 is an error of about 10 mm). */
type Losses = { action: number; readout: number; features: number }

const WARM_UP_STEPS = 300
const FINAL_SHARE = 0.02
const REPORT_STEPS = 50
const USES_OF_RENDERING = 3 // rendering costs as much as a third of a training step
const STRANGE_WORD_SHARE = 0.15 // instructions with one word swapped for an unknown one

/** Returns the encoder's config when the last weights are written to `folder`. */
export async function pretrain(
  options: Partial<PretrainOptions> = {},
  progress: (progress: PretrainProgress) => void = () => {},
): Promise<NanoConfig> {
  const all = { ...PRETRAIN_DEFAULTS, ...options }
  const {
    folder,
    seed,
    frames: count,
    fourBolts,
    steps,
    minutes,
    batch,
    threads,
    learningRate,
    checkpointMinutes,
  } = all
  const cells = await playCells()
  const frames = await collectPlay(cells, count, fourBolts, new RandomStream(seed, 'play'), (done) =>
    progress({ phase: 'play', done, total: count }),
  )
  const earlier = all.continueFrom === undefined ? undefined : await loadNano(all.continueFrom)
  const config = earlier?.config ?? configFor(frames, cells[0]!.workcell.spec.channels)
  const step = await compileTraining(
    config,
    statisticsOf(frames.map(({ targets }) => targets)),
    batch,
    threads,
    new RandomStream(seed, 'initialisation'),
  )
  if (earlier) setEncoderValues(step, earlier.values)
  const fill = batchFiller(step, config, cells, frames, new RandomStream(seed, 'sampling'))

  const start = performance.now()
  let lastSave = start
  let lastReport = start
  let along = 0 // share of the training that is behind us
  let sums = { loss: 0, action: 0, readout: 0, features: 0 }
  for (let done = 1; along < 1; done++) {
    fill()
    await step.program.run()
    update(step, learningRate * Math.min(1, done / WARM_UP_STEPS) * cosine(along))
    along = Math.max(done / steps, (performance.now() - start) / 60_000 / minutes)
    const { loss, actionLoss, readoutLoss, featureLoss } = step.program.outputs as Record<string, Float32Array>
    sums.loss += loss![0]! / REPORT_STEPS
    sums.action += actionLoss![0]! / REPORT_STEPS
    sums.readout += readoutLoss![0]! / REPORT_STEPS
    sums.features += featureLoss![0]! / REPORT_STEPS
    const now = performance.now()
    if (done % REPORT_STEPS === 0) {
      const { loss: mean, ...parts } = sums
      const secondsPerStep = (now - lastReport) / 1000 / REPORT_STEPS
      progress({ phase: 'training', done, total: steps, loss: mean, parts, secondsPerStep })
      sums = { loss: 0, action: 0, readout: 0, features: 0 }
      lastReport = now
    }
    if (now - lastSave > checkpointMinutes * 60_000 || along >= 1) {
      await saveNano(folder, config, encoderValues(step))
      lastSave = now
    }
  }
  await step.program.release()
  for (const { workcell } of cells) workcell.free()
  return config
}

/** From 1 down to FINAL_SHARE. */
const cosine = (along: number): number =>
  FINAL_SHARE + (1 - FINAL_SHARE) * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, along)))

function configFor(frames: readonly PlayFrame[], channels: readonly Channel[]): NanoConfig {
  const { mean, deviation } = statisticsOf(frames.map(({ proprio }) => proprio))
  return {
    ...NANO_SIZES,
    cameras: [...NANO_SIZES.cameras],
    stemWidths: [...NANO_SIZES.stemWidths] as [number, number, number],
    vocabulary: VOCABULARY,
    proprio: { mean: Array.from(mean), deviation: Array.from(deviation), channels: channels.map(channelMeaning) },
  }
}

/** Population mean and deviation per entry; an entry that hardly varies keeps its unit. */
function statisticsOf(rows: readonly Float32Array[]): TargetStatistics {
  const width = rows[0]!.length
  const mean = new Float32Array(width)
  const deviation = new Float32Array(width)
  for (let i = 0; i < width; i++) {
    let [sum, square] = [0, 0]
    for (const row of rows) {
      sum += row[i]!
      square += row[i]! ** 2
    }
    mean[i] = sum / rows.length
    const spread = Math.sqrt(Math.max(0, square / rows.length - mean[i]! ** 2))
    deviation[i] = spread > 1e-4 ? spread : 1
  }
  return { mean, deviation }
}

/** A function that writes the next batch into the program's inputs: frames in shuffled order, each rendered anew every few uses. */
function batchFiller(
  { program }: TrainingStep,
  config: NanoConfig,
  cells: readonly PlayCell[],
  frames: readonly PlayFrame[],
  stream: RandomStream,
): () => void {
  const looks = new Looks(cells)
  const rendered: { images: Record<string, Image>; left: number }[] = []
  const tokeniser = new WordTokeniser(config)
  const order = Uint32Array.from(frames.keys())
  const batch = program.inputs.proprio!.length / config.proprio.mean.length
  let at = order.length
  return () => {
    for (let row = 0; row < batch; row++) {
      if (at === order.length) {
        shuffle(order, stream)
        at = 0
      }
      const index = order[at++]!
      const frame = frames[index]!
      let view = rendered[index]
      if (!view || view.left === 0)
        view = rendered[index] = { images: looks.render(frame, stream), left: USES_OF_RENDERING }
      view.left--
      const instruction = withStrangeWord(frame.instruction, stream)
      fillInput(program, row, { images: view.images, proprio: frame.proprio, instruction }, config, tokeniser)
      program.inputs.action!.set(frame.action, row * frame.action.length)
      program.inputs.target!.set(frame.targets, row * frame.targets.length)
    }
  }
}

/** Now and then one word is unknown, so that words never heard in play do not throw the readout off. */
function withStrangeWord(instruction: string, stream: RandomStream): string {
  if (stream.uniform() > STRANGE_WORD_SHARE) return instruction
  const words = instruction.split(' ')
  return words.with(stream.integer(words.length), `unknown${stream.integer(1000)}`).join(' ')
}

function shuffle(order: Uint32Array, stream: RandomStream): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = stream.integer(i + 1)
    ;[order[i], order[j]] = [order[j]!, order[i]!]
  }
}
