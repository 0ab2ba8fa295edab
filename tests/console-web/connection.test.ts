/** @file The page's line to its server, over a socket made by hand. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { PROTOCOL_VERSION } from '../../src/console/protocol.ts'
import { Connection } from '../../src/console/web/link/connection.ts'

const sockets: Socket[] = []
class Socket {
  static readonly OPEN = 1
  readonly readyState = 1
  onmessage = (_: { data: string }) => {}
  constructor() {
    sockets.push(this)
  }
  send() {}
  hear(event: object) {
    this.onmessage({ data: JSON.stringify(event) })
  }
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('WebSocket', Socket)
  vi.stubGlobal('document', { hidden: false, addEventListener: () => {} })
  vi.stubGlobal('localStorage', { getItem: () => null })
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

it('says that its server is of another version, and heeds nothing of it until one of its own greets it', () => {
  const { model } = new Connection('ws://console/live')
  const hear = (event: object) => sockets.at(-1)!.hear(event)
  hear({ kind: 'hello', protocol: PROTOCOL_VERSION + 1, client: '1' })
  for (const kind of ['robot', 'of that version']) hear({ kind })
  expect(model.get()).toMatchObject({ link: 'outdated', hello: null, robot: null })
  hear({ kind: 'hello', protocol: PROTOCOL_VERSION, client: '2' })
  hear({ kind: 'coach', line: 'Watch first' })
  expect(model.get()).toMatchObject({ link: 'open', hello: { client: '2' }, coach: 'Watch first' })
})
