/**
 * @file Who may talk to the console's server. It moves a robot, so a page from elsewhere must not reach it: not by a request
 * across origins (Origin), not by a name that somebody points at this machine (Host), not without the token where one is set.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { InputError } from '../../errors.ts'
import { type Identity, vouchesFor } from './identity.ts'
import { canonicalName, type Names } from './names.ts'

const SHORTEST_TOKEN = 16

export type Door = {
  names: readonly string[] // those that may stand in Host; "*.lab.example" for a wildcard
  schemes: readonly string[] // those that may stand in Origin
  token: string | null
}

/**
 * Where others can ask there is a token; one is drawn where none is given. What a certificate vouches for may be asked for.
 * @throws InputError for a short token
 */
export function doorFor({ alone, served }: Names, token?: string, identity?: Identity): Door {
  if (token !== undefined && token.length < SHORTEST_TOKEN)
    throw new InputError(
      '--token',
      `has ${token.length} characters`,
      `Give at least ${SHORTEST_TOKEN}, or leave it out`,
    )
  const schemes = identity ? ['https:'] : ['http:', 'https:'] // the latter where somebody else's server ends TLS
  if (alone) return { names: served, schemes, token: token ?? null }
  const names = [...served, ...(identity?.names ?? [])]
  return { names, schemes, token: token ?? randomBytes(24).toString('base64url') }
}

/** @returns why the request is refused; undefined if it may pass. `live`: it opens a connection that can move a robot */
export function refusal({ headers, url, socket }: IncomingMessage, door: Door, live: boolean): string | undefined {
  const host = headers.host ?? ''
  const name = canonicalName(host.replace(/:\d+$/, ''))
  // The address that the connection has come to is no name that somebody else could point here.
  if (name === undefined || !(vouchesFor(door.names, name) || name === addressOf(socket.localAddress)))
    return `Host "${host}" is not this console: --host-name adds a name`
  if (live && headers.origin === undefined) return 'there is no Origin'
  if (headers.origin !== undefined && !isPageOf(headers.origin, host, door.schemes))
    return `Origin "${headers.origin}" is another place`
  if (headers['sec-fetch-site'] === 'cross-site') return 'a page from elsewhere asks'
  if (door.token !== null && !equal(tokenOf(url ?? ''), door.token)) return 'the token is missing or wrong'
  return undefined
}

/** An IPv4 address may be written as one of IPv6. */
const addressOf = (address = '') => canonicalName(address.replace(/^::ffff:(?=\d+\.)/, ''))

function isPageOf(origin: string, host: string, schemes: readonly string[]): boolean {
  try {
    const { protocol, host: from } = new URL(origin)
    return schemes.includes(protocol) && from === host
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
