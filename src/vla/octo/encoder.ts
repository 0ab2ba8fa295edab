/** @file Octo as the frozen encoder: h is the readout token of the one frame it is shown, as ConRFT calls it. */
import { createHash } from 'node:crypto'
import { InputError } from '../../errors.ts'
import { fixedLength, loadTokenizer, type Tokenizer } from '../../formats/tokenizer.ts'
import { compile, input, type Program, type Runtime } from '../../graph/index.ts'
import { t5Encoder } from '../../nets/t5.ts'
import { type CameraPair, type GivenCameras, imageOf, pairCameras, pairingLine } from '../cameras.ts'
import type { EncoderDescription, EncoderInput, Encoding, FrameSource, VlaEncoder } from '../encoder.ts'
import { featureSide, poolTokens } from '../features.ts'
import { fileHash } from '../files.ts'
import { Compiler } from '../int8/compiler.ts'
import { drawnFrames } from '../int8/pictures.ts'
import type { Precision } from '../int8/precision.ts'
import type { Sample } from '../int8/product.ts'
import { OneAtATime } from '../one-at-a-time.ts'
import { octoFrame, saidOnce } from './frame.ts'
import { pictureSize, T5_NAMES } from './plan.ts'
import { type ProprioStatistics, readProprioStatistics, scaleProprio, tokensOfProprio } from './proprio.ts'
import { resizeLanczos } from './resize.ts'
import { type OctoWeights, openOcto } from './weights.ts'

const END_TOKENS = 1 // T5's </s> stays when a text is cut

/** Observations that errors of quantised weights are measured on. */
const SAMPLES = 4

export type OctoOptions = Runtime & {
  folder: string // with the published files
  cameras: readonly string[] // of the robot
  pairing?: GivenCameras // the robot's cameras for cameras of the model, where the rules do not find them
  stateWidth?: number // of the robot's proprio; without it that of the model
  precision?: Precision
  frames?: FrameSource
}

/**
 * One observation at a time: its pictures, all present, at the first step of a window of one. The instruction goes
 * through T5 once; T5 is compiled for that and let go again, as it is four fifths of the weights and commands are few.
 * A camera that the robot lacks is left out of the sequence. Octo 1.5 takes no proprioception; finetunes may, and from a
 * robot with as many entries as theirs.
 */
export class OctoEncoder implements VlaEncoder {
  /** @throws InputError or ShapeError naming file and parameter if the files are missing, damaged or of another network */
  static async load(options: OctoOptions): Promise<OctoEncoder> {
    const { folder, cameras, pairing, stateWidth, precision = 'f32', frames, ...runtime } = options
    const weights = await openOcto(folder)
    try {
      const tokenizer = await loadTokenizer(weights.t5Folder)
      const wanted = weights.config.cameras.map(({ name }) => name)
      const pairs = pairCameras(wanted, cameras, 'octo', { given: pairing })
      const state = await readState(folder, weights, stateWidth)
      const file = await fileHash(weights.path)
      const compiler = new Compiler(precision, file, { device: runtime.device, frames: frames ? 'the robot' : 'drawn' })
      const samples = async () => {
        const shown = frames ? await frames() : drawnFrames(SAMPLES, cameras, state.entries)
        const said = new Map<string, Float32Array>()
        const samples: Sample[] = []
        for (const one of shown.slice(0, SAMPLES)) {
          const { instruction } = one
          if (!said.has(instruction))
            said.set(instruction, await encodeLanguage(weights, tokenizer, instruction, runtime))
          samples.push(feedsOf(weights, pairs, state, one, said.get(instruction)!))
        }
        return samples
      }
      const compiled = await compileOcto(weights, pairs, state.entries, compiler, samples, runtime)
      const read = {
        hash: state.hash === undefined ? file : `${file}+${state.hash}`,
        int8: compiler.int8,
        half: compiler.half,
        notes: [pairingLine(pairs, wanted, cameras), ...weights.notes, ...state.notes, ...compiler.notes],
      }
      return new OctoEncoder(weights, tokenizer, pairs, state, compiled, read, runtime)
    } catch (error) {
      await weights.close()
      throw error
    }
  }

  readonly description: EncoderDescription
  private readonly program: Program
  private readonly languages = new Map<string, Promise<Float32Array>>() // by instruction
  private readonly runs = new OneAtATime()

  private constructor(
    private readonly weights: OctoWeights,
    private readonly tokenizer: Tokenizer,
    private readonly cameras: readonly CameraPair[],
    private readonly state: State,
    { side, program }: { side: number; program: Program },
    read: Pick<EncoderDescription, 'hash' | 'int8' | 'half' | 'notes'>,
    private readonly runtime: Runtime,
  ) {
    const { width } = weights.config
    this.program = program
    this.description = {
      name: 'octo',
      cameras: cameras.map(({ robot }) => robot),
      imageSize: Math.max(...cameras.map(({ wanted }) => pictureSize(weights.tokens[wanted]!))),
      embeddingWidth: width,
      featureShape: [cameras.length, side, side, width],
      licence: 'MIT',
      source: `Octo 1.5 (arXiv 2405.12213), ${weights.path}`,
      ...read,
    }
  }

  async encode(inputs: readonly EncoderInput[]): Promise<Encoding[]> {
    return this.runs.run(async () => {
      const encodings: Encoding[] = []
      for (const each of inputs) encodings.push(await this.encodeOne(each))
      return encodings
    })
  }

  async close(): Promise<void> {
    await this.runs.idle()
    await Promise.all([this.program.release(), this.weights.close()])
  }

  private async encodeOne(given: EncoderInput): Promise<Encoding> {
    const { program, weights } = this
    const feeds = feedsOf(weights, this.cameras, this.state, given, await this.languageOf(given.instruction))
    for (const [name, values] of Object.entries(feeds)) program.set(name, values)
    await program.run()
    const { h, ...maps } = program.outputs
    const features = new Float32Array(this.description.featureShape.reduce((a, b) => a * b, 1))
    this.cameras.forEach(({ wanted }, which) => {
      const map = maps[`features.${wanted}`]!
      features.set(map, which * map.length)
    })
    return { h: h!.slice(), features }
  }

  private languageOf(instruction: string): Promise<Float32Array> {
    const known = this.languages.get(instruction)
    if (known) return known
    const made = encodeLanguage(this.weights, this.tokenizer, instruction, this.runtime)
    this.languages.set(instruction, made)
    made.catch(() => this.languages.delete(instruction))
    return made
  }
}

/** What the program takes of an observation; `said` as `encodeLanguage` has it. @throws InputError where something is missing or of another size */
function feedsOf(
  { config, tokens }: OctoWeights,
  cameras: readonly CameraPair[],
  { entries, statistics }: State,
  { images, proprio }: EncoderInput,
  said: Float32Array,
): Sample {
  const pictures = cameras.map(({ wanted, robot }) => {
    return [`picture.${wanted}`, resizeLanczos(imageOf(images, robot, 'octo'), pictureSize(tokens[wanted]!))]
  })
  if (entries === 0) return { ...Object.fromEntries(pictures), said }
  if (proprio.length !== entries)
    throw new InputError(
      'octo encoder, proprio',
      `has ${proprio.length} entries, the model takes ${entries}`,
      'Use the robot that it was finetuned for',
    )
  const values = statistics ? scaleProprio(proprio, statistics.moments) : [...proprio]
  return { ...Object.fromEntries(pictures), said, proprio: tokensOfProprio(values, config.proprio!) }
}

/** What the model takes of proprio: nothing where it has no tokens for it, or the robot another number of entries. */
type State = { entries: number; statistics?: ProprioStatistics; hash?: string; notes: readonly string[] }

async function readState(folder: string, { config, tokens }: OctoWeights, width: number | undefined): Promise<State> {
  if (!config.proprio) return { entries: 0, notes: [] }
  const entries = tokens[config.proprio.name]!
  if (width !== undefined && width !== entries)
    return {
      entries: 0,
      notes: [`proprio is left out: the finetune has ${entries} entries, the robot ${width}.`],
    }
  const statistics = await readProprioStatistics(folder, entries)
  if (!statistics) return { entries, notes: ['proprio is taken raw: the finetune has no statistics of it.'] }
  const hash = createHash('sha256').update(JSON.stringify(statistics.moments)).digest('hex')
  return { entries, statistics, hash, notes: [`proprio is normalised by ${statistics.source}.`] }
}

async function compileOcto(
  { config, parameters, tokens }: OctoWeights,
  cameras: readonly CameraPair[],
  proprio: number, // entries
  compiler: Compiler,
  samples: () => Promise<Sample[]>,
  runtime: Runtime,
): Promise<{ side: number; program: Program }> {
  const side = featureSide(...cameras.map(({ wanted }) => Math.sqrt(tokens[wanted]!)))
  const pictures = cameras.map(({ wanted }) => {
    const size = pictureSize(tokens[wanted]!)
    return { camera: wanted, picture: input(`picture.${wanted}`, [1, size, size, 3]) }
  })
  const frame = octoFrame(parameters, config, {
    pictures,
    proprio: proprio > 0 ? input('proprio', [1, proprio, config.proprio!.bins?.count ?? 1]) : undefined,
    said: input('said', [1 + 2 * config.layers, config.words, config.width]),
  })
  const features = cameras.map(({ wanted }, which) => [`features.${wanted}`, poolTokens(frame.cameras[which]!, side)])
  const outputs = { h: frame.h, ...Object.fromEntries(features) }
  return { side, program: await compiler.compile({ name: 'octo', outputs, ...runtime }, samples) }
}

/** All that depends on the instruction alone, as `saidOnce` has it. T5's vectors of the padding count, too. */
async function encodeLanguage(
  { config, parameters, embed }: OctoWeights,
  tokenizer: Tokenizer,
  instruction: string,
  runtime: Runtime,
): Promise<Float32Array> {
  const { ids, mask } = fixedLength(tokenizer.encode(instruction), config.words, tokenizer.special.pad ?? 0, {
    truncate: 'right',
    closing: END_TOKENS,
  })
  const shape = [1, config.words, config.language.width]
  const { final } = t5Encoder(
    parameters,
    config.language,
    input('words', shape),
    input('mask', [1, config.words]),
    T5_NAMES,
  )
  const words = await once({ name: 'octo language', outputs: { final }, ...runtime }, { words: await embed(ids), mask })
  const said = saidOnce(parameters, config, input('final', shape))
  return once({ name: 'octo instruction', outputs: { said }, ...runtime }, { final: words })
}

/** The one output of a program that is run a single time: compiled, and let go again before the next one is. */
async function once(
  options: Parameters<typeof compile>[0],
  inputs: Record<string, ArrayLike<number>>,
): Promise<Float32Array> {
  const program = await compile(options)
  try {
    for (const [name, values] of Object.entries(inputs)) program.set(name, values)
    await program.run()
    return Object.values(program.outputs)[0]!.slice()
  } finally {
    await program.release()
  }
}
