/**
 * @file A policy server as openpi's clients know it: one websocket a client, a map of metadata at first, then an observation
 * and an answer by turns. What cannot be answered is told in a text, and the connection ends: nothing moves by it.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import { InputError, ShapeError } from '../../errors.ts'
import { pack, Real, unpack } from '../../formats/msgpack.ts'
import { ClientEpisode, type ServedPolicy } from './client-episode.ts'

const LARGEST_MESSAGE = 64 * 2 ** 20 // bytes: some pictures of some cameras
const FAILED = 1011

export type PolicyServer = { readonly address: string; close(): Promise<void> }

export type PolicyServerOptions = { host: string; port: number; onTrouble?: (client: number, why: string) => void }

/** `port` 0: any that is free. @throws InputError if it is taken */
export async function servePolicy(
  served: ServedPolicy,
  { host, port, onTrouble }: PolicyServerOptions,
): Promise<PolicyServer> {
  const http = createServer((request, response) => {
    if (request.url === '/healthz') response.writeHead(200, { 'content-type': 'text/plain' }).end('OK\n')
    else response.writeHead(426).end()
  })
  await listening(http, host, port)
  const sockets = new WebSocketServer({ server: http, perMessageDeflate: false, maxPayload: LARGEST_MESSAGE })
  const metadata = pack({ duet: JSON.stringify(served.policy.about) })
  let clients = 0
  sockets.on('connection', (socket) => {
    const client = clients++
    socket.on('error', () => {}) // followed by close
    socket.send(metadata)
    serveClient(socket, new ClientEpisode(served, client), (why) => onTrouble?.(client, why))
  })
  const { address, port: taken } = http.address() as AddressInfo
  return {
    address: `ws://${address}:${taken}`,
    async close() {
      for (const socket of sockets.clients) socket.terminate()
      sockets.close()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

const listening = (http: Server, host: string, port: number) =>
  new Promise<void>((resolve, reject) => {
    http.once('error', (cause) =>
      reject(
        new InputError(
          `policy server at ${host}:${port}`,
          `cannot be opened: ${cause.message}`,
          'Choose another port',
          { cause },
        ),
      ),
    )
    http.listen(port, host, resolve)
  })

/** One observation after the other, in the order in which they came. */
function serveClient(socket: WebSocket, episode: ClientEpisode, onTrouble: (why: string) => void): void {
  let before: Promise<void> = Promise.resolve()
  let total: number | undefined // ms, of the answer before this one
  const answer = async (data: RawData, isBinary: boolean, since: number) => {
    if (socket.readyState !== socket.OPEN) return
    try {
      if (!isBinary) throw new InputError('message', 'is a text', 'Send an observation as msgpack, in a binary message')
      const observation = unpack(data as Buffer, 'observation')
      const asked = performance.now()
      const answered = await episode.answer(observation)
      const took = new Real(performance.now() - asked)
      const timing = { infer_ms: took, ...(total !== undefined && { prev_total_ms: new Real(total) }) }
      socket.send(pack({ ...answered, policy_timing: { infer_ms: took }, server_timing: timing }))
      total = performance.now() - since
    } catch (error) {
      const told = error instanceof InputError || error instanceof ShapeError
      const why = told ? error.message : `the server failed: ${(error as Error).message}`
      onTrouble(why)
      socket.send(why)
      socket.close(FAILED, 'No answer. The reason stands in the message before.')
    }
  }
  socket.on('message', (data, isBinary) => {
    const since = performance.now()
    before = before.then(() => answer(data, isBinary, since))
  })
}
