/** @file What a server shows over TLS: a certificate, the names in it, and the key that proves it. */
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { createSecureContext } from 'node:tls'
import { canonicalName } from './names.ts'

export type Identity = {
  cert: string // PEM; the server's own first, those that vouch for it behind
  key: string // PEM
  file: string | null // of a certificate that was given; null for the machine's own
  names: readonly string[] // those that it vouches for, as a browser writes them; "*.lab.example" for a wildcard
  fingerprint: string // SHA-256, as "AB:CD:.."
  from: Date
  until: Date
}

/** @throws Error if the two are no pair, or nothing that TLS can use */
export function identityOf({ cert, key }: { cert: string; key: string }, file: string | null): Identity {
  const leaf = new X509Certificate(cert)
  createSecureContext({ cert, key }) // does the handshake's own checks
  const names = namesIn(leaf)
  const { fingerprint256: fingerprint, validFrom, validTo } = leaf
  return { cert, key, file, names, fingerprint, from: new Date(validFrom), until: new Date(validTo) }
}

/** As a browser decides: a wildcard stands for one label. */
export function vouchesFor(names: readonly string[], name: string): boolean {
  return names.includes(name) || (!isIP(name) && names.includes(name.replace(/^[^.]+/, '*')))
}

function namesIn({ subjectAltName }: X509Certificate): string[] {
  return (subjectAltName ?? '').split(', ').flatMap((entry) => {
    const [, kind, name] = /^(DNS|IP Address):(.+)$/.exec(entry) ?? []
    if (kind === 'DNS' && name!.startsWith('*.')) return [name!.toLowerCase()]
    return canonicalName(name ?? '') ?? []
  })
}
