/** @file Tokenizers beside the golden cases: sentencepiece models without tokenizer.json, the character map, damage. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { InputError } from '../../src/errors.ts'
import { characterMap } from '../../src/formats/character-map.ts'
import { tokenizerOfSentencepiece } from '../../src/formats/sentencepiece.ts'
import { fixedLength, loadTokenizer, tokenizerOf } from '../../src/formats/tokenizer.ts'

const unigram = resolve(import.meta.dirname, '../fixtures/tokenizer_unigram')
type Case = { text: string; normalized: string }

let cases: Case[]
let model: Buffer
let folder: string
beforeAll(async () => {
  cases = JSON.parse(await readFile(join(unigram, 'cases.json'), 'utf8')).cases
  model = await readFile(join(unigram, 'spiece.model'))
  folder = await mkdtemp(join(tmpdir(), 'duet-tokenizer-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** A map that knows one grapheme of two bytes, é, and makes it an e; laid out by hand. */
function smallMap(): Uint8Array {
  // a unit holds: offset of its children << 10 | "has a value" << 8 | byte; children stand at (node ^ offset ^ byte)
  const units = new Uint32Array(256)
  units[0] = 1 << 10
  const first = 1 ^ 0xc3
  units[first] = (2 << 10) | 0xc3
  const second = first ^ 2 ^ 0xa9
  units[second] = (4 << 10) | 0x100 | 0xa9
  units[second ^ 4] = 0x80000000 // the string at 0
  return new Uint8Array([...u32(units.byteLength), ...new Uint8Array(units.buffer), 0x65, 0])
}
const u32 = (value: number) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24]

describe('a sentencepiece model', () => {
  it('is refused in words when damaged or of another kind', () => {
    const refuse = (bytes: Uint8Array) => () => tokenizerOfSentencepiece(bytes, 'bad.model')
    expect(refuse(new Uint8Array(0))).toThrow('bad.model: has no pieces')
    expect(refuse(model.subarray(0, 100))).toThrow('bad.model: is not a sentencepiece model')
    const bpe = Buffer.from([0x0a, 3, 0x0a, 1, 0x61, 0x12, 2, 0x18, 2]) // one piece "a", trainer.model_type 2
    expect(refuse(bpe)).toThrow('is a model of type 2, expected unigram')
    expect(refuse(bpe.subarray(0, 5))).toThrow('has no piece for unknown characters')
    const outcome = (length: number, at: number, value: number) => {
      const bytes = Uint8Array.prototype.slice.call(model, 0, length)
      bytes[at % length] = value
      try {
        tokenizerOfSentencepiece(bytes, 'damaged')
      } catch (error) {
        expect(error).toBeInstanceOf(InputError)
      }
    }
    fc.assert(fc.property(fc.integer({ min: 1, max: 4000 }), fc.nat(4000), fc.nat(255), outcome), {
      numRuns: 300,
      seed: 1,
    })
  })
})

describe('the character map', () => {
  it('follows the trie', () => {
    expect(characterMap(smallMap(), 'map')('café e\u0301 Ã')).toBe('cafe e\u0301 Ã')
  })

  it('gives the normalised text of every golden case', async () => {
    const json = JSON.parse(await readFile(join(unigram, 'tokenizer.json'), 'utf8'))
    const map = characterMap(Buffer.from(json.normalizer.precompiled_charsmap, 'base64'), 'map')
    for (const { text, normalized } of cases) expect(map(text)).toBe(normalized)
    // where NFKC would differ: a joiner between emoji stays, long clusters are mapped character by character
    expect(map('👩\u200d🔧')).toBe('👩\u200d🔧')
    expect(map('\u1112\u1161\u11ab')).toBe('\u1112\u1161\u11ab')
    expect(map('\ufb01\u0301\u0302')).toBe('fi\u0301\u0302') // a ligature under two accents, seven bytes
  })

  it('is refused in words when damaged', () => {
    expect(() => characterMap(Uint8Array.of(1, 2), 'a')).toThrow('a, character map: claims -1 bytes, there are 2')
    expect(() => characterMap(smallMap().subarray(0, 500), 'a')).toThrow('claims 1024 bytes, there are 500')
    const wild = smallMap()
    new DataView(wild.buffer).setUint32(4, 0x7fffff << 10, true)
    expect(() => characterMap(wild, 'a')('x')).toThrow('points outside itself')
  })
})

describe('a folder', () => {
  it('without a usable tokenizer is refused in words', async () => {
    const at = await mkdtemp(join(folder, 'bad-'))
    await expect(loadTokenizer(at)).rejects.toThrow('has no tokenizer.json and no spiece.model')
    await writeFile(join(at, 'tokenizer.json'), '{"model":')
    await expect(loadTokenizer(at)).rejects.toThrow('tokenizer.json: is not JSON')
    await writeFile(join(at, 'tokenizer.json'), '{"model": {"type": "Unheard"}}')
    await expect(loadTokenizer(at)).rejects.toThrow('tokenizer.json: is not a usable tokenizer')
  })

  it('reads a base64 map or says what is missing', () => {
    const parts = { decoder: null, post_processor: null, pre_tokenizer: null, added_tokens: [] }
    const model = {
      type: 'Unigram',
      unk_id: 0,
      vocab: [
        ['<unk>', 0],
        ['a', -1],
      ],
    }
    const broken = { ...parts, model, normalizer: { type: 'Precompiled', precompiled_charsmap: null } }
    expect(() => tokenizerOf(broken, {}, 'here')).toThrow('here, normalizer: has no character map')
  })
})

describe('tokens of fixed length', () => {
  it('are padded on the right, cut at the tail before what closes the text, or at the head', () => {
    const right = { truncate: 'right', closing: 1 } as const
    expect(fixedLength([5, 6, 1], 4, 0, right)).toEqual({
      ids: Int32Array.of(5, 6, 1, 0),
      mask: Float32Array.of(1, 1, 1, 0),
    })
    expect(fixedLength([5, 6, 7, 8, 1], 4, 0, right).ids).toEqual(Int32Array.of(5, 6, 7, 1))
    expect(fixedLength([5, 6, 7, 8, 9], 3, 2, { truncate: 'left' }).ids).toEqual(Int32Array.of(7, 8, 9))
    expect(fixedLength([5, 6, 7], 3, 2, { truncate: 'left' }).ids).toEqual(Int32Array.of(5, 6, 7))
  })
})
