/** @file The page's line to its server, over a socket made by hand. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { PROTOCOL_VERSION } from '../../src/console/protocol.ts'
import { Connection } from '../../src/console/web/link/connection.ts'

const sockets: Socket[] = []
class Socket {
  static readonly OPEN = 1
  readyState = 0
  readonly sent: { kind: string; t?: number }[] = []
  onopen = () => {}
  onmessage = (_: { data: string }) => {}
  onclose = () => {}
  constructor() {
    sockets.push(this)
  }
  open() {
    this.readyState = 1
    this.onopen()
  }
  send(text: string) {
    this.sent.push(JSON.parse(text))
  }
  hear(event: object) {
    this.onmessage({ data: JSON.stringify(event) })
  }
  close() {
    this.readyState = 2
  }
}
const line = () => sockets.at(-1)!
const hello = (client: string) => ({ kind: 'hello', protocol: PROTOCOL_VERSION, client })
const stops = () => sockets.map(({ sent }) => sent.filter(({ kind }) => kind === 'stop').length)

beforeEach(() => {
  sockets.length = 0
  vi.useFakeTimers()
  vi.stubGlobal('WebSocket', Socket)
  vi.stubGlobal('document', { hidden: false, addEventListener: () => {} })
  vi.stubGlobal('localStorage', { getItem: () => null })
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

const connect = () => {
  const connection = new Connection('ws://console/live')
  line().open()
  line().hear(hello('1'))
  return connection
}
/** The server answers what was asked of it until now. */
const answer = () => {
  for (const { kind, t } of line().sent.splice(0)) if (kind === 'ping') line().hear({ kind: 'pong', t, serverTime: 0 })
}

it('says that its server is of another version, and heeds nothing of it until one of its own greets it', () => {
  const { model } = new Connection('ws://console/live')
  const hear = (event: object) => line().hear(event)
  hear({ kind: 'hello', protocol: PROTOCOL_VERSION + 1, client: '1' })
  for (const kind of ['robot', 'of that version']) hear({ kind })
  expect(model.get()).toMatchObject({ link: 'outdated', hello: null, robot: null })
  hear(hello('2'))
  hear({ kind: 'coach', line: 'Watch first' })
  expect(model.get()).toMatchObject({ link: 'open', hello: { client: '2' }, coach: 'Watch first' })
})

describe('a line that was cut', () => {
  it('is lost after two seconds without a word, and another one is begun', () => {
    const { model } = connect()
    vi.advanceTimersByTime(2000)
    expect([model.get().link, sockets.length]).toEqual(['open', 1])
    vi.advanceTimersByTime(1000)
    expect([model.get().link, sockets.length]).toEqual(['lost', 2])
  })

  it('is given up where it does not open within five seconds, and once it has opened has two to say a word', () => {
    const { model } = connect()
    line().onclose()
    vi.advanceTimersByTime(5000)
    expect(sockets.length).toBe(2)
    vi.advanceTimersByTime(1500)
    expect(sockets.length).toBe(3)
    vi.advanceTimersByTime(4900)
    line().open()
    vi.advanceTimersByTime(1500)
    expect(sockets.length).toBe(3)
    line().hear(hello('2'))
    expect(model.get().link).toBe('open')
  })
})

describe('a stop', () => {
  it('that the line swallowed goes out again over the next one, until the server has answered what came after it', () => {
    connect().ask({ kind: 'stop' })
    expect(stops()).toEqual([1])
    vi.advanceTimersByTime(3000)
    line().open()
    line().hear(hello('2'))
    expect(stops()).toEqual([1, 1])
    vi.advanceTimersByTime(500)
    answer()
    line().hear(hello('2')) // another robot comes into focus
    expect(stops().at(-1)).toBe(0)
  })

  it('that the server has answered is not sent again over another line', () => {
    const connection = connect()
    vi.advanceTimersByTime(10)
    connection.ask({ kind: 'stop' })
    vi.advanceTimersByTime(500)
    answer()
    line().onclose()
    vi.advanceTimersByTime(250)
    line().open()
    line().hear(hello('2'))
    expect(stops().at(-1)).toBe(0)
  })

  it('that is pressed while there is no line goes out as soon as there is one, and the page says so', () => {
    const connection = connect()
    line().onclose()
    connection.ask({ kind: 'stop' })
    expect(connection.model.get().notices.at(-1)!.words).toMatch(/the stop goes out once there is one/)
    vi.advanceTimersByTime(250)
    line().open()
    expect(stops()).toEqual([0, 0])
    line().hear(hello('2'))
    expect(stops()).toEqual([0, 1])
  })
})
