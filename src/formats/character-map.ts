/**
 * @file Sentencepiece's precompiled character map: a double-array trie from UTF-8 sequences to their replacements.
 * tokenizer.json calls it `Precompiled`. Layout: u32 size of the trie in bytes, the trie's u32 units, NUL-terminated
 * strings; all little-endian (Kudo and Richardson 2018, arXiv 1808.06226).
 */
import { InputError } from '../errors.ts'

const REMEDY = 'The tokenizer is damaged: download it again'

/** A grapheme of more bytes is replaced character by character: the rule of the tokenizers library. */
const LONGEST_CLUSTER = 5

/** @throws InputError if the map's parts do not fit its size */
export function characterMap(bytes: Uint8Array, where: string): (text: string) => string {
  const trieBytes =
    bytes.length < 4 ? -1 : new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0, true)
  if (trieBytes < 4 || trieBytes % 4 || trieBytes > bytes.length - 4)
    throw new InputError(`${where}, character map`, `claims ${trieBytes} bytes, there are ${bytes.length}`, REMEDY)
  const units = new Uint32Array(new Uint8Array(bytes.subarray(4, 4 + trieBytes)).buffer)
  const strings = bytes.subarray(4 + trieBytes)
  const encoder = new TextEncoder()
  const decoder = new TextDecoder('utf-8', { fatal: true })

  /** The units at and below `node`; a damaged trie leads outside. */
  const unitAt = (node: number): number => {
    const unit = units[node]
    if (unit === undefined) throw new InputError(`${where}, character map`, 'points outside itself', REMEDY)
    return unit
  }

  /** The replacement of the shortest known beginning of `key`. */
  const lookUp = (key: Uint8Array): string | undefined => {
    let node = offsetOf(unitAt(0))
    for (const byte of key) {
      if (byte === 0) return undefined
      node ^= byte
      const unit = unitAt(node)
      if ((unit & 0x800000ff) >>> 0 !== byte) return undefined
      node ^= offsetOf(unit)
      if (unit & 0x100) return stringAt(unitAt(node) & 0x7fffffff)
    }
    return undefined
  }

  const stringAt = (start: number): string => {
    const end = strings.indexOf(0, start)
    if (end < 0) throw new InputError(`${where}, character map`, 'has a string without end', REMEDY)
    return decoder.decode(strings.subarray(start, end))
  }

  const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' })
  return (text) => {
    let mapped = ''
    for (const { segment } of graphemes.segment(text)) {
      const cluster = encoder.encode(segment)
      const whole = cluster.length <= LONGEST_CLUSTER ? lookUp(cluster) : undefined
      if (whole !== undefined) mapped += whole
      else for (const character of segment) mapped += lookUp(encoder.encode(character)) ?? character
    }
    return mapped
  }
}

/** Where a unit's children begin, relative to its own place. */
const offsetOf = (unit: number) => (unit >>> 10) << ((unit & 0x200) >>> 6)
