/** @file The names that a console is asked for by: Host may say them, the certificate vouches for them. */
import { isIPv6 } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import { InputError } from '../../errors.ts'

export const LOOPBACK = '127.0.0.1'
const LOCAL = ['localhost', LOOPBACK, '::1']
const WILDCARDS = ['0.0.0.0', '::']

/** What the operating system says of the machine; addresses are those that other machines may reach. */
export type Machine = { name: string; addresses: readonly string[] }

/** All as a browser writes them, but IPv6 addresses without brackets. */
export type Names = {
  local: boolean // it listens to this machine alone
  alone: boolean // nobody but this machine can ask: nor through a server before it, which would have a further name
  served: readonly string[] // those that Host may say
  vouched: readonly string[] // those that an own certificate names: also what is not served, so that it lasts
  given: readonly string[] // those that a person gave
  elsewhere: readonly string[] // those to type on another machine, the best first
}

/** `host`: the address to listen on. `given`: further names of this machine. @throws InputError for what is no name */
export function namesFor(host: string, given: readonly string[] = [], machine: Machine = thisMachine()): Names {
  const further = given.map(requireName)
  const own = isWildcard(host) ? [] : [canonicalName(host)].filter((name) => name !== undefined)
  // Many machines draw new IPv6 addresses every day: each would be another certificate for somebody to compare.
  const addresses = machine.addresses.filter((address) => canonicalName(host) === '::' || !isIPv6(address))
  const called = hostNames(machine.name)
  const all = unique([...LOCAL, ...called, ...addresses, ...own, ...further])
  const local = isLocal(host)
  const answered = called.length === 1 ? called : [] // it calls itself so
  const others = isWildcard(host) ? [...answered, ...addresses] : own
  return {
    local,
    alone: local && further.length === 0,
    served: local ? unique([...LOCAL, ...further]) : all,
    vouched: all,
    given: further,
    elsewhere: local ? [] : unique([...further, ...others]),
  }
}

export const isLocal = (host: string): boolean => LOCAL.includes(canonicalName(host) ?? host)

export const isWildcard = (host: string): boolean => WILDCARDS.includes(canonicalName(host) ?? host)

/** "Robot.local" is robot.local, "[2001:DB8::0]" is 2001:db8::. Undefined for what is neither name nor address. */
export function canonicalName(text: string): string | undefined {
  const bare = text.replace(/^\[(.*)\]$/, '$1')
  const url = `http://${isIPv6(bare) ? `[${bare}]` : bare}/`
  if (!URL.canParse(url)) return undefined
  const { hostname: name, href } = new URL(url)
  const nothingElse = href === `http://${name}/` && !/[/?#@:]/.test(isIPv6(bare) ? '' : bare)
  return nothingElse && /^(\[[\da-f:]+\]|[a-z\d_]([a-z\d._-]*[a-z\d_])?)$/.test(name)
    ? name.replace(/[[\]]/g, '')
    : undefined
}

function requireName(text: string): string {
  const name = canonicalName(text)
  if (name !== undefined && !isWildcard(name)) return name
  const remedy = 'Give it without scheme and port, like robot.local or 192.168.1.7'
  throw new InputError(`--host-name "${text}"`, 'is no name or address of a machine', remedy)
}

/** The machine's name, and the one that it has by multicast DNS where its system answers to that. */
function hostNames(name: string): string[] {
  const canonical = canonicalName(name)
  return canonical === undefined ? [] : unique([canonical, `${canonical.split('.')[0]}.local`])
}

function thisMachine(): Machine {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? [])
  const reached = addresses.filter(({ internal, scopeid }) => !internal && !scopeid) // a browser knows no zones
  return { name: hostname(), addresses: reached.map(({ address }) => address) }
}

const unique = (names: readonly string[]) => [...new Set(names)]
