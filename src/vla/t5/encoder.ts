/** @file T5 as a frozen text encoder, from the published files; the weights stay in their file, mapped. */
import { join } from 'node:path'
import { InputError } from '../../errors.ts'
import { readJson } from '../../formats/json.ts'
import { openSafetensors } from '../../formats/safetensors-file.ts'
import { requireTensors, type TensorFile } from '../../formats/tensor-file.ts'
import { fixedLength, loadTokenizer, type Tokenizer } from '../../formats/tokenizer.ts'
import { compile, input, type Program } from '../../graph/index.ts'
import type { Parameters } from '../../nets/parameters.ts'
import { HUB_NAMES, type T5Naming, type T5Sizes, t5Encoder, t5Plan, t5Pool } from '../../nets/t5.ts'
import { storedTensors } from '../files.ts'
import { OneAtATime } from '../one-at-a-time.ts'
import { t5Sizes } from './config.ts'

/** The tokens of a text are padded to a multiple of this; each length is one compiled graph. */
const LENGTH_STEP = 16
const LONGEST = 512

const REMEDY = 'Give the folder of a T5 checkpoint, as google-t5/t5-small on the Hugging Face Hub'

export type T5Weights = {
  sizes: T5Sizes
  naming: T5Naming
  parameters: Parameters // leaves that point into the file, without the embedding
  /** Rows of the embedding, [ids, width]. */
  embed(ids: ArrayLike<number>): Promise<Float32Array>
  close(): Promise<void>
}

/** Opens config.json and model.safetensors in `folder`. @throws InputError or ShapeError naming file and tensor */
export async function openT5(folder: string): Promise<T5Weights> {
  const configPath = join(folder, 'config.json')
  const sizes = t5Sizes(await readJson(configPath, REMEDY), configPath)
  const file = await openSafetensors(folder)
  try {
    return await t5Weights(file, sizes)
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Some files name the embedding by its place in the encoder. */
const WORDS_ELSEWHERE = 'encoder.embed_tokens.weight'

async function t5Weights(file: TensorFile, sizes: T5Sizes): Promise<T5Weights> {
  const elsewhere = !file.tensors.has(HUB_NAMES.words) && file.tensors.has(WORDS_ELSEWHERE)
  const naming = elsewhere ? { ...HUB_NAMES, words: WORDS_ELSEWHERE } : HUB_NAMES
  const gated = file.tensors.has(naming.matrix('block.0.layer.1.DenseReluDense.wi_0'))
  if (gated !== sizes.gated)
    throw new InputError(
      file.path,
      `has ${gated ? 'gated' : 'plain'} feed-forward layers, config.json says ${sizes.gated ? 'gated' : 'plain'} ones`,
      'Take the config.json that belongs to the weights',
    )
  const plan = t5Plan(sizes, naming)
  const foreign = requireTensors(file, plan).find((name) => name.startsWith('encoder.block.'))
  if (foreign !== undefined)
    throw new InputError(
      `${file.path}, tensor "${foreign}"`,
      'is not part of a T5 of these sizes',
      'Take the config.json that belongs to the weights',
    )
  const { [naming.words]: _, ...inGraph } = plan
  return {
    sizes,
    naming,
    parameters: await storedTensors(file, inGraph),
    async embed(ids) {
      const rows = new Float32Array(ids.length * sizes.width)
      for (let i = 0; i < ids.length; i++) rows.set(await file.readRow(naming.words, ids[i]!), i * sizes.width)
      return rows
    },
    close: () => file.close(),
  }
}

/** Texts to one vector each: the mean of the final states, `</s>` included. */
export class T5TextEncoder {
  /** `tokenizer` is the folder of the tokenizer's files, by default that of the weights. @throws InputError, ShapeError */
  static async load(
    folder: string,
    { tokenizer: tokenizerFolder = folder, threads }: { tokenizer?: string; threads?: number } = {},
  ): Promise<T5TextEncoder> {
    const weights = await openT5(folder)
    try {
      const tokenizer = await loadTokenizer(tokenizerFolder)
      if (tokenizer.size > weights.sizes.vocabulary)
        throw new InputError(
          folder,
          `has a tokenizer of ${tokenizer.size} ids and an embedding of ${weights.sizes.vocabulary} rows`,
          'Take the tokenizer that belongs to the weights',
        )
      return new T5TextEncoder(weights, tokenizer, threads)
    } catch (error) {
      await weights.close()
      throw error
    }
  }

  private readonly programs = new Map<number, Promise<Program>>() // by number of tokens
  private readonly known = new Map<string, Promise<Float32Array>>() // by text
  private readonly runs = new OneAtATime()

  private constructor(
    private readonly weights: T5Weights,
    private readonly tokenizer: Tokenizer,
    private readonly threads?: number,
  ) {}

  /** Of the vectors. */
  get width(): number {
    return this.weights.sizes.width
  }

  /** [width]; a text is encoded once, later calls get the same array. Texts beyond 512 tokens are cut. */
  encode(text: string): Promise<Float32Array> {
    const known = this.known.get(text)
    if (known) return known
    const made = this.runs.run(() => this.compute(text))
    this.known.set(text, made)
    made.catch(() => this.known.delete(text))
    return made
  }

  async close(): Promise<void> {
    await this.runs.idle()
    for (const program of this.programs.values()) await (await program).release()
    await this.weights.close()
  }

  private async compute(text: string): Promise<Float32Array> {
    const tokens = this.tokenizer.encode(text)
    const length = Math.min(LONGEST, Math.ceil(tokens.length / LENGTH_STEP) * LENGTH_STEP)
    const { ids, mask } = fixedLength(tokens, length, this.tokenizer.special.pad ?? 0, {
      truncate: 'right',
      closing: 1,
    })
    const program = await this.programFor(length)
    program.set('words', await this.weights.embed(ids))
    program.set('mask', mask)
    await program.run()
    return program.outputs.pooled!.slice()
  }

  private programFor(length: number): Promise<Program> {
    const known = this.programs.get(length)
    if (known) return known
    const { parameters, sizes, naming } = this.weights
    const mask = input('mask', [1, length])
    const { final } = t5Encoder(parameters, sizes, input('words', [1, length, sizes.width]), mask, naming)
    const made = compile({
      name: `t5-${length}`,
      outputs: { pooled: t5Pool(final, mask) },
      threads: this.threads,
    })
    this.programs.set(length, made)
    return made
  }
}
