/** @file The encoder that comes with the program: small, pretrained by `duet pretrain` on play in the simulated workcell. */
import { InputError } from '../../errors.ts'
import { compile, ParameterStore, type Program, type Runtime } from '../../graph/index.ts'
import { shapesOf } from '../../nets/parameters.ts'
import type { Channel } from '../../robot/channels.ts'
import type { EncoderDescription, EncoderInput, Encoding, VlaEncoder } from '../encoder.ts'
import { OneAtATime } from '../one-at-a-time.ts'
import { type ChannelPairing, pairChannels } from './channels.ts'
import { featureShapeOf, type NanoConfig, nanoEmbeddingWidth } from './config.ts'
import { nano, nanoInputs, nanoLayout } from './model.ts'
import { loadNano, NANO_FOLDER, type NanoWeights } from './weights.ts'
import { WordTokeniser } from './words.ts'

const LARGEST_BATCH = 32 // longer lists are encoded piece by piece

export type NanoOptions = Runtime & { channels?: readonly Channel[] /* of the robot; left out: those of the weights */ }

export class NanoEncoder implements VlaEncoder {
  /** Reads the weights of `folder`, by default those that come with the program. @throws InputError if they are not usable, or not for this robot */
  static async load(folder = NANO_FOLDER, options: NanoOptions = {}): Promise<NanoEncoder> {
    return new NanoEncoder(await loadNano(folder), options)
  }

  readonly description: EncoderDescription
  private readonly config: NanoConfig
  private readonly store: ParameterStore
  private readonly tokeniser: WordTokeniser
  private readonly programs = new Map<number, Promise<Program>>() // by batch size, compiled when first needed
  private readonly runs = new OneAtATime()
  private readonly runtime: Runtime
  private readonly pairing: ChannelPairing | undefined

  constructor(weights: NanoWeights, { channels, ...runtime }: NanoOptions = {}) {
    const { config, values, hash } = weights
    this.config = config
    this.runtime = runtime
    this.pairing = channels && pairChannels(config.proprio, channels)
    this.tokeniser = new WordTokeniser(config)
    this.store = new ParameterStore({ encoder: { tensors: shapesOf(nanoLayout(config)) } })
    for (const [name, data] of Object.entries(values)) this.store.view('encoder', name).set(data)
    this.description = {
      name: 'nano',
      cameras: config.cameras,
      imageSize: config.imageSize,
      embeddingWidth: nanoEmbeddingWidth(config),
      featureShape: featureShapeOf(config),
      licence: 'Apache-2.0',
      source: 'own pretraining on simulated play, see models/nano/README.md',
      hash,
      ...(this.pairing && { notes: [notesOf(this.pairing)] }),
    }
  }

  async encode(given: readonly EncoderInput[]): Promise<Encoding[]> {
    const { pairing } = this
    const inputs = pairing ? given.map((input) => ({ ...input, proprio: pairing.pair(input.proprio) })) : given
    for (const input of inputs) this.check(input)
    return this.runs.run(async () => {
      const encodings: Encoding[] = []
      for (let from = 0; from < inputs.length; from += LARGEST_BATCH)
        encodings.push(...(await this.encodePiece(inputs.slice(from, from + LARGEST_BATCH))))
      return encodings
    })
  }

  async close(): Promise<void> {
    await this.runs.idle()
    const programs = [...this.programs.values()]
    this.programs.clear()
    await Promise.all(programs.map(async (program) => (await program).release()))
  }

  private async encodePiece(inputs: readonly EncoderInput[]): Promise<Encoding[]> {
    const program = await this.programFor(inputs.length)
    inputs.forEach((input, row) => {
      fillInput(program, row, input, this.config, this.tokeniser)
    })
    await program.run()
    const { h, features } = program.outputs as Record<'h' | 'features', Float32Array>
    const widths = { h: h.length / inputs.length, features: features.length / inputs.length }
    return inputs.map((_, row) => ({
      h: h.slice(row * widths.h, (row + 1) * widths.h),
      features: features.slice(row * widths.features, (row + 1) * widths.features),
    }))
  }

  private programFor(batch: number): Promise<Program> {
    const known = this.programs.get(batch)
    if (known) return known
    const { h, features } = nano(this.store.tensors('encoder'), this.config, nanoInputs(this.config, batch))
    const made = compile({ name: `nano-encoder-${batch}`, outputs: { h, features }, threads: 1, ...this.runtime })
    this.programs.set(batch, made)
    return made
  }

  private check({ images, proprio }: EncoderInput): void {
    const { cameras, imageSize, proprio: expected } = this.config
    for (const camera of cameras) {
      const image = images[camera]
      const present = Object.keys(images).join(', ') || 'none'
      if (!image)
        throw new InputError(
          `nano encoder, images.${camera}`,
          `is missing (there are: ${present})`,
          `Name the robot's cameras ${cameras.join(' and ')}.`,
        )
      if (image.width !== imageSize || image.height !== imageSize || image.data.length !== 3 * imageSize ** 2)
        throw new InputError(
          `nano encoder, images.${camera}`,
          `is ${image.width} x ${image.height} with ${image.data.length} bytes`,
          `Resize it to ${imageSize} x ${imageSize} RGB.`,
        )
    }
    if (proprio.length !== expected.mean.length)
      throw new InputError(
        'nano encoder, proprio',
        `has ${proprio.length} entries, the weights expect ${expected.mean.length}`,
        "Use the workcell's proprio, or pretrain an encoder for this robot.",
      )
  }
}

const notesOf = ({ missing }: ChannelPairing) =>
  `nano reads the robot's channels by what they mean${missing.length > 0 ? `; this robot does not tell ${missing.join(', ')}` : ''}`

/** Writes one observation into row `row` of a program's inputs. */
export function fillInput(
  program: Pick<Program, 'inputs'>,
  row: number,
  { images, proprio, instruction }: EncoderInput,
  config: NanoConfig,
  tokeniser: WordTokeniser,
): void {
  for (const camera of config.cameras) {
    const { data } = images[camera]!
    program.inputs[`image.${camera}`]!.set(data, row * data.length)
  }
  program.inputs.proprio!.set(proprio, row * proprio.length)
  const { rows, shares } = tokeniser.encode(instruction)
  program.inputs.wordRows!.set(rows, row * rows.length)
  program.inputs.wordShares!.set(shares, row * shares.length)
}
