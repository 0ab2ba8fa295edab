/** @file Whoever is turned away at the door, however they go, ends nothing: what a robot's process serves must not end it. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { RunObserver } from '../../src/console/server/observer.ts'
import { ConsoleServer } from '../../src/console/server/server.ts'

const observer = new RunObserver({ replay: 'none' })
const stray: unknown[] = []
const note = (error: unknown) => void stray.push(error)
let others: NodeJS.UncaughtExceptionListener[]
let server: ConsoleServer

beforeAll(async () => {
  server = await ConsoleServer.open({ observer, library: null as never, page: '', port: 0 })
})
afterAll(async () => {
  observer.close()
  await server.close()
})
beforeEach(() => {
  stray.length = 0
  others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException').on('uncaughtException', note)
})
afterEach(() => {
  process.off('uncaughtException', note)
  for (const listener of others) process.on('uncaughtException', listener)
})

/** Asks for a connection like a page's, as any program and any page of another site can. */
function knock(path: string): Socket {
  const { hostname, port } = new URL(server.address)
  const line = connect(Number(port), hostname).on('error', () => {})
  line.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`)
  return line
}

it.each(['//', 'http://[', '/\\'])('refuses a connection to what is no address, %s', async (path) => {
  const line = knock(path)
  const heard = await Promise.race([once(line, 'data'), sleep(5000)])
  line.destroy()
  expect([String(heard?.[0]).split('\r\n')[0], stray]).toEqual(['HTTP/1.1 403 Forbidden', []])
})

it('says of a request for what is no address that it is malformed', async () => {
  const { hostname, port } = new URL(server.address)
  const line = connect(Number(port), hostname)
  line.write(`GET // HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`)
  const [heard] = await once(line, 'data')
  expect(String(heard)).toMatch(/^HTTP\/1.1 400 /)
})

it('outlives who is refused and cuts the line before they hear of it', async () => {
  for (let times = 0; times < 10; times++) {
    const line = knock('/live')
    await sleep(5 * (times % 3))
    line.resetAndDestroy()
  }
  await sleep(200)
  expect(stray).toEqual([])
})
