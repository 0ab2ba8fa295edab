/** @file The console over https: its own certificate and given ones, and who is turned away there. */
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { whereabouts } from '../../src/cli/console.ts'
import { givenCertificate } from '../../src/console/server/given-certificate.ts'
import type { Identity } from '../../src/console/server/identity.ts'
import { canonicalName, type Machine, namesFor } from '../../src/console/server/names.ts'
import { identityFor } from '../../src/console/server/open.ts'
import { ownCertificate } from '../../src/console/server/own-certificate.ts'
import { selfSigned } from '../../src/console/server/self-signed.ts'
import { Page } from './page.ts'
import { Stage } from './stage.ts'

const DAY = 86_400_000 // ms
const MACHINE: Machine = { name: 'bench.lab.example', addresses: ['192.0.2.7', '2001:db8::7'] }
const folder = mkdtempSync(join(tmpdir(), 'duet-https-'))
afterAll(() => rmSync(folder, { recursive: true }))
const namesOf = (host: string, ...given: string[]) => namesFor(host, given, MACHINE)

describe('a console over https', () => {
  const names = namesOf('0.0.0.0', 'robot.local')
  let identity: Identity
  let stage: Stage
  beforeAll(async () => {
    identity = await ownCertificate(names.vouched, { folder: join(folder, 'served') })
    stage = await Stage.open({ console: { host: '0.0.0.0', names, identity }, run: false })
  }, 60_000)
  afterAll(() => stage.close())

  /** Its answer, to somebody who trusts this certificate alone and asks for `host`. */
  const ask = (path: string, host: string, headers: Record<string, string> = {}) =>
    new Promise<{ status: number; headers: Record<string, unknown>; body: string }>((resolve, reject) => {
      const { port } = new URL(stage.server.address)
      const options = {
        hostname: '127.0.0.1',
        port,
        path,
        ca: identity.cert,
        servername: 'localhost',
        headers: { host, ...headers },
      }
      const asking = request(options, (response) => {
        let body = ''
        response.on('data', (text) => (body += text))
        response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }))
      })
      asking.on('error', reject)
      asking.end()
    })

  it('gives its page and its connection to who trusts its certificate', async () => {
    const { address } = stage.server
    expect(address).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{32,}$/)
    expect((await ask('/', 'localhost')).body).toContain('<title>console</title>')
    const page = await Page.open(address, { ca: identity.cert })
    await page.until('hello')
    page.close()
    await expect(Page.open(address)).rejects.toThrow(/self-signed/)
  })

  it('answers under every name that it serves', async () => {
    const served = ['robot.local', 'Robot.Local', 'bench.lab.example', 'bench.local', '192.0.2.7', 'localhost', '[::1]']
    for (const name of served) expect((await ask('/', `${name}:8337`)).status, name).toBe(200)
  })

  it('refuses any other name, and a page from any other, with the right token, too', async () => {
    const { searchParams, port } = new URL(stage.server.address)
    const path = `/api/runs?token=${searchParams.get('token')}`
    expect((await ask(path, `robot.local:${port}`)).status).toBe(200)
    expect((await ask('/api/runs', 'robot.local')).status).toBe(403)
    const others = [
      'evil.example',
      'robot.local.evil.example',
      'x.robot.local',
      '192.0.2.8',
      '[2001:db8::8]',
      '*',
      'a b',
    ]
    for (const name of others) expect((await ask(path, name)).status, name).toBe(403)
    expect((await ask(path, 'robot.local', { origin: 'https://evil.example' })).status).toBe(403)
    expect((await ask(path, 'robot.local', { origin: 'http://robot.local' })).status).toBe(403)
    const { body } = await ask(path, 'evil.example')
    expect(JSON.parse(body).error).toBe('Host "evil.example" is not this console: --host-name adds a name')
    const origin = 'https://evil.example'
    const doors: Record<string, string>[] = [{ host: 'evil.example', origin }, { host: 'evil.example' }, { origin }]
    for (const headers of doors)
      await expect(Page.open(stage.server.addressAt('localhost'), { ca: identity.cert, headers })).rejects.toThrow(
        '403',
      )
  })

  it('does not bind browsers to https, which another program may not serve on this name', async () =>
    expect((await ask('/', 'localhost')).headers).not.toHaveProperty('strict-transport-security'))

  it('says where it is, what its certificate is, and what to do about the warning', () => {
    const said = whereabouts({ observer: undefined, desk: undefined, server: stage.server } as never).split('\n')
    const { port, search } = new URL(stage.server.address)
    expect(said.slice(0, 3)).toEqual([
      `Console: https://127.0.0.1:${port}/${search}`,
      `From other machines: https://robot.local:${port}/${search}`,
      `From other machines: https://192.0.2.7:${port}/${search}`,
    ])
    expect(said[3]).toContain(new X509Certificate(identity.cert).fingerprint256)
    expect(said[4]).toMatch(/browser warns.*compare/)
    expect(said.slice(5)).toEqual([''])
  })
})

it('closes at once, whoever has connected and says nothing', async () => {
  const names = namesOf('127.0.0.1')
  const identity = await ownCertificate(names.vouched, { folder: join(folder, 'served') })
  const stage = await Stage.open({ console: { names, identity }, run: false })
  const silent = connect(Number(new URL(stage.server.address).port), '127.0.0.1')
  silent.on('error', () => {})
  await new Promise((resolve) => silent.once('connect', resolve))
  const begun = Date.now()
  await stage.close()
  expect(Date.now() - begun).toBeLessThan(5000)
}, 60_000)

describe('a console without https', () => {
  it.each([
    [
      'for other machines says how they get devices and microphone',
      '0.0.0.0',
      /On other machines .* need https: add --tls/,
    ],
    ['for this machine alone says nothing of it', '127.0.0.1', /^(?!.*https)/s],
  ])(
    '%s',
    async (_, host, expected) => {
      const stage = await Stage.open({ console: { host }, run: false })
      expect(whereabouts({ server: stage.server } as never)).toMatch(expected)
      await stage.close()
    },
    60_000,
  )
})

describe('the names of a console', () => {
  it('are this machine’s own, whatever it listens to, in its certificate', () => {
    const all = ['localhost', '127.0.0.1', '::1', 'bench.lab.example', 'bench.local', '192.0.2.7']
    expect(namesOf('127.0.0.1').vouched).toEqual(all)
    expect(namesOf('0.0.0.0').vouched).toEqual(all)
    expect(namesOf('::').vouched).toEqual([...all, '2001:db8::7'])
    expect(namesOf('192.0.2.9', 'Robot.local').vouched).toEqual([...all, '192.0.2.9', 'robot.local'])
  })

  it('are local ones alone where it listens to this machine alone', () => {
    expect(namesOf('localhost')).toMatchObject({
      alone: true,
      served: ['localhost', '127.0.0.1', '::1'],
      elsewhere: [],
    })
    expect(namesOf('::1', 'robot.local')).toMatchObject({ alone: false, elsewhere: [] }) // a server before it
  })

  it('are offered to other machines, those by multicast DNS first', () => {
    expect(namesFor('0.0.0.0', [], { ...MACHINE, name: 'Mac.local' }).elsewhere).toEqual(['mac.local', '192.0.2.7'])
    expect(namesOf('192.0.2.9', 'robot.local').elsewhere).toEqual(['robot.local', '192.0.2.9'])
  })

  it.each([
    ['Robot.local', 'robot.local'],
    ['[2001:DB8:0::1]', '2001:db8::1'],
    ['bücher.local', 'xn--bcher-kva.local'],
    ['my_robot', 'my_robot'],
    ['127.1', '127.0.0.1'],
  ])('are written as a browser writes them: %s', (given, expected) => expect(canonicalName(given)).toBe(expected))

  it.each([
    'https://robot.local',
    'robot.local:8337',
    'robot.local/',
    'a b',
    '',
    '*.local',
    'me@robot',
    'fe80::1%eth0',
    '0.0.0.0',
  ])('are refused where they are none: "%s"', (name) =>
    expect(() => namesOf('0.0.0.0', name)).toThrow(/--host-name.*is no name.*like robot\.local/),
  )
})

describe('the own certificate', () => {
  const now = new Date('2026-03-01T12:00:00Z')
  const names = namesOf('0.0.0.0').vouched
  let count = 0
  const place = () => join(folder, `own-${count++}`)
  const fingerprint = (where: string) =>
    new X509Certificate(readFileSync(join(where, 'certificate.pem'))).fingerprint256

  it('names all, serves TLS alone, with a key of P-256, for at most 397 days', async () => {
    const { cert, key, fingerprint } = await ownCertificate(names, { folder: place(), now })
    const made = new X509Certificate(cert)
    for (const name of ['localhost', 'bench.lab.example', 'bench.local']) expect(made.checkHost(name)).toBe(name)
    for (const name of ['127.0.0.1', '::1', '192.0.2.7']) expect(made.checkIP(name)).toBe(name)
    expect(made.checkHost('robot.local')).toBeUndefined()
    expect(made.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' })
    expect(made.verify(made.publicKey) && made.checkPrivateKey(createPrivateKey(key))).toBe(true)
    expect(made.ca).toBe(false)
    expect(made.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']) // serverAuth
    expect(Date.parse(made.validTo) - Date.parse(made.validFrom)).toBeLessThanOrEqual(397 * DAY)
    expect(Date.parse(made.validFrom)).toBeLessThan(now.getTime())
    expect(fingerprint).toBe(made.fingerprint256)
  })

  it.skipIf(process.platform === 'win32')('has its key in a file that nobody else can read', async () => {
    const where = place()
    await ownCertificate(names, { folder: where, now })
    expect(statSync(join(where, 'key.pem')).mode & 0o777).toBe(0o600)
    expect(statSync(where).mode & 0o777).toBe(0o700)
    chmodSync(join(where, 'key.pem'), 0o644)
    await ownCertificate([...names, 'robot.local'], { folder: where, now })
    expect(statSync(join(where, 'key.pem')).mode & 0o777).toBe(0o600)
  })

  it('stays, so that nobody has to compare it again', async () => {
    const where = place()
    const first = await ownCertificate([...names, 'robot.local'], { folder: where, now })
    const later = new Date(now.getTime() + 300 * DAY)
    expect(await ownCertificate(names, { folder: where, now: later })).toEqual(first)
    expect(fingerprint(where)).toBe(first.fingerprint)
  })

  it('keeps the names that it has, until its end: who comes and goes does not renew it', async () => {
    const where = place()
    await ownCertificate([...names, '198.51.100.1'], { folder: where, now })
    const both = await ownCertificate([...names, '198.51.100.2'], { folder: where, now })
    expect(both.names).toEqual([...names, '198.51.100.2', '198.51.100.1'])
    expect(await ownCertificate([...names, '198.51.100.1'], { folder: where, now })).toEqual(both)
    const end = new Date(now.getTime() + 390 * DAY)
    expect((await ownCertificate(names, { folder: where, now: end })).names).toEqual(names)
  })

  it.each<[string, readonly string[], number, (where: string) => void]>([
    ['a name is added', [...names, 'robot.local'], 0, () => {}],
    ['an address is added', [...names, '192.0.2.8'], 0, () => {}],
    ['its days are counted', names, 390, () => {}],
    ['it is of tomorrow', names, -10, () => {}],
    ['it is damaged', names, 0, (where) => writeFileSync(join(where, 'certificate.pem'), '-----BEGIN')],
    ['its key is another', names, 0, (where) => writeFileSync(join(where, 'key.pem'), aKey())],
    ['its key is gone', names, 0, (where) => rmSync(join(where, 'key.pem'))],
  ])('is renewed when %s', async (_, wanted, days, change) => {
    const where = place()
    const first = await ownCertificate(names, { folder: where, now })
    change(where)
    const next = await ownCertificate(wanted, { folder: where, now: new Date(now.getTime() + days * DAY) })
    expect(next.fingerprint).not.toBe(first.fingerprint)
    expect(next.names).toEqual(wanted)
    expect(next.fingerprint).toBe(fingerprint(where))
  })

  it('says so where it cannot be kept', async () => {
    const where = join(folder, 'a-file')
    writeFileSync(where, '')
    await expect(ownCertificate(names, { folder: where, now })).rejects.toThrow(
      `${where}: cannot keep the console's certificate (EEXIST`,
    )
  })
})

const aKey = () =>
  String(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }))

describe('a given certificate', () => {
  const [from, until] = [new Date('2026-01-01'), new Date('2026-06-01')]
  const now = new Date('2026-03-01')
  const pair = selfSigned('given', ['robot.lab.example'], from, until)
  const other = selfSigned('other', ['other.example'], from, until)
  let count = 0
  const file = (text: string | Buffer) => {
    const path = join(folder, `given-${count++}.pem`)
    writeFileSync(path, text)
    return path
  }

  it('serves under the names in it, a wildcard for one label, and tells them', async () => {
    const vouched = ['robot.lab.example', '*.arms.example', '192.0.2.7', 'localhost']
    const { cert, key } = selfSigned('given', vouched, from, new Date(Date.now() + DAY))
    const identity = givenCertificate(file(cert + other.cert), file(key))
    expect(identity.names).toEqual(vouched)
    const names = namesOf('0.0.0.0', 'robot.local')
    const stage = await Stage.open({ console: { host: '0.0.0.0', names, identity }, run: false })
    const { port, search } = new URL(stage.server.address)
    const connect = (host: string) =>
      Page.open(`https://localhost:${port}/${search}`, {
        headers: { host: `${host}:${port}`, origin: `https://${host}:${port}` },
        ca: cert,
      })
    for (const host of ['robot.lab.example', 'left.arms.example', 'bench.local']) (await connect(host)).close()
    for (const host of ['other.example', 'arms.example', 'a.b.arms.example'])
      await expect(connect(host)).rejects.toThrow('403')
    const said = whereabouts({ server: stage.server } as never)
    expect(said.match(/From other machines: \S+/g)).toEqual(
      ['192.0.2.7', 'robot.lab.example'].map((name) => `From other machines: https://${name}:${port}/${search}`),
    )
    expect(said).toContain('It does not name robot.local')
    expect(said).toContain(identity.fingerprint)
    await stage.close()
  }, 60_000)

  const encrypted = (type: 'pkcs8' | 'sec1') =>
    createPrivateKey(pair.key).export({ type, format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as never)
  const der = (pem: string) => new X509Certificate(pem).raw
  const broken = (pem: string) => pem.replace(/\n.{40}/, '\nAAAA')
  it.each<[string, () => [string | Buffer, string | Buffer], Date, RegExp]>([
    [
      'its certificate is no PEM',
      () => [der(pair.cert), pair.key],
      now,
      /0\.pem: holds no certificate in PEM.*openssl x509/,
    ],
    ['its certificate is empty', () => ['', pair.key], now, /0\.pem: holds no certificate in PEM/],
    ['its certificate is damaged', () => [broken(pair.cert), pair.key], now, /0\.pem: holds a damaged certificate/],
    [
      'the two files are swapped',
      () => [pair.key, pair.cert],
      now,
      /0\.pem: holds a key and no certificate.*--tls-key/,
    ],
    [
      'a certificate is given twice',
      () => [pair.cert, pair.cert],
      now,
      /1\.pem: holds a certificate and no key.*--tls-cert/,
    ],
    ['its key is no PEM', () => [pair.cert, 'hello'], now, /1\.pem: holds no private key in PEM/],
    ['its key is damaged', () => [pair.cert, broken(pair.key)], now, /1\.pem: holds a damaged key/],
    ['its key is encrypted', () => [pair.cert, encrypted('pkcs8')], now, /1\.pem: is encrypted.*openssl pkey/],
    ['its key is encrypted in the old way', () => [pair.cert, encrypted('sec1')], now, /1\.pem: is encrypted/],
    ['its key is of another', () => [pair.cert, other.key], now, /1\.pem: is not the key of .*0\.pem/],
    [
      'its chain is in another order',
      () => [other.cert + pair.cert, pair.key],
      now,
      /0\.pem: has the key's certificate in place 2/,
    ],
    [
      'it has expired',
      () => [pair.cert, pair.key],
      new Date('2026-06-02'),
      /0\.pem: has expired, on 2026-06-01 00:00 UTC/,
    ],
    [
      'it is not valid yet',
      () => [pair.cert, pair.key],
      new Date('2025-12-31'),
      /0\.pem: is not valid before 2026-01-01 00:00 UTC/,
    ],
  ])('is refused in a line when %s', (_, texts, day, expected) => {
    const [cert, key] = texts()
    const where = mkdtempSync(join(folder, 'bad-'))
    writeFileSync(join(where, '0.pem'), cert)
    writeFileSync(join(where, '1.pem'), key)
    expect(() => givenCertificate(join(where, '0.pem'), join(where, '1.pem'), day)).toThrow(expected)
  })

  it('is refused when no server may use it: RSA of 512 bits', () => {
    const now = new Date('2027-03-01')
    const where = file(WEAK.cert)
    const expected = /: cannot be used for https \(.*key too small\)\. Make one with a key of P-256 or RSA 2048/
    expect(() => givenCertificate(where, file(WEAK.key), now)).toThrow(expected)
  })

  it('is refused without its key, and a key without it', async () => {
    const names = namesOf('0.0.0.0')
    await expect(identityFor(names, { tls: true, tlsCert: 'a' })).rejects.toThrow(
      '--tls-cert: is given without --tls-key',
    )
    await expect(identityFor(names, { tls: true, tlsKey: 'a' })).rejects.toThrow(
      '--tls-key: is given without --tls-cert',
    )
    expect(await identityFor(names, {})).toBeUndefined()
  })

  it('is refused when a file is missing', () => {
    const gone = join(folder, 'gone.pem')
    expect(() => givenCertificate(gone, file(pair.key), now)).toThrow(`${gone}: failed to open: no such file`)
    expect(() => givenCertificate(file(pair.cert), gone, now)).toThrow(`${gone}: failed to open: no such file`)
  })
})

/** Made by `openssl req -x509 -newkey rsa:512 -nodes -days 3650`; nobody uses it. */
const WEAK = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBjjCCATigAwIBAgIUQbaTEUuvNKwh6aKCMq8un33c8kowDQYJKoZIhvcNAQEL
BQAwDzENMAsGA1UEAwwEd2VhazAeFw0yNjExMjgwNDM3MjRaFw0zNjExMjUwNDM3
MjRaMA8xDTALBgNVBAMMBHdlYWswXDANBgkqhkiG9w0BAQEFAANLADBIAkEAuDop
sdziACt08GJJACb9e/HSR9nJrwqLTkroz3Nd9soG45NuxvcTYOW2sPrBxwt8IIWP
ngnVbylJRbf7Fq9qtwIDAQABo2wwajAdBgNVHQ4EFgQUmMedp/Vr9Jkm3opuUTjK
AUulgK0wHwYDVR0jBBgwFoAUmMedp/Vr9Jkm3opuUTjKAUulgK0wDwYDVR0TAQH/
BAUwAwEB/zAXBgNVHREEEDAOggx3ZWFrLmV4YW1wbGUwDQYJKoZIhvcNAQELBQAD
QQC27u/UQE8WYn46m2wOzmgOKmXJQzKw+73h9NK6FLJOA2BRTLuMbqJOTXa6f7TK
HklKX8A329DzQNOe7BhKD7Vj
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIIBVQIBADANBgkqhkiG9w0BAQEFAASCAT8wggE7AgEAAkEAuDopsdziACt08GJJ
ACb9e/HSR9nJrwqLTkroz3Nd9soG45NuxvcTYOW2sPrBxwt8IIWPngnVbylJRbf7
Fq9qtwIDAQABAkEAr2Rgcb9zQuocqQdJrOVyC2CM7G8CPq3xNpbG00pouRy5mWaw
Y8sgiEmfo/qbt+/hTRAbK91Ka3hMhTGFkE+Z4QIhAPVvVtiW+GV/sogGh69qY/M7
6MHVyBBtgG5ilsU2jG5fAiEAwChSkjjXwdjal2yXn0N0qULxJK7bkmfaZwN4FVkU
MqkCID/VTlwUn9QeKzvPnviTjh1T5oyLYnZLVIzhHV97eXi3AiATkkfOstFu4fpp
n9rVktZIAxRyiwi8Ia3B/j111yvSeQIhALPZUr3/eK9W0zuK85WmlZhSPxuvkLjI
ZiK3ApTypxBW
-----END PRIVATE KEY-----
`,
}
