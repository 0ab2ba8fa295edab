/**
 * @file Who may talk to the console's server. It moves a robot, so a page from elsewhere must not reach it: not by a request
 * across origins (Origin), not by a name that somebody points at this machine (Host), not without the token where one is set.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { InputError } from '../../errors.ts'

export const LOOPBACK = '127.0.0.1'
const LOCAL_NAMES = ['127.0.0.1', 'localhost', '[::1]']
const SHORTEST_TOKEN = 16

export type Door = {
  hosts: readonly string[] // names that may stand in Host, without a port; empty: any, for the token guards
  token: string | null
}

const isLocal = (host: string) => ['127.0.0.1', 'localhost', '::1'].includes(host)

/** Any address but this machine's own needs a token; one is drawn where none is given. @throws InputError for a short one */
export function doorFor(host: string, token?: string): Door {
  if (token !== undefined && token.length < SHORTEST_TOKEN)
    throw new InputError(
      '--token',
      `has ${token.length} characters`,
      `Give at least ${SHORTEST_TOKEN}, or leave it out`,
    )
  if (isLocal(host)) return { hosts: LOCAL_NAMES, token: token ?? null }
  return { hosts: [], token: token ?? randomBytes(24).toString('base64url') }
}

/** @returns why the request is refused; undefined if it may pass. `live`: it opens a connection that can move a robot */
export function refusal({ headers, url }: IncomingMessage, door: Door, live: boolean): string | undefined {
  const host = headers.host ?? ''
  const name = host.replace(/:\d+$/, '')
  if (host === '' || (door.hosts.length > 0 && !door.hosts.includes(name))) return `Host "${host}" is not this console`
  if (live && headers.origin === undefined) return 'there is no Origin'
  if (headers.origin !== undefined && !sameHost(headers.origin, host))
    return `Origin "${headers.origin}" is another place`
  if (headers['sec-fetch-site'] === 'cross-site') return 'a page from elsewhere asks'
  if (door.token !== null && !equal(tokenOf(url ?? ''), door.token)) return 'the token is missing or wrong'
  return undefined
}

function sameHost(origin: string, host: string): boolean {
  try {
    const { protocol, host: from } = new URL(origin)
    return (protocol === 'http:' || protocol === 'https:') && from === host
  } catch {
    return false
  }
}

const tokenOf = (url: string) => new URL(url, 'http://console').searchParams.get('token') ?? ''

/** Takes the same time wherever they differ. */
function equal(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

/** Of every answer: nothing from elsewhere runs in the page, and the page runs nowhere else. */
export const SECURITY_HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; " +
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': 'hid=(self), gamepad=(self), microphone=(self)',
}
