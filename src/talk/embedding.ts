/** @file Commands as vectors, for the refinement actor. The built-in encoder needs no weights; others share its interface. */
import { InputError } from '../errors.ts'
import type { CommandSet } from './translator.ts'
import { type AxisNames, BASE_FRAME, readPhrase } from './vocabulary.ts'

export interface CommandEncoder {
  readonly width: number
  /** [width]; equal commands give equal vectors. The caller may keep it. */
  embed(command: string): Float32Array
}

/** Positive and negative of three axes, "nothing asked", "not understood". */
const STRUCTURED = 8

/**
 * A deterministic encoder with a structure that generalises from few labels: one-hot signs an axis, a flag for no command,
 * a flag for a phrase that contradicts itself, then the mean of pseudo-random unit vectors of the words that the vocabulary
 * does not know. So "a bit to the left" and "move left" are one vector, and a pair is the sum of its directions.
 */
export function builtInCommandEncoder(wordWidth = 24, axes: AxisNames = BASE_FRAME): CommandEncoder {
  const width = STRUCTURED + wordWidth
  return {
    width,
    embed(command) {
      const vector = new Float32Array(width)
      const reading = readPhrase(command, axes)
      if (!reading) {
        vector[7] = 1
        return vector
      }
      reading.direction.forEach((sign, axis) => {
        if (sign) vector[2 * axis + (sign > 0 ? 0 : 1)] = 1
      })
      if (reading.direction.every((sign) => sign === 0) && reading.unknown.length === 0) vector[6] = 1
      for (const word of reading.unknown) addWord(vector, STRUCTURED, word, 1 / reading.unknown.length)
      return vector
    },
  }
}

/** Adds `scale` times the word's vector: entries ±1/√n, signs from an FNV-1a hash of word and position. */
function addWord(vector: Float32Array, from: number, word: string, scale: number) {
  const size = scale / Math.sqrt(vector.length - from)
  const bytes = new TextEncoder().encode(word)
  for (let i = from; i < vector.length; i++) {
    let hash = 0x811c9dc5 ^ i
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b)
    vector[i]! += (hash ^ (hash >>> 13)) & 1 ? size : -size
  }
}

/**
 * Commands from a table that a language model filled beforehand: those of a translator, each embedded once. A phrase counts
 * as the command that it stands for; one that nobody understands asks for nothing.
 * @throws InputError if a command is missing or the vectors have different widths
 */
export function tableCommandEncoder(table: CommandEmbeddings, { all, nothing, read }: CommandSet): CommandEncoder {
  const width = table[nothing]?.length ?? 0
  for (const command of all)
    if (table[command]?.length !== width || width === 0)
      throw new InputError(
        `command table, "${command}"`,
        table[command] ? `has ${table[command].length} entries, "${nothing}" has ${width}` : 'is missing',
        'Embed every command of the translator with one model',
      )
  return { width, embed: (command) => table[read(command) ?? nothing]!.slice() }
}

/** Vectors by command; plain data, which another thread may be sent. */
export type CommandEmbeddings = Readonly<Record<string, Float32Array>>

/** Embeds every command of a set; `embed` is called once a command. */
export async function embedCommands(
  embed: (command: string) => Promise<Float32Array>,
  { all }: CommandSet,
): Promise<CommandEmbeddings> {
  const table: Record<string, Float32Array> = {}
  for (const command of all) table[command] = await embed(command)
  return table
}

/** From a table, or the built-in one where there is none. */
export const commandEncoder = (table: CommandEmbeddings | undefined, commands: CommandSet): CommandEncoder =>
  table ? tableCommandEncoder(table, commands) : builtInCommandEncoder()
