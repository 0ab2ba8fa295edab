/** @file A certificate that somebody else has made, from two PEM files: all that may be wrong with them is said at once. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import fs from 'node:fs'
import { InputError, systemError } from '../../errors.ts'
import { type Identity, identityOf } from './identity.ts'

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g
const KEY = /-----BEGIN (\w+ )*PRIVATE KEY-----/
const ENCRYPTED = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m

/** The first certificate is the server's, further ones vouch for it. @throws InputError for what cannot be served */
export function givenCertificate(certFile: string, keyFile: string, now = new Date()): Identity {
  const cert = read(certFile)
  const chain = certificatesOf(cert, certFile)
  const key = read(keyFile)
  const secret = keyOf(key, keyFile)
  const [leaf] = chain
  if (!leaf!.checkPrivateKey(secret)) {
    const place = chain.findIndex((one) => one.checkPrivateKey(secret))
    if (place > 0)
      throw new InputError(certFile, `has the key's certificate in place ${place + 1}`, 'Put it first, its issuer next')
    throw new InputError(keyFile, `is not the key of ${certFile}`, 'Give the key that the certificate was made with')
  }
  const identity = serve({ cert, key }, certFile)
  const [from, until] = [identity.from, identity.until].map((date) => date.toISOString().slice(0, 16).replace('T', ' '))
  if (identity.from > now)
    throw new InputError(certFile, `is not valid before ${from} UTC`, "Check this machine's clock, or wait")
  if (identity.until <= now)
    throw new InputError(certFile, `has expired, on ${until} UTC`, 'Renew it, or leave it out: --tls makes an own one')
  return identity
}

function read(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8')
  } catch (error) {
    throw systemError(error, path) ?? error
  }
}

function certificatesOf(text: string, path: string): X509Certificate[] {
  const blocks = text.match(CERTIFICATE) ?? []
  if (blocks.length === 0 && KEY.test(text))
    throw new InputError(path, 'holds a key and no certificate', 'Give it as --tls-key')
  if (blocks.length === 0)
    throw new InputError(path, 'holds no certificate in PEM', 'Convert it: openssl x509 -inform der, or openssl pkcs12')
  try {
    return blocks.map((block) => new X509Certificate(block))
  } catch (cause) {
    throw new InputError(path, 'holds a damaged certificate', 'Copy it again', { cause })
  }
}

function keyOf(text: string, path: string): KeyObject {
  if (ENCRYPTED.test(text))
    throw new InputError(
      path,
      'is encrypted',
      'Write it without a passphrase, for you alone: openssl pkey -in .. -out ..',
    )
  if (!KEY.test(text) && /-----BEGIN CERTIFICATE-----/.test(text))
    throw new InputError(path, 'holds a certificate and no key', 'Give it as --tls-cert')
  if (!KEY.test(text)) throw new InputError(path, 'holds no private key in PEM', 'Convert it: openssl pkey -inform der')
  try {
    return createPrivateKey(text)
  } catch (cause) {
    throw new InputError(path, 'holds a damaged key', 'Copy it again', { cause })
  }
}

function serve(pair: { cert: string; key: string }, path: string): Identity {
  try {
    return identityOf(pair, path)
  } catch (cause) {
    const why = (cause as Error).message.replace(/^error:\w+:/, '')
    throw new InputError(path, `cannot be used for https (${why})`, 'Make one with a key of P-256 or RSA 2048', {
      cause,
    })
  }
}
