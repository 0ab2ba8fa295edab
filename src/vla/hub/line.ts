/** @file Requests to the Hub: redirects without giving the token away, transient failures told from final ones. */
import { setTimeout as sleep } from 'node:timers/promises'
import { InputError } from '../../errors.ts'

export type Patience = {
  tries: number // in a row without progress
  pause: number // ms before the second try; doubles
  silence: number // ms without a byte
}

export const PATIENCE: Patience = { tries: 5, pause: 1000, silence: 60_000 }

/** What may go better at the next try. */
export class Interruption extends Error {
  constructor(
    message: string,
    readonly wait = 0, // ms that the server asks for
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

export type Request = {
  url: string
  method: 'GET' | 'HEAD'
  headers?: Readonly<Record<string, string>>
  token?: string // for the host of `url` alone
  stayHome?: boolean // answer with a redirect to another host instead of following it
  signal?: AbortSignal
}

const MOST_REDIRECTS = 10
const REDIRECTS = [301, 302, 303, 307, 308]
const TRANSIENT = [408, 429, 500, 502, 503, 504]
const LONGEST_WAIT = 30_000 // ms, whatever the server asks for

export type Answer = { response: Response; passed: Headers[] } // `passed`: of the redirects before it

/** One request with its redirects. @throws Interruption, or InputError if the redirects lead nowhere */
export async function ask({ url, method, headers, token, stayHome, signal }: Request): Promise<Answer> {
  const home = new URL(url).origin
  const passed: Headers[] = []
  let at = new URL(url)
  for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
    const head = new Headers({ 'accept-encoding': 'identity', 'user-agent': 'duet', ...headers })
    if (token !== undefined && at.origin === home) head.set('authorization', `Bearer ${token}`)
    const response = await reach(at, { method, headers: head, redirect: 'manual', signal })
    const location = REDIRECTS.includes(response.status) ? response.headers.get('location') : null
    if (location === null) {
      if (!TRANSIENT.includes(response.status)) return { response, passed }
      await response.body?.cancel()
      throw new Interruption(`${at.host} answered ${response.status}`, waitOf(response))
    }
    const next = new URL(location, at)
    if (stayHome && next.origin !== home) return { response, passed }
    await response.body?.cancel()
    if (at.protocol === 'https:' && next.protocol !== 'https:')
      throw new InputError(url, `leads to ${next.origin}, which is not encrypted`, 'Check HF_ENDPOINT and the network')
    passed.push(response.headers)
    at = next
  }
  throw new InputError(
    url,
    `leads from one address to the next, more than ${MOST_REDIRECTS} times`,
    'Check HF_ENDPOINT',
  )
}

async function reach(url: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init)
  } catch (cause) {
    throw new Interruption(`${url.host} cannot be reached (${reasonOf(cause)})`, 0, { cause })
  }
}

/** `fetch failed` says nothing; its cause does. */
export function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: { code?: string; message?: string } }
  return cause?.code ?? cause?.message ?? (error as Error).message
}

function waitOf({ headers }: Response): number {
  const seconds = Number(headers.get('retry-after') ?? 0)
  return seconds > 0 ? Math.min(LONGEST_WAIT, 1000 * seconds) : 0
}

/**
 * Tries again after interruptions, with longer and longer pauses; `progress` tells how far things are, and getting
 * further starts the count anew. @throws InputError when patience is at its end
 */
export async function persevere<T>(
  attempt: () => Promise<T>,
  { tries, pause }: Patience,
  where: string,
  progress: () => Promise<number> = async () => 0,
): Promise<T> {
  let furthest = await progress()
  for (let failures = 1; ; failures++) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof Interruption)) throw error
      const reached = await progress()
      if (reached > furthest) failures = 1
      furthest = Math.max(furthest, reached)
      if (failures >= tries)
        throw new InputError(
          where,
          `${error.message}, ${tries} times in a row`,
          'Check the network and HF_ENDPOINT, then run the command again: it goes on where it stopped',
          { cause: error },
        )
      await sleep(Math.max(error.wait, pause * 2 ** (failures - 1)))
    }
  }
}
