/** @file Tokenizers of published models: tokenizer.json, or sentencepiece's spiece.model, from the model's folder. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers'
import { InputError } from '../errors.ts'
import { characterMap } from './character-map.ts'
import { parseJsonBytes } from './json.ts'
import { refusePage, refusePointer } from './lfs-pointer.ts'
import { tokenizerOfSentencepiece } from './sentencepiece.ts'

export interface Tokenizer {
  /** Ids run from 0 to size - 1. */
  readonly size: number
  /** The special tokens of tokenizer_config.json, where it names them. */
  readonly special: { readonly pad?: number; readonly end?: number; readonly unknown?: number }
  /** All tokens of a text, with those that the tokenizer itself adds (T5: </s> at the end). */
  encode(text: string): number[]
  decode(ids: readonly number[]): string
  idOf(token: string): number | undefined
}

/** Tokens of fixed length, for a graph. */
export type FixedTokens = { ids: Int32Array; mask: Float32Array }

/** What we use of the library, whose own type declarations do not resolve under Node's rules. */
type Library = {
  normalizer: ((text: string) => string) | null
  encode(text: string): { ids: number[] }
  decode(ids: number[], options: { clean_up_tokenization_spaces: boolean }): string
  token_to_id(token: string): number | undefined
  get_vocab(withAddedTokens: boolean): Map<string, number>
}

const REMEDY = 'Download the tokenizer again'
const LARGEST_FILE = 1 << 28

/** Prefers tokenizer.json. @throws InputError if the folder has no tokenizer, or a damaged or unknown one */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const path = join(folder, 'tokenizer.json')
  const json = await readIfPresent(path)
  if (json) {
    const configPath = join(folder, 'tokenizer_config.json')
    const config = await readIfPresent(configPath)
    return tokenizerOf(parse(json, path), config ? parse(config, configPath) : {}, path)
  }
  const modelPath = join(folder, 'spiece.model')
  const model = await readIfPresent(modelPath)
  if (!model) throw new InputError(folder, 'has no tokenizer.json and no spiece.model', REMEDY)
  refusePointer(modelPath, model)
  refusePage(modelPath, model)
  const { tokenizer, config } = tokenizerOfSentencepiece(model, modelPath)
  return tokenizerOf(tokenizer, config, modelPath)
}

/** From the contents of tokenizer.json and tokenizer_config.json. @throws InputError */
export function tokenizerOf(tokenizer: object, config: object, where: string): Tokenizer {
  let library: Library
  try {
    library = new LibraryTokenizer(tokenizer, config)
  } catch (cause) {
    throw new InputError(where, `is not a usable tokenizer (${(cause as Error).message})`, REMEDY, { cause })
  }
  const { normalizer } = tokenizer as { normalizer?: { type?: unknown; precompiled_charsmap?: unknown } | null }
  if (normalizer?.type === 'Precompiled') {
    // the library approximates the map by NFKC; with the map itself every text comes out as in the reference
    const map = normalizer.precompiled_charsmap
    if (typeof map !== 'string') throw new InputError(`${where}, normalizer`, 'has no character map', REMEDY)
    library.normalizer = characterMap(Buffer.from(map, 'base64'), where)
  }
  const vocabulary = library.get_vocab(true)
  let size = 0
  for (const id of vocabulary.values()) size = Math.max(size, id + 1)
  const named = config as Record<string, unknown>
  const idOf = (token: string) => library.token_to_id(token)
  const specialOf = (key: string) => {
    const token = named[key]
    const text = typeof token === 'object' && token !== null ? (token as { content?: unknown }).content : token
    return typeof text === 'string' ? idOf(text) : undefined
  }
  return {
    size,
    special: { pad: specialOf('pad_token'), end: specialOf('eos_token'), unknown: specialOf('unk_token') },
    encode: (text) => library.encode(text).ids,
    decode: (ids) => (ids.length ? library.decode([...ids], { clean_up_tokenization_spaces: false }) : ''),
    idOf,
  }
}

/**
 * Cuts or pads on the right to `length`; the mask is 1 for tokens, 0 for padding. Of a long text 'right' drops the tail
 * but keeps the last `closing` tokens (T5's </s>), 'left' drops the head.
 */
export function fixedLength(
  tokens: readonly number[],
  length: number,
  pad: number,
  { truncate, closing = 0 }: { truncate: 'left' | 'right'; closing?: number },
): FixedTokens {
  const excess = tokens.length - length
  const from = truncate === 'left' ? 0 : length - closing
  const kept = excess > 0 ? [...tokens.slice(0, from), ...tokens.slice(from + excess)] : tokens
  const ids = new Int32Array(length).fill(pad)
  ids.set(kept)
  const mask = new Float32Array(length).fill(1, 0, kept.length)
  return { ids, mask }
}

async function readIfPresent(path: string): Promise<Buffer | undefined> {
  try {
    const bytes = await readFile(path)
    if (bytes.length > LARGEST_FILE) throw new Error(`it has ${bytes.length} bytes, more than any tokenizer`)
    return bytes
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new InputError(path, `cannot be read (${(cause as Error).message})`, REMEDY, { cause })
  }
}

function parse(bytes: Buffer, path: string): object {
  const json = parseJsonBytes(bytes, path, REMEDY)
  if (typeof json !== 'object' || json === null) throw new InputError(path, 'is not a JSON object', REMEDY)
  return json
}
