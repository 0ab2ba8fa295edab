/** @file Word-level tokens of an instruction: a row of the embedding table a word, unknown words hashed to shared rows. */
import type { NanoConfig } from './config.ts'

/** Words that play instructions, the three tasks and spoken commands use. Rows of words never heard in play stay random, but distinct. */
export const VOCABULARY = (
  'the a to of in on it and over into from with left right forward backward up down slightly fast slow stop ' +
  'reach push grasp lift turn hover move lower open close hold shake touch wander around stay ' +
  'place pick assemble insert put take upright upside release rotate tilt ' +
  'bolt head tip stand slot cradle hole box ball cylinder gripper hand table block peg fixture arm object'
).split(' ')

/** Rows of the embedding table: padding (row 0), words, buckets. */
export const embeddingRows = (config: Pick<NanoConfig, 'vocabulary' | 'buckets'>): number =>
  1 + config.vocabulary.length + config.buckets

export class WordTokeniser {
  private readonly rows: Map<string, number>

  constructor(private readonly config: Pick<NanoConfig, 'vocabulary' | 'buckets' | 'words'>) {
    this.rows = new Map(config.vocabulary.map((word, i) => [word, 1 + i]))
  }

  /**
   * Row of each word and its share in the mean over the words (0 for padding); both [words].
   * Case and punctuation do not count. An empty instruction is all padding with no share.
   */
  encode(instruction: string): { rows: Int32Array; shares: Float32Array } {
    const { words, vocabulary, buckets } = this.config
    const spoken = (instruction.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).slice(0, words)
    const rows = new Int32Array(words)
    const shares = new Float32Array(words)
    spoken.forEach((word, i) => {
      rows[i] = this.rows.get(word) ?? 1 + vocabulary.length + (fnv1a(word) % buckets)
      shares[i] = 1 / spoken.length
    })
    return { rows, shares }
  }
}

/** 32-bit FNV-1a of the UTF-8 bytes. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash
}
