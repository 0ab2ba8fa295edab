/** @file What SmolVLA's language model reads: the instruction, and the tokens around pictures. */

import { InputError } from '../../errors.ts'
import { type FixedTokens, fixedLength, type Tokenizer } from '../../formats/tokenizer.ts'
import type { PictureWrap } from './prefix.ts'
import type { SmolVlaWeights } from './weights.ts'

/** The instruction as the policy was trained on it: a newline at its end, too long a text without its head, padded on the right. */
export function tokenise(instruction: string, tokenizer: Tokenizer, words: number): FixedTokens {
  const text = instruction.endsWith('\n') ? instruction : `${instruction}\n`
  return fixedLength(tokenizer.encode(text), words, tokenizer.special.pad ?? 0, { truncate: 'left' })
}

const WRAP = { fake: '<fake_token_around_image>', global: '<global-img>' }

/** The embeddings of the special tokens. @throws InputError if the tokenizer lacks them */
export async function readWrap(weights: SmolVlaWeights, tokenizer: Tokenizer): Promise<PictureWrap> {
  const idOf = (token: string) => {
    const id = tokenizer.idOf(token)
    if (id !== undefined) return id
    throw new InputError(
      weights.vlmFolder,
      `has no token ${token} in its tokenizer`,
      'Take the published tokenizer.json',
    )
  }
  const fake = idOf(WRAP.fake)
  return { before: await weights.embed([fake, idOf(WRAP.global)]), after: await weights.embed([fake]) }
}
