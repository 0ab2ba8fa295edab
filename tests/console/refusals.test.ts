/** @file Who must not reach the robot: each is turned away, the journal says so, and nothing moves. */
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { LIMITS } from '../../src/console/protocol.ts'
import { doorFor } from '../../src/console/server/guards.ts'
import { namesFor } from '../../src/console/server/names.ts'
import { ConsoleServer } from '../../src/console/server/server.ts'
import { Page } from './page.ts'
import { moving, Stage } from './stage.ts'

const TOKEN = 'a-token-of-some-length'
const PUSH = [1, 1, 1, 0, 0, 0] as const

/** What the server answers to a request with these headers. */
function ask(address: string, path: string, headers: Record<string, string> = {}) {
  const { hostname, port } = new URL(address)
  return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>((resolve, reject) => {
    const asking = request({ hostname, port, path, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks).toString() }),
      )
    })
    asking.on('error', reject)
    asking.end()
  })
}

describe('a console on this machine', () => {
  let stage: Stage
  let operator: Page // has control, and the robot holds under the hand
  let refusals: number
  beforeAll(async () => {
    stage = await Stage.open()
    stage.plan = () => [0, 0, 0, 0, 0, 0, 0] // so that every motion has another cause
    operator = await Page.open(stage.server.address)
    await operator.takeControl()
  }, 60_000)
  afterAll(() => stage.close())

  beforeEach(() => {
    stage.executed.length = 0
    refusals = refused().length
  })

  const refused = () => stage.journal.filter(({ what }) => what === 'refused')
  /** A while later: the robot has been stepped, and no step moved. */
  async function nothingMoves() {
    await sleep(300)
    expect(stage.executed.length).toBeGreaterThan(0)
    expect(stage.executed.filter(moving)).toEqual([])
  }

  it.each([
    ['another site', { origin: 'http://evil.example' }],
    ['the same machine, another port', { origin: 'http://127.0.0.1:1' }],
    ['a file', { origin: 'null' }],
    ['a name that points here', { host: 'evil.example', origin: 'http://evil.example' }],
    ['a longer name', { host: '127.0.0.1.evil.example', origin: 'http://127.0.0.1.evil.example' }],
  ])('refuses a connection from %s', async (_, headers) => {
    await expect(Page.open(stage.server.address, { headers })).rejects.toThrow('403')
    expect(refused().length).toBe(refusals + 1)
    await nothingMoves()
  })

  it('refuses a connection that does not say where it comes from', async () => {
    const { status } = await ask(stage.server.address, '/live', {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    })
    expect(status).toBe(403)
    expect(refused().at(-1)).toMatchObject({ why: 'there is no Origin', path: '/live' })
  })

  it('refuses requests for another name, or from another page', async () => {
    const { address } = stage.server
    expect((await ask(address, '/api/runs', { host: 'evil.example' })).status).toBe(403)
    expect((await ask(address, '/api/runs', { origin: 'http://evil.example' })).status).toBe(403)
    expect((await ask(address, '/api/runs', { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect((await ask(address, '/', { host: 'evil.example' })).status).toBe(403)
    expect(refused().length).toBe(refusals + 4)
  })

  it('lets no second operator in, who sees who has control', async () => {
    const second = await Page.open(stage.server.address)
    second.send({ kind: 'name', name: 'Second' })
    second.send({ kind: 'control', action: 'request' })
    const { holder } = await second.until('control', ({ waiting }) => waiting.some(({ name }) => name === 'Second'))
    expect(holder?.client).toBe(operator.all('hello')[0]?.client)
    second.input(PUSH)
    for (const kind of ['pause', 'resume', 'clear', 'undo', 'confirm'] as const) second.send({ kind })
    second.send({ kind: 'command', text: 'move up', source: 'typed' })
    second.send({ kind: 'verdict', verdict: 'success' })
    second.send({ kind: 'record', action: 'start', task: 'pick' })
    second.send({ kind: 'speed', speed: 100 })
    await second.until('refused', ({ what }) => what === 'speed')
    const expected = ['input', 'pause', 'resume', 'clear', 'undo', 'confirm', 'command', 'verdict', 'record', 'speed']
    expect(second.all('refused').map(({ what }) => what)).toEqual(expected)
    expect(refused().length).toBe(refusals + expected.length)
    second.close()
    await nothingMoves()
  })

  it('refuses what is malformed, and closes the line when there is no end of it', async () => {
    const page = await Page.open(stage.server.address, { pings: false })
    for (const text of ['', '{', '[]', '{"kind":"input"}', '{"kind":"stop","now":true}']) page.socket.send(text)
    page.socket.send(Buffer.from([1, 2, 3]))
    await page.until('refused', () => page.all('refused').length === 6)
    expect(page.closed).toBeNull()
    for (let i = 0; i < 10; i++) page.socket.send('noise')
    while (!page.closed) await sleep(10)
    expect(page.closed.code).toBe(1008)
    expect(refused().length).toBeGreaterThanOrEqual(refusals + 11)
    await nothingMoves()
  })

  it('refuses a message that is too large, and closes the line', async () => {
    const page = await Page.open(stage.server.address, { pings: false })
    page.socket.send(JSON.stringify({ kind: 'name', name: 'x'.repeat(LIMITS.messageBytes) }))
    while (!page.closed) await sleep(10)
    expect(page.closed.code).toBe(1009)
    expect(refused().length).toBe(refusals + 1)
    await nothingMoves()
  })

  it('refuses a flood, and closes the line', async () => {
    const page = await Page.open(stage.server.address, { pings: false })
    for (let i = 0; i <= 2 * LIMITS.messagesPerSecond; i++) page.input(PUSH)
    while (!page.closed) await sleep(10)
    expect(page.closed.code).toBe(1008)
    await nothingMoves()
  })

  it('refuses an input that is late out of turn, or comes twice', async () => {
    const at = (seq: number, axes = PUSH) =>
      operator.send({ kind: 'input', seq, t: performance.now(), axes: [...axes], gripper: 0, hold: false })
    at(10)
    at(10)
    at(9)
    await operator.until('refused', () => operator.all('refused').length === 2)
    expect(refused().length).toBe(refusals + 2)
  })

  it('takes no more pages than it can serve', async () => {
    const pages: Page[] = []
    while (pages.length < LIMITS.clients - 1) pages.push(await Page.open(stage.server.address, { pings: false }))
    await expect(Page.open(stage.server.address)).rejects.toThrow('403')
    for (const page of pages) page.close()
    while (pages.some(({ closed }) => !closed)) await sleep(10)
  })

  it('gives no file outside its page, and no run outside its folder', async () => {
    const { address } = stage.server
    expect((await ask(address, '/')).body).toContain('<title>console</title>')
    const paths = [
      '/../secret.txt',
      '/..%2fsecret.txt',
      '/%2e%2e/secret.txt',
      '/assets/../../secret.txt',
      '/..%5csecret.txt',
      '/secret.txt',
      '/api/runs/..%2f..',
      '/api/runs/..',
      '/api/runs/.',
      '/api/runs/run/..%2flog/episodes',
      '/api/runs/run/online/episodes/..%2f0',
      '/api/runs/run/online/episodes/0/frames/0/__proto__',
      '/api/nothing',
    ]
    for (const path of paths) {
      const { status, body } = await ask(address, path)
      expect(status, path).toBe(404)
      expect(body).not.toContain('not for pages')
    }
    expect((await ask(address, '/%')).status).toBe(400)
  })

  it('sends headers that keep foreign scripts out and the page out of foreign frames', async () => {
    for (const path of ['/', '/api/runs', '/api/nothing']) {
      const { headers } = await ask(stage.server.address, path)
      expect(headers['content-security-policy']).toContain("default-src 'none'")
      expect(headers['content-security-policy']).toContain("frame-ancestors 'none'")
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'same-origin',
      })
    }
  })
})

describe('a console with a token', () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await Stage.open({ console: { token: TOKEN }, run: false })
  }, 60_000)
  afterAll(() => stage.close())

  it.each([
    ['none', ''],
    ['a wrong one', '?token=a-token-of-some-lengtH'],
    ['a shorter one', '?token=a-token'],
    ['a longer one', `?token=${TOKEN}x`],
    ['an empty one', '?token='],
  ])('refuses %s', async (_, query) => {
    const { origin } = new URL(stage.server.address)
    await expect(Page.open(`${origin}/${query}`)).rejects.toThrow('403')
    expect((await ask(origin, `/api/runs${query}`)).status).toBe(403)
    expect(stage.journal.at(-1)).toMatchObject({ what: 'refused', why: 'the token is missing or wrong' })
    expect(JSON.stringify(stage.journal)).not.toContain(TOKEN)
  })

  it('lets those in who know it', async () => {
    const { address } = stage.server
    expect(address).toContain(`?token=${TOKEN}`)
    const page = await Page.open(address)
    await page.until('hello')
    page.close()
    expect((await ask(address, `/api/runs?token=${TOKEN}`)).status).toBe(200)
  })
})

describe('the door', () => {
  it('asks for a token wherever others can knock, and draws one that nobody guesses', () => {
    expect(doorFor(namesFor('127.0.0.1')).token).toBeNull()
    const drawn = [doorFor(namesFor('0.0.0.0')).token!, doorFor(namesFor('192.168.1.7')).token!]
    for (const token of drawn) expect(token.length).toBeGreaterThanOrEqual(32)
    expect(drawn[0]).not.toBe(drawn[1])
  })

  it('takes no short token', () => {
    expect(() => doorFor(namesFor('0.0.0.0'), 'short')).toThrow(/--token.*at least 16/)
  })

  it('says so when its port is taken', async () => {
    const stage = await Stage.open({ run: false })
    const port = Number(new URL(stage.server.address).port)
    const { observer } = stage
    await expect(ConsoleServer.open({ observer, library: null as never, page: '', port })).rejects.toThrow(
      /is taken.*--port/,
    )
    await stage.close()
  }, 60_000)

  it('says so when its address is none of this machine', async () => {
    const open = ConsoleServer.open({
      observer: { broadcast: { seat: () => {} } } as never,
      library: null as never,
      page: '',
      port: 0,
      host: '192.0.2.1', // of documentation's, RFC 5737
    })
    await expect(open).rejects.toThrow(/cannot be opened.*--host/)
  })
})
