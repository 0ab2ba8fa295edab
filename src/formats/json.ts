/** @file JSON as published models have it: with a byte-order mark or without, and with Python's NaN and Infinity. */
import { readFile } from 'node:fs/promises'
import { InputError } from '../errors.ts'
import { refusePage, refusePointer } from './lfs-pointer.ts'

/** @throws InputError with the remedy, if the file is missing, a Git LFS pointer, cut or no JSON */
export async function readJson(path: string, remedy: string): Promise<unknown> {
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (cause) {
    throw new InputError(path, `cannot be read (${(cause as Error).message})`, remedy, { cause })
  }
  return parseJsonBytes(bytes, path, remedy)
}

/** As `readJson`, of bytes that were read from `path`. @throws InputError */
export function parseJsonBytes(bytes: Uint8Array, path: string, remedy: string): unknown {
  refusePointer(path, bytes)
  refusePage(path, bytes)
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) throw new InputError(path, 'is compressed (gzip)', 'Unpack it: gunzip')
  try {
    return parse(textOf(bytes))
  } catch (cause) {
    throw new InputError(path, `is not JSON (${(cause as Error).message})`, remedy, { cause })
  }
}

const MARKS: readonly [readonly number[], string][] = [
  [[0xff, 0xfe], 'utf-16le'],
  [[0xfe, 0xff], 'utf-16be'],
]

/** UTF-8, or UTF-16 where its mark says so; the mark itself is dropped. */
function textOf(bytes: Uint8Array): string {
  const encoding = MARKS.find(([mark]) => mark.every((byte, i) => bytes[i] === byte))?.[1] ?? 'utf-8'
  return new TextDecoder(encoding, { fatal: true }).decode(bytes)
}

const NOT_A_NUMBER = '\0NaN'

/**
 * Python writes NaN, Infinity and -Infinity as bare words, which JSON does not know. They are taken as the numbers that
 * they are: whoever reads that field refuses it by name, and in fields that nobody reads they do no harm.
 */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const words = text.replace(/"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g, (token) => {
      if (token === 'NaN') return JSON.stringify(NOT_A_NUMBER)
      return token.endsWith('Infinity') ? token.replace('Infinity', '1e999') : token
    })
    if (words === text) throw error
    return JSON.parse(words, (_, value) => (value === NOT_A_NUMBER ? Number.NaN : value))
  }
}
