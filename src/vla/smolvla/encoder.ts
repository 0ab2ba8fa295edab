/** @file SmolVLA as the frozen encoder: h is the mean over the prefix of one layer's keys and values (docs/method.md §2). */
import { InputError } from '../../errors.ts'
import { loadTokenizer, type Tokenizer } from '../../formats/tokenizer.ts'
import { input, type Program, type Runtime } from '../../graph/index.ts'
import { joinHeads } from '../../nets/attention.ts'
import { poolPrefix } from '../../nets/prefix-pool.ts'
import { type CameraPair, type GivenCameras, imageOf, pairCameras, pairingLine } from '../cameras.ts'
import type { EncoderDescription, EncoderInput, Encoding, FrameSource, VlaEncoder } from '../encoder.ts'
import { featureSide, poolTokens } from '../features.ts'
import { Compiler } from '../int8/compiler.ts'
import { drawnFrames } from '../int8/pictures.ts'
import type { Precision } from '../int8/precision.ts'
import type { Sample } from '../int8/product.ts'
import { OneAtATime } from '../one-at-a-time.ts'
import { pictureTokens, type SmolVlaConfig, smolvlaEmbeddingWidth } from './config.ts'
import { readWrap, tokenise } from './language.ts'
import type { Pipeline } from './pipeline.ts'
import { cameraTokens, type PictureWrap, prefixCache, prefixTokens } from './prefix.ts'
import { preparePicture, prepareState, type Scaling } from './preprocess.ts'
import { readNormalisation } from './statistics.ts'
import { vision } from './vision.ts'
import { openSmolVla, type SmolVlaWeights } from './weights.ts'

export type SmolVlaOptions = Runtime & {
  folder: string // with the published files
  cameras: readonly string[] // of the robot
  layer?: number // whose keys and values make h; the last by default
  pairing?: GivenCameras // the robot's cameras for cameras of the policy, where the rules do not find them
  statistics?: string // the data set whose statistics normalise the state, or 'none'
  stateWidth?: number // of the robot's proprioception
  precision?: Precision
  frames?: FrameSource
}

/** Observations that errors of quantised weights are measured on. */
const SAMPLES = 2

/** One of them, prepared. */
type Shown = { pictures: Float32Array[]; state: Float32Array; words: Words }

type Words = { rows: Float32Array; mask: Float32Array }

/**
 * One picture at a time goes through the vision tower, one observation at a time through the language model: a picture
 * keeps all cores busy, and larger batches would only need more memory. What the robot has no camera for is left out of
 * the prefix, which is the same as sending it masked: absent tokens are neither seen nor counted.
 */
export class SmolVlaEncoder implements VlaEncoder {
  /** @throws InputError or ShapeError naming file and tensor if the files are missing, damaged or of another network */
  static async load(options: SmolVlaOptions): Promise<SmolVlaEncoder> {
    const weights = await openSmolVla(options.folder, options)
    try {
      const { config, pipeline } = weights
      const tokenizer = await loadTokenizer(weights.vlmFolder)
      const rules = { given: options.pairing, renamed: pipeline?.renamed }
      const cameras = pairCameras(config.cameras, options.cameras, 'smolvla', rules)
      const { scaling, line } = await readNormalisation('state', weights, {
        set: options.statistics,
        width: options.stateWidth,
      })
      requireBarePictures(config, options.statistics)
      const wrap = config.wrapImages ? await readWrap(weights, tokenizer) : undefined
      const hash = await weights.hash()
      const { precision = 'f32', device, frames } = options
      const compiler = new Compiler(precision, hash, { device, frames: frames ? 'the robot' : 'drawn' })
      const shown = async () => {
        const all = frames ? await frames() : drawnFrames(SAMPLES, options.cameras, options.stateWidth ?? 0)
        return Promise.all(
          all.slice(0, SAMPLES).map(async ({ images, proprio, instruction }) => ({
            pictures: cameras.map(({ robot }) =>
              preparePicture(imageOf(images, robot, 'smolvla'), config.vision.imageSize),
            ),
            state: prepareState(proprio, scaling, config.stateSlots),
            words: await wordsOf(instruction, weights, tokenizer),
          })),
        )
      }
      const programs = await compilePrograms(weights, cameras.length, wrap, { compiler, shown, runtime: options })
      const notes = [
        pairingLine(cameras, config.cameras, options.cameras, rules.renamed),
        line,
        ...stepsLine(pipeline),
        ...weights.notes,
        ...compiler.notes,
      ]
      const read = { hash, int8: compiler.int8, half: compiler.half, notes }
      return new SmolVlaEncoder(weights, tokenizer, cameras, scaling, programs, read)
    } catch (error) {
      await weights.close()
      throw error
    }
  }

  readonly description: EncoderDescription
  private readonly config: SmolVlaConfig
  private readonly present: Float32Array // the prefix without its words
  private readonly words = new Map<string, Promise<Words>>() // by instruction
  private readonly runs = new OneAtATime()

  private constructor(
    private readonly weights: SmolVlaWeights,
    private readonly tokenizer: Tokenizer,
    private readonly cameras: readonly CameraPair[],
    private readonly scaling: Scaling | undefined, // of the state
    private readonly programs: { eye: Program; mind: Program },
    read: Pick<EncoderDescription, 'hash' | 'int8' | 'half' | 'notes'>,
  ) {
    const { config } = weights
    this.config = config
    this.present = new Float32Array(prefixTokens(config, cameras.length)).fill(1)
    this.description = {
      name: 'smolvla',
      cameras: cameras.map(({ robot }) => robot),
      imageSize: config.vision.imageSize,
      embeddingWidth: smolvlaEmbeddingWidth(config),
      featureShape: [cameras.length, sideOf(config), sideOf(config), config.vision.width],
      licence: 'Apache-2.0',
      source: `SmolVLA (arXiv 2506.01844), ${weights.path}`,
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
    await Promise.all([this.programs.eye.release(), this.programs.mind.release(), this.weights.close()])
  }

  private async encodeOne({ images, proprio, instruction }: EncoderInput): Promise<Encoding> {
    const { config, programs, scaling } = this
    const { eye, mind } = programs
    const side = sideOf(config)
    const mapLength = side * side * config.vision.width
    const features = new Float32Array(this.cameras.length * mapLength)
    for (const [which, { robot }] of this.cameras.entries()) {
      eye.set('picture', preparePicture(imageOf(images, robot, 'smolvla'), config.vision.imageSize))
      await eye.run()
      features.set(eye.outputs.features!, which * mapLength)
      mind.set(`picture.${which}`, eye.outputs.tokens!)
    }
    const { rows, mask } = await this.wordsOf(instruction)
    this.present.set(mask, this.cameras.length * cameraTokens(config))
    mind.set('words', rows)
    mind.set('state', prepareState(proprio, scaling, config.stateSlots))
    mind.set('present', this.present)
    await mind.run()
    return { h: poolPrefix(mind.outputs.keys!, mind.outputs.values!, this.present, 1), features }
  }

  private wordsOf(instruction: string): Promise<Words> {
    const known = this.words.get(instruction)
    if (known) return known
    const made = wordsOf(instruction, this.weights, this.tokenizer)
    this.words.set(instruction, made)
    made.catch(() => this.words.delete(instruction))
    return made
  }
}

async function wordsOf(instruction: string, weights: SmolVlaWeights, tokenizer: Tokenizer): Promise<Words> {
  const { ids, mask } = tokenise(instruction, tokenizer, weights.config.words)
  return { rows: await weights.embed(ids), mask }
}

/** What the data went through before the policy, that no line of this program does. */
const stepsLine = (pipeline: Pipeline | undefined): string[] =>
  pipeline?.others.length
    ? [`inputs: ${pipeline.path} has steps that are not done here: ${pipeline.others.join(', ')}`]
    : []

/** @throws InputError if the pictures were normalised by statistics of their own, which no published policy does */
function requireBarePictures({ normalisation }: SmolVlaConfig, statistics: string | undefined): void {
  const mode = normalisation.VISUAL ?? 'IDENTITY'
  if (mode === 'IDENTITY' || statistics === 'none') return
  throw new InputError(
    'normalization_mapping: VISUAL',
    `is ${mode}, pictures are never normalised here`,
    'Set vlaStatistics=none to send them as they are',
  )
}

const sideOf = ({ vision }: SmolVlaConfig): number => featureSide(vision.imageSize / vision.patch)

async function compilePrograms(
  { config, parameters, layer }: SmolVlaWeights,
  cameras: number,
  wrap: PictureWrap | undefined,
  {
    compiler,
    shown,
    runtime: { threads, device },
  }: { compiler: Compiler; shown: () => Promise<Shown[]>; runtime: Runtime },
): Promise<{ eye: Program; mind: Program }> {
  const { imageSize } = config.vision
  const { patches, tokens } = vision(parameters, config, input('picture', [1, imageSize, imageSize, 3]))
  const pictures = Array.from({ length: cameras }, (_, which) =>
    input(`picture.${which}`, [1, pictureTokens(config), config.text.width]),
  )
  const { keys, values } = prefixCache(
    parameters,
    config,
    {
      pictures,
      words: input('words', [1, config.words, config.text.width]),
      state: input('state', [1, config.stateSlots]),
      present: input('present', [1, prefixTokens(config, cameras)]),
    },
    { layer, wrap },
  )
  const kept = { keys: joinHeads(keys), values: joinHeads(values) }
  const seen = { tokens, features: poolTokens(patches, sideOf(config)) }
  const eye = await compiler.compile({ name: 'smolvla vision', outputs: seen, threads, device }, async () =>
    (await shown()).map(({ pictures }, which) => ({ picture: pictures[which % pictures.length]! })),
  )
  const mind = await compiler.compile({ name: 'smolvla prefix', outputs: kept, threads, device }, async () => {
    const samples: Sample[] = []
    for (const { pictures, state, words } of await shown()) {
      const present = new Float32Array(prefixTokens(config, cameras)).fill(1)
      present.set(words.mask, cameras * cameraTokens(config))
      const looks: [string, Float32Array][] = []
      for (const [which, picture] of pictures.entries()) {
        eye.set('picture', picture)
        await eye.run()
        looks.push([`picture.${which}`, eye.outputs.tokens!.slice()])
      }
      samples.push({ ...Object.fromEntries(looks), words: words.rows, state, present })
    }
    return samples
  })
  return { eye, mind }
}
