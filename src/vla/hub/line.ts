/** @file Requests to the Hub: redirects without giving the token away, transient failures told from final ones. */
import { setTimeout as sleep } from 'node:timers/promises'
import { InputError } from '../../errors.ts'
import { fetchThrough, type HttpProxy, type Proxies } from './proxies.ts'
import { ownsToken, requireToken } from './token.ts'

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
  token?: string // for the host of `url`, and the Hub
  proxies?: Proxies
  /** Asked of a redirect's headers: true takes it for the answer instead of following it. */
  enough?: (headers: Headers) => boolean
  signal?: AbortSignal
}

const MOST_REDIRECTS = 10
const REDIRECTS = [301, 302, 303, 307, 308]
const TRANSIENT = [408, 429, 500, 502, 503, 504]
const LONGEST_WAIT = 30_000 // ms, whatever the server asks for

export type Answer = {
  response: Response
  passed: Headers[] // of the redirects before it
  host: string // that answered
  keptToken: boolean // there is one, and it was not for this host
}

/**
 * One request with its redirects, to whatever host: a mirror may send to the Hub, the Hub to where its files are stored.
 * @throws Interruption, or InputError if the redirects lead nowhere, round and round, or from https to http
 */
export async function ask({ url, method, headers, token, proxies, enough, signal }: Request): Promise<Answer> {
  const home = new URL(url)
  const passed: Headers[] = []
  let at = new URL(url)
  for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
    const head = new Headers({ 'accept-encoding': 'identity', 'user-agent': 'duet', ...headers })
    const owns = token !== undefined && ownsToken(at, home)
    if (owns) head.set('authorization', `Bearer ${requireToken(token, 'HF_TOKEN')}`)
    const response = await reach(at, { method, headers: head, redirect: 'manual', signal }, proxies?.(at))
    const location = REDIRECTS.includes(response.status) ? response.headers.get('location') : null
    const answer = { response, passed, host: at.host, keptToken: token !== undefined && !owns }
    if (location === null) {
      if (!TRANSIENT.includes(response.status)) return answer
      await response.body?.cancel()
      throw new Interruption(`${at.host} answered ${response.status}`, waitOf(response))
    }
    if (enough?.(response.headers)) return answer
    await response.body?.cancel()
    const next = whereTo(location, at, url)
    passed.push(response.headers)
    at = next
  }
  throw new InputError(
    url,
    `leads from one address to the next, more than ${MOST_REDIRECTS} times`,
    'Check HF_ENDPOINT',
  )
}

/** @throws InputError if a redirect leads to where nobody should follow */
function whereTo(location: string, at: URL, url: string): URL {
  const remedy = 'Check HF_ENDPOINT and the network'
  if (!URL.canParse(location, at)) throw new InputError(url, 'leads to an address that is none', remedy)
  const next = new URL(location, at)
  if (at.protocol === 'https:' && next.protocol !== 'https:')
    throw new InputError(url, `leads to ${next.protocol}//${next.host}, which is not encrypted`, remedy)
  if (!/^https?:$/.test(next.protocol) || next.username || next.password)
    throw new InputError(url, `leads to ${next.protocol}//${next.host}, which is not followed`, remedy)
  return next
}

async function reach(url: URL, init: RequestInit, proxy: HttpProxy | undefined): Promise<Response> {
  try {
    return await (proxy ? fetchThrough(proxy, url, init) : fetch(url, init))
  } catch (cause) {
    const reason = reasonOf(cause)
    if (proxy && /\(4\d\d\)/.test(reason))
      throw new InputError(
        proxy.variable,
        `its proxy ${proxy.origin} does not lead to ${url.host} (${reason})`,
        `Correct it (http://name:password@host:port where it wants to know who asks), or put ${url.hostname} into NO_PROXY`,
        { cause },
      )
    const by = proxy ? ` by way of ${proxy.variable}, ${proxy.origin}` : ''
    throw new Interruption(`${url.host} cannot be reached${by} (${reason})`, 0, { cause })
  }
}

/** `fetch failed` says nothing; its innermost cause does. */
export function reasonOf(error: unknown): string {
  const { code, message, cause } = error as { code?: unknown; message: string; cause?: unknown }
  if (cause instanceof Error) return reasonOf(cause)
  return typeof code === 'string' && !code.startsWith('UND_ERR') ? code : message // fetch's own codes say nothing
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
