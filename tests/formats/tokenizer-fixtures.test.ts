/** @file Golden token ids of the reference tokenizers; DUET_FIXTURES=<folder> checks other sets of the same format. */
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { fixedLength, loadTokenizer } from '../../src/formats/tokenizer.ts'
import { describeSets } from '../fixture-sets.ts'

type Case = {
  text: string
  ids: number[]
  decoded?: string
  /** SmolVLA's input: a newline at the end, cut at the head. */
  prompt_ids?: number[]
  prompt_mask?: number[]
  /** T5's input in Octo: 16 tokens, </s> kept. */
  padded16_ids?: number[]
  padded16_mask?: number[]
}
type Cases = {
  cases: Case[]
  max_length: number
  pad_id: number
  vocab_size_with_added?: number
  vocab_size_with_extra?: number
}

describeSets('tokenizer', ({ folder }) => {
  const golden: Cases = JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8'))
  const { cases, max_length: length, pad_id: pad } = golden

  it.each(cases)('encodes $text', async ({ text, ids }) => {
    const tokenizer = await loadTokenizer(folder)
    expect(tokenizer.encode(text)).toEqual(ids)
  })

  it('has the vocabulary and the padding token of the reference', async () => {
    const { size, special } = await loadTokenizer(folder)
    expect(size).toBe(golden.vocab_size_with_added ?? golden.vocab_size_with_extra)
    expect(special.pad).toBe(pad)
  })

  it('fits every text to the length of its network', async () => {
    const tokenizer = await loadTokenizer(folder)
    for (const { text, prompt_ids, prompt_mask, padded16_ids, padded16_mask } of cases) {
      const prompt = text.endsWith('\n') ? text : `${text}\n`
      const { ids, mask } = prompt_ids
        ? fixedLength(tokenizer.encode(prompt), length, pad, { truncate: 'left' })
        : fixedLength(tokenizer.encode(text), length, pad, { truncate: 'right', closing: 1 })
      expect([text, ...ids]).toEqual([text, ...(prompt_ids ?? padded16_ids!)])
      expect([text, ...mask]).toEqual([text, ...(prompt_mask ?? padded16_mask!)])
    }
  })

  it.skipIf(cases.every(({ decoded }) => decoded === undefined))('decodes back', async () => {
    const tokenizer = await loadTokenizer(folder)
    for (const { ids, decoded } of cases) expect(tokenizer.decode(ids)).toBe(decoded)
  })

  it.skipIf(!existsSync(join(folder, 'spiece.model')))('encodes the same from spiece.model alone', async () => {
    const alone = await mkdtemp(join(tmpdir(), 'duet-spiece-'))
    await symlink(join(folder, 'spiece.model'), join(alone, 'spiece.model'))
    const tokenizer = await loadTokenizer(alone)
    for (const { text, ids } of cases) expect([text, ...tokenizer.encode(text)]).toEqual([text, ...ids])
    await rm(alone, { recursive: true })
  })
})
