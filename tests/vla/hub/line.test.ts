/** @file What lies between a machine and the Hub: mirrors that redirect, proxies, tokens, pointers, full disks. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openFlax } from '../../../src/formats/flax-msgpack.ts'
import { readJson } from '../../../src/formats/json.ts'
import { openSafetensors } from '../../../src/formats/safetensors-file.ts'
import { loadTokenizer } from '../../../src/formats/tokenizer.ts'
import { ask } from '../../../src/vla/hub/line.ts'
import { proxiesOf } from '../../../src/vla/hub/proxies.ts'
import { pull } from '../../../src/vla/hub/pull.ts'
import type { HubSettings } from '../../../src/vla/hub/settings.ts'
import { hubSettings } from '../../../src/vla/hub/settings.ts'
import { ownsToken } from '../../../src/vla/hub/token.ts'
import { publishOcto, settingsOf } from './models.ts'
import { HubServer } from './server.ts'
import { startMirror, startProxy } from './stand-ins.ts'

const CHECKPOINT = '300000/default/checkpoint'
const REPOSITORY = 'rail-berkeley/octo-small-1.5'
const TOKEN = 'hf_aSecretThatNobodyMaySee'
const patience = { tries: 2, pause: 1, silence: 5000 }

let server: HubServer
let home: string
const open: { stop(): Promise<void> }[] = []
beforeEach(async () => {
  server = await HubServer.start()
  home = mkdtempSync(join(tmpdir(), 'duet-line-'))
})
afterEach(async () => {
  for (const each of open.splice(0)) await each.stop()
  await server.stop()
  rmSync(home, { recursive: true })
})
const opened = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
  const started = await starting
  open.push(started)
  return started
}
const pullOcto = (changes: Partial<HubSettings> = {}) =>
  pull('octo-small', { settings: settingsOf(server, home, changes), patience })
const failure = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: Error) => `${error.name} ${error.message}`,
  )

describe('a mirror', () => {
  it.each([301, 302, 307, 308])(
    'that redirects to the Hub by %i is followed, and the Hub never sees its token',
    async (status) => {
      const commit = publishOcto(server)
      const mirror = await opened(startMirror(status, (path) => server.endpoint + path))
      const pulled = await pullOcto({ endpoint: mirror.address, token: TOKEN })
      expect(pulled.revision).toBe(commit)
      expect(existsSync(join(pulled.path, CHECKPOINT))).toBe(true)
      expect(new Set(mirror.seen.map(({ token }) => token))).toEqual(new Set([`Bearer ${TOKEN}`]))
      expect(new Set(server.seen.map(({ token }) => token))).toEqual(new Set([undefined]))
    },
  )

  it('that sends on to a second one is followed, but not round and round', async () => {
    publishOcto(server)
    const second = await opened(startMirror(308, (path) => server.endpoint + path))
    const first = await opened(startMirror(307, (path) => second.address + path))
    await pullOcto({ endpoint: first.address })
    const circle = await opened(startMirror(308, (path) => `${path}?again`))
    expect(await failure(pullOcto({ endpoint: circle.address }))).toMatch(
      /^InputError .*leads from one address to the next, more than 10 times/,
    )
  })

  it('that names the next place by a path alone, or by a host alone, is followed', async () => {
    const commit = publishOcto(server)
    const [, host] = server.endpoint.split(':') as [string, string, string]
    const { port } = new URL(server.endpoint)
    const relative = await opened(
      startMirror(302, (path) => (path.startsWith('/there') ? `${host}:${port}${path.slice(6)}` : `/there${path}`)),
    )
    expect((await pullOcto({ endpoint: relative.address })).revision).toBe(commit)
  })

  it('that shows a page to sign in on in place of a file is named at once, and the next pull begins anew', async () => {
    publishOcto(server)
    server.faults.push({ path: CHECKPOINT, fault: 'explains' })
    expect(await failure(pullOcto())).toMatch(
      /^InputError .*300000\/default\/checkpoint: is a web page \(HTML or XML\), not the file\. Sign in to the network/,
    )
    expect(server.bodies().filter(({ path }) => path.includes(CHECKPOINT)).length).toBeLessThanOrEqual(2) // hub, store
    expect(existsSync(join((await pullOcto()).path, CHECKPOINT))).toBe(true)
  })

  it('whose Hub wants a token says whom the token was not given to', async () => {
    publishOcto(server)
    server.repositories.get(REPOSITORY)!.gate = 401
    const mirror = await opened(startMirror(308, (path) => server.endpoint + path))
    const message = await failure(pullOcto({ endpoint: mirror.address, token: TOKEN }))
    const { host } = new URL(server.endpoint)
    expect(message).toContain(`sends to ${host}, which wants a token; yours goes to HF_ENDPOINT alone`)
    expect(message).not.toContain(TOKEN)
  })

  it.each([
    ['ftp://elsewhere.test/x', 'leads to ftp://elsewhere.test, which is not followed'],
    ['http://name:word@elsewhere.test/x', 'leads to http://elsewhere.test, which is not followed'],
    ['http://[not-an-address/', 'leads to an address that is none'],
  ])('that redirects to %s is not followed', async (target, message) => {
    const mirror = await opened(startMirror(307, () => target))
    const said = await failure(ask({ url: `${mirror.address}/file`, method: 'GET' }))
    expect(said).toContain(message)
    expect(said).not.toContain('word')
  })
})

it('an address of https that leads to http is not followed, whether the body is asked for or the headers', async () => {
  const reached: string[] = []
  vi.stubGlobal('fetch', async (url: URL) => {
    reached.push(url.href)
    return new Response(null, { status: 308, headers: { location: 'http://hub.test/plain', 'x-repo-commit': 'no' } })
  })
  try {
    for (const method of ['HEAD', 'GET'] as const)
      expect(await failure(ask({ url: 'https://hub.test/file', method, token: TOKEN }))).toContain(
        'https://hub.test/file: leads to http://hub.test, which is not encrypted',
      )
    expect(reached).toEqual(['https://hub.test/file', 'https://hub.test/file'])
  } finally {
    vi.unstubAllGlobals()
  }
})

it.each([
  ['https://hub.test/a', 'https://hub.test/b', true],
  ['https://hub.test/a', 'https://huggingface.co/b', true],
  ['http://hub.test/a', 'https://hub.test/b', true],
  ['https://hub.test/a', 'http://hub.test/b', false],
  ['https://hub.test/a', 'https://hub.test:444/b', false],
  ['https://hub.test/a', 'https://cdn.hub.test/b', false],
  ['https://hub.test/a', 'http://huggingface.co/b', false],
  ['https://hub.test/a', 'https://huggingface.co.evil.test/b', false],
])('a token for %s goes to %s: %s', (given, to, goes) => {
  expect(ownsToken(new URL(to), new URL(given))).toBe(goes)
})

describe('a token', () => {
  const secret = 'hf_abcdefghijklmnop'
  const faults: [string, string][] = [
    ['hf_abcdefgh…nop', 'holds an ellipsis'],
    ['hf_abcdefgh...nop', 'holds an ellipsis'],
    ['hf_abc***********nop', 'holds asterisks'],
    [`${secret}\n${secret}`, 'holds several lines'],
    [`${secret}\r\nx`, 'holds several lines'],
    [`Bearer ${secret}`, 'holds white space'],
    [`hf_abcdefgh\u00a0ijklmnop`, 'holds white space'],
    [`"${secret}"`, 'holds quotation marks'],
    [`“${secret}”`, 'holds quotation marks'],
    [`hf_abcdéfghijklmnop`, 'holds characters that no token has'],
    [`hf_abcd\u200befghijklmnop`, 'holds characters that no token has'],
    [`hf_abcd\u0000efghijklmnop`, 'holds characters that no token has'],
  ]
  const partsOf = (token: string) => token.match(/[a-z_]{3,}/gi)!.filter((part) => !/bearer/i.test(part))

  it.each(faults)('%j is refused in a line that does not hold it', async (token, fault) => {
    publishOcto(server)
    writeFileSync(join(home, 'token'), token)
    const given = [
      ...(token.includes('\0') ? [] : [hubSettings({ HF_HOME: home, HF_TOKEN: token })]),
      hubSettings({ HF_HOME: home }),
      settingsOf(server, home, { token }),
    ]
    for (const settings of given) {
      const { endpoint } = server
      const own = Object.defineProperty({ ...settingsOf(server, home), endpoint }, 'token', {
        get: () => settings.token,
      })
      const message = await failure(pull('octo-small', { settings: own, patience }))
      expect(message).toContain(`the token ${fault}`)
      expect(message).not.toContain('\n')
      for (const part of partsOf(token)) expect(message).not.toContain(part)
    }
    expect(server.seen).toEqual([])
  })

  it('that is unusable stops nobody who asks no server', () => {
    expect(hubSettings({ HF_HOME: home, HF_TOKEN: 'two words' }).cache).toBe(join(home, 'hub'))
  })

  it('is not taken from an address, which is refused without being shown', () => {
    for (const address of [`https://me:${secret}@hub.test`, `https://${secret}@hub.test`, `me:${secret}@hub.test`]) {
      const settings = () => hubSettings({ HF_HOME: home, HF_ENDPOINT: address })
      expect(settings).toThrow('HF_ENDPOINT: holds a name or password')
      expect(settings).not.toThrow(secret)
    }
    const asked = () => hubSettings({ HF_HOME: home, HF_ENDPOINT: `https://hub.test/?token=${secret}` })
    expect(asked).toThrow('HF_ENDPOINT: holds more than a host and a path')
    expect(asked).not.toThrow(secret)
  })

  it('in a file as editors and shells leave it is taken, or refused without being shown', () => {
    const read = (content: Buffer | string) => {
      writeFileSync(join(home, 'token'), content)
      return () => hubSettings({ HF_HOME: home }).token
    }
    expect(read(`\ufeff${secret}\r\n`)()).toBe(secret)
    expect(read(`\n  ${secret}\t\n\n`)()).toBe(secret)
    expect(read(' \n')()).toBeUndefined()
    const broken = [
      Buffer.from(`\ufeff${secret}`, 'utf16le'),
      `HF_TOKEN="${secret}"`,
      `{"token": "${secret}"}`,
      `[me]\nhf_token = ${secret}`,
    ]
    for (const content of broken) {
      expect(read(content)).toThrow(/^.*token: the token holds /)
      expect(read(content)).not.toThrow(/abcdef/)
    }
    rmSync(join(home, 'token'))
    mkdirSync(join(home, 'token'))
    expect(() => hubSettings({ HF_HOME: home }).token).toThrow(/token: cannot be read \(EISDIR/)
  })
})

describe('a proxy', () => {
  const pick = (environment: Record<string, string>, url: string) => proxiesOf(environment)(new URL(url))?.origin

  it.each<[Record<string, string>, string, string | undefined]>([
    [{ HTTPS_PROXY: 'http://p:1' }, 'https://hub.test/', 'http://p:1'],
    [{ https_proxy: 'http://p:1', HTTPS_PROXY: 'http://q:2' }, 'https://hub.test/', 'http://p:1'],
    [{ https_proxy: ' ', HTTPS_PROXY: 'http://q:2' }, 'https://hub.test/', 'http://q:2'],
    [{ HTTPS_PROXY: 'http://p:1' }, 'http://hub.test/', undefined],
    [{ http_proxy: 'p:3128' }, 'http://hub.test/', 'http://p:3128'],
    [{ HTTPS_PROXY: 'http://p:1', NO_PROXY: 'hub.test' }, 'https://hub.test/', undefined],
    [{ HTTPS_PROXY: 'http://p:1', no_proxy: 'a.test, .hub.test' }, 'https://cdn.hub.test/', undefined],
    [{ HTTPS_PROXY: 'http://p:1', NO_PROXY: '*.hub.test' }, 'https://cdn.hub.test/', undefined],
    [{ HTTPS_PROXY: 'http://p:1', NO_PROXY: 'ub.test' }, 'https://hub.test/', 'http://p:1'],
    [{ HTTPS_PROXY: 'http://p:1', NO_PROXY: 'hub.test:444' }, 'https://hub.test/', 'http://p:1'],
    [{ HTTPS_PROXY: 'http://p:1', NO_PROXY: 'hub.test:443' }, 'https://hub.test/', undefined],
    [{ HTTPS_PROXY: 'http://p:1', NO_PROXY: '*' }, 'https://hub.test/', undefined],
    [{ HTTP_PROXY: 'http://p:1', NO_PROXY: '10.0.0.0/8' }, 'http://10.2.3.4/', undefined],
    [{ HTTP_PROXY: 'http://p:1', NO_PROXY: '10.0.0.0/8' }, 'http://11.2.3.4/', 'http://p:1'],
    [{ HTTP_PROXY: 'http://p:1', NO_PROXY: '10.0.0.0/' }, 'http://11.2.3.4/', 'http://p:1'],
    [{ HTTP_PROXY: 'http://p:1', NO_PROXY: '10.0.0.0/99, fe80::/10' }, 'http://[fe80::7]/', undefined],
    [{ HTTP_PROXY: 'http://p:1', NO_PROXY: ',, ;' }, 'http://hub.test/', 'http://p:1'],
    [{ HTTP_PROXY: 'http://p:1', NO_PROXY: 'HUB.test' }, 'http://hub.TEST/', undefined],
    [{ HTTP_PROXY: 'http://p:1', NO_PROXY: '.hub.test:8080' }, 'http://a.hub.test:8080/', undefined],
    [{ HTTP_PROXY: 'http://p:1', NO_PROXY: 'localhost,.local' }, 'http://hub.test/', 'http://p:1'],
    [{ HTTP_PROXY: 'http://[fe80::1]:3128' }, 'http://hub.test/', 'http://[fe80::1]:3128'],
    [{ HTTP_PROXY: 'http://me:100%@p:1' }, 'http://hub.test/', 'http://p:1'],
    [{ HTTP_PROXY: 'http://me@p:1/' }, 'http://hub.test/', 'http://p:1'],
    [{ HTTP_PROXY: 'http://p:1', NO_PROXY: '::1,[fe80::1]:80' }, 'http://[::1]/', undefined],
    [{ HTTP_PROXY: 'http://p:1', NO_PROXY: '::1,[fe80::1]:80' }, 'http://[fe80::1]/', undefined],
  ])('of %j for %s is %s', (environment, url, origin) => {
    expect(pick(environment, url)).toBe(origin)
  })

  it.each([
    'socks5://me:swordfish@p:1',
    'http://',
    'http://me:swordfish@p:port',
    'ftp://me:swordfish@p',
    'me:swordfish@',
  ])('at %s is refused without being shown', (address) => {
    const asking = () => pick({ https_proxy: address }, 'https://hub.test/')
    expect(asking).toThrow(/^https_proxy: /)
    expect(asking).not.toThrow('swordfish')
  })

  it.each([
    ['http://me:s%40y@p', 'me:s@y'],
    ['http://me:100%@p', 'me:100%'],
    ['http://me@p', 'me:'],
    ['http://:word@p', ':word'],
    ['http://d%5Cme:w%3Ard@p', 'd\\me:w:rd'],
  ])('at %s is told %s', (address, account) => {
    const { authorization } = proxiesOf({ https_proxy: address })(new URL('https://hub.test/'))!
    expect(authorization).toBe(`Basic ${Buffer.from(account).toString('base64')}`)
  })

  it('is asked for the whole way, and told who asks; the servers are not', async () => {
    publishOcto(server)
    const ports = {
      'hub.test': Number(new URL(server.endpoint).port),
      'store.test': Number(new URL(server.storeAddress).port),
    }
    const proxy = await opened(startProxy(ports))
    server.storeAddress = 'http://store.test'
    const proxies = proxiesOf({ HTTP_PROXY: `http://me:s%40y@127.0.0.1:${proxy.port}` })
    const { path } = await pullOcto({ endpoint: 'http://hub.test', proxies, token: TOKEN })
    expect(existsSync(join(path, CHECKPOINT))).toBe(true)
    const hosts = proxy.asked.map(({ line }) => /^(?:HEAD|GET) http:\/\/(\w+)\.test\//.exec(line)?.[1])
    expect(new Set(hosts)).toEqual(new Set(['hub', 'store']))
    const account = `Basic ${Buffer.from('me:s@y').toString('base64')}`
    expect(new Set(proxy.asked.map(({ authorization }) => authorization))).toEqual(new Set([account]))
    expect(server.seen.filter(({ host }) => host === 'store').every(({ token }) => token === undefined)).toBe(true)
  })

  it('is not asked for what NO_PROXY names', async () => {
    publishOcto(server)
    const proxy = await opened(startProxy({}))
    await pullOcto({ proxies: proxiesOf({ http_proxy: proxy.address, no_proxy: '127.0.0.1' }) })
    expect(proxy.asked).toEqual([])
  })

  it.each([407, 403])(
    'that refuses the tunnel (%i) is named, without its password, and not asked again',
    async (status) => {
      const proxy = await opened(startProxy({}, status))
      const proxies = proxiesOf({ HTTPS_PROXY: `http://me:word@127.0.0.1:${proxy.port}` })
      const message = await failure(pullOcto({ endpoint: 'https://hub.test', proxies }))
      expect(message).toContain(`HTTPS_PROXY: its proxy http://127.0.0.1:${proxy.port} does not lead to hub.test`)
      expect(message).toContain(String(status))
      expect(message).not.toContain('me:word')
      expect(proxy.asked.map(({ line }) => line)).toEqual(['CONNECT hub.test:443'])
    },
  )

  it('that is not there is named', async () => {
    const proxy = await startProxy({})
    await proxy.stop()
    const proxies = proxiesOf({ https_proxy: proxy.address })
    expect(await failure(pullOcto({ endpoint: 'https://hub.test', proxies }))).toContain(
      `hub.test cannot be reached by way of https_proxy, ${proxy.address} (ECONNREFUSED), 2 times in a row`,
    )
  })
})

describe('a Git LFS pointer', () => {
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'4d'.repeat(32)}\nsize 546684672\n`

  it('in place of a file is refused and leaves nothing', async () => {
    publishOcto(server)
    server.repositories.get(REPOSITORY)!.files.set(CHECKPOINT, Buffer.from(pointer))
    const message = await failure(pullOcto())
    expect(message).toMatch(
      /^InputError .*300000\/default\/checkpoint: is a Git LFS pointer, not the file.*HF_ENDPOINT$/,
    )
    const blobs = readdirSync(join(home, 'hub', 'models--rail-berkeley--octo-small-1.5', 'blobs'))
    expect(
      blobs.filter(
        (name) =>
          readFileSync(join(home, 'hub', 'models--rail-berkeley--octo-small-1.5', 'blobs', name), 'utf8') === pointer,
      ),
    ).toEqual([])
  })

  it('in the folder that a pull fills is named', async () => {
    publishOcto(server)
    const target = join(home, 'usb', CHECKPOINT)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, pointer)
    const pulled = pull('octo-small', { settings: settingsOf(server, home), patience, folder: join(home, 'usb') })
    expect(await failure(pulled)).toContain(
      `${target}: is a Git LFS pointer, not the file of 546684672 bytes. Delete it`,
    )
  })

  it('is named by every reader of published files', async () => {
    const file = (name: string) => {
      writeFileSync(join(home, name), pointer)
      return join(home, name)
    }
    const readers = [
      () => openSafetensors(file('model.safetensors')),
      () => openFlax(file('checkpoint')),
      () => readJson(file('config.json'), 'no'),
      () => loadTokenizer(dirname(file('tokenizer.json'))),
    ]
    for (const read of readers) expect(await failure(read())).toContain('is a Git LFS pointer, not the file')
  })
})

it.skipIf(!existsSync('/dev/full'))(
  'a disk that fills up is said in a line, and nothing has the final name',
  async () => {
    publishOcto(server)
    const folder = join(home, 'usb')
    const target = join(folder, CHECKPOINT)
    mkdirSync(dirname(target), { recursive: true })
    symlinkSync('/dev/full', `${target}.incomplete`)
    const message = await failure(pull('octo-small', { settings: settingsOf(server, home), patience, folder }))
    expect(message).toBe(`InputError ${target}: the disk is full. Make room, or set HF_HOME to another disk`)
    expect(existsSync(target)).toBe(false)
  },
)
