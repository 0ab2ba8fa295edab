/** @file Where the Hugging Face Hub is and where its files are kept: the environment variables of the Hub's own tools. */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { InputError } from '../../errors.ts'
import { type Proxies, proxiesOf } from './proxies.ts'
import { HUB, requireToken } from './token.ts'

export type HubSettings = {
  endpoint: string // without a slash at the end
  cache: string // of repositories
  assets: string // of files from elsewhere
  token?: string // throws InputError if it cannot be one: asked for by those who send it
  proxies?: Proxies // without: straight
  offline: boolean
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads HF_ENDPOINT, HF_HOME, HF_HUB_CACHE, HF_ASSETS_CACHE, HF_TOKEN, HF_TOKEN_PATH and HF_HUB_OFFLINE with their usual
 * defaults and older names, and the proxies. @throws InputError if HF_ENDPOINT is no address
 */
export function hubSettings(environment: Environment = process.env): HubSettings {
  const value = (...names: string[]) => names.map((name) => environment[name]?.trim()).find(Boolean)
  const folder = (given: string | undefined, ...otherwise: [string, ...string[]]) =>
    given === undefined ? join(...otherwise) : resolve(given.replace(/^~(?=$|[\\/])/, homedir()))
  const caches = folder(value('XDG_CACHE_HOME'), homedir(), '.cache')
  const home = folder(value('HF_HOME'), caches, 'huggingface')
  return {
    endpoint: endpointOf(value('HF_ENDPOINT') ?? HUB),
    cache: folder(value('HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE'), home, 'hub'),
    assets: folder(value('HF_ASSETS_CACHE', 'HUGGINGFACE_ASSETS_CACHE'), home, 'assets'),
    get token() {
      const name = ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN'].find((each) => value(each))
      return name ? requireToken(value(name)!, name) : tokenIn(folder(value('HF_TOKEN_PATH'), home, 'token'))
    },
    proxies: proxiesOf(environment),
    offline: /^(1|true|yes|on)$/i.test(value('HF_HUB_OFFLINE') ?? ''),
  }
}

function endpointOf(text: string): string {
  const { protocol, username, password, search, hash } = URL.canParse(text) ? new URL(text) : new URL('none:')
  if (username || password || text.includes('@'))
    throw new InputError('HF_ENDPOINT', 'holds a name or password', 'Write the address alone, and set HF_TOKEN')
  if (search || hash)
    throw new InputError(
      'HF_ENDPOINT',
      'holds more than a host and a path',
      'Write the address alone, and set HF_TOKEN',
    )
  if (/^https?:$/.test(protocol)) return text.replace(/\/+$/, '')
  throw new InputError('HF_ENDPOINT', `is "${text}", not an address`, `Write for instance ${HUB}`)
}

function tokenIn(path: string): string | undefined {
  if (!existsSync(path)) return undefined
  let text: string
  try {
    text = readFileSync(path, 'utf8').trim()
  } catch (cause) {
    throw new InputError(path, `cannot be read (${(cause as Error).message})`, 'Correct it, or set HF_TOKEN', { cause })
  }
  return text ? requireToken(text, path) : undefined
}
