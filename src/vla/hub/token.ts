/** @file The token of the Hub: what it may look like, and to whom it goes. No message ever holds it. */
import { InputError } from '../../errors.ts'

/** Where tokens are made. */
export const HUB = 'https://huggingface.co'

const FAULTS: readonly [pattern: RegExp, what: string][] = [
  [/[\r\n]/, 'holds several lines'],
  [/…|\.{3}/, 'holds an ellipsis, as where a page shows only a part of it'],
  [/\*{3}/, 'holds asterisks, as where a page hides a part of it'],
  [/["'`«»‘’“”]/, 'holds quotation marks'],
  [/\s/, 'holds white space'],
  [/[^!-~]/, 'holds characters that no token has'], // a header takes none outside of ASCII
]

/** The token, if a request can carry it. `where` names its origin. @throws InputError without the token in it */
export function requireToken(token: string, where: string): string {
  const fault = FAULTS.find(([pattern]) => pattern.test(token))
  if (!fault) return token
  throw new InputError(where, `the token ${fault[1]}`, `Copy it again from ${HUB}/settings/tokens: one word of letters`)
}

/** Whether a token that was given for `home` may be sent to `at`: to that host, never less encrypted, and to the Hub. */
export function ownsToken(at: URL, home: URL): boolean {
  const encryptedNow = at.protocol === 'https:' && home.protocol === 'http:' && at.hostname === home.hostname
  return at.origin === home.origin || at.origin === HUB || (encryptedNow && at.port === '' && home.port === '')
}
