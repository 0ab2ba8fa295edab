/** @file The proxies of this machine: HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in capitals or not, as other programs read them. */
import { BlockList, isIP, isIPv6 } from 'node:net'
import { InputError } from '../../errors.ts'

export type HttpProxy = {
  variable: string // where it was named
  origin: string // without name and password: may be shown
  authorization?: string // of the proxy alone
}

/** The proxy on the way to an address; none: straight. @throws InputError without the password in it */
export type Proxies = (url: URL) => HttpProxy | undefined

type Environment = Readonly<Record<string, string | undefined>>

export function proxiesOf(environment: Environment): Proxies {
  const named = (name: string) =>
    [name.toLowerCase(), name].find((each) => environment[each]?.trim()) as string | undefined
  const exceptions = environment[named('NO_PROXY') ?? ''] ?? ''
  return (url) => {
    const variable = named(url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY')
    return variable && !isExcepted(url, exceptions) ? parseProxy(environment[variable]!.trim(), variable) : undefined
  }
}

function parseProxy(text: string, variable: string): HttpProxy {
  const example = 'Write for instance http://proxy.example:3128, or http://name:password@proxy.example:3128'
  try {
    const { protocol, origin, username, password, hostname } = new URL(text.includes('://') ? text : `http://${text}`)
    if (/^https?:$/.test(protocol) && hostname) {
      const account = `${decoded(username)}:${decoded(password)}`
      const authorization = account === ':' ? undefined : `Basic ${Buffer.from(account).toString('base64')}`
      return { variable, origin, authorization }
    }
    if (/^socks/.test(protocol)) throw new InputError(variable, `names a proxy of ${protocol}//`, `${example}`)
  } catch (error) {
    if (error instanceof InputError) throw error
  }
  throw new InputError(variable, 'is not the address of an HTTP proxy', example)
}

/** A percent sign that was not written as %25 is one. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' }

/** `list`: hosts with all below them, addresses, networks (10.0.0.0/8), each perhaps with a port; or '*'. */
function isExcepted({ hostname, port, protocol }: URL, list: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '')
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean)
    .some((entry) => {
      if (entry === '*') return true
      const [, name = entry, only] = isIPv6(entry) ? [] : (/^\[?(.+?)\]?(?::(\d+))?$/.exec(entry) ?? [])
      if (only !== undefined && only !== (port || PORTS[protocol])) return false
      if (name.includes('/')) return isWithin(host, name)
      const domain = name.replace(/^\*?\./, '')
      return host === domain || host.endsWith(`.${domain}`)
    })
}

function isWithin(address: string, network: string): boolean {
  if (!isIP(address)) return false
  const kind = (text: string) => (isIPv6(text) ? 'ipv6' : 'ipv4')
  const [base, bits] = network.split('/') as [string, string]
  if (!/^\d+$/.test(bits)) return false
  try {
    const block = new BlockList()
    block.addSubnet(base, Number(bits), kind(base))
    return block.check(address, kind(address))
  } catch {
    return false // no network: it excepts nothing
  }
}

const agents = new Map<string, unknown>() // by proxy; each keeps its connections

/** A request by way of a proxy: through a tunnel where the server's address is https. Throws as `fetch` does. */
export async function fetchThrough(proxy: HttpProxy, url: URL, init: RequestInit): Promise<Response> {
  const { fetch, ProxyAgent } = await import('undici') // as Node's own fetch, which takes no proxy before Node 24
  const key = JSON.stringify(proxy)
  const made = agents.get(key) ?? new ProxyAgent({ uri: proxy.origin, token: proxy.authorization, proxyTunnel: false })
  agents.set(key, made)
  const dispatcher = made as InstanceType<typeof ProxyAgent>
  return fetch(url, { ...(init as object), dispatcher }) as unknown as Promise<Response>
}
