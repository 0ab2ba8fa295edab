/** @file What the wire of rosbridge may bring, and what then becomes of the connection. */
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { InputError, LostError } from '../../../src/errors.ts'
import { Bridge } from '../../../src/robots/ros/bridge.ts'

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

/** A server that says what it is told to. `heard`: what it was sent, in order. */
async function peer() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await new Promise((resolve) => server.once('listening', resolve))
  const heard: Record<string, unknown>[] = []
  const connected = new Promise<WebSocket>((resolve) => server.once('connection', resolve))
  void connected.then((socket) => socket.on('message', (data) => heard.push(JSON.parse(data.toString()))))
  const lost: string[] = []
  const refused: string[] = []
  const bridge = await Bridge.connect(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, 10_000, {
    lost: (why) => lost.push(why),
    refused: (what) => refused.push(what),
  })
  ends.push(() => {
    void bridge.close()
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  return { bridge, socket: await connected, heard, lost, refused }
}

const soon = (check: () => void) => vi.waitFor(check, { timeout: 10_000 })

describe('a connection to rosbridge', () => {
  it('speaks its protocol: one subscription a topic, of which the newest message is wanted', async () => {
    const { bridge, heard, socket } = await peer()
    const seen: unknown[] = []
    for (const who of ['a', 'b']) bridge.subscribe('/joints', 'sensor_msgs/JointState', 25, (m) => seen.push([who, m]))
    bridge.advertise('/aim', 'geometry_msgs/PoseStamped')
    expect(bridge.publish('/aim', { pose: {} })).toBe(true)
    await soon(() => expect(heard).toHaveLength(3))
    expect(heard[0]).toMatchObject({ op: 'subscribe', topic: '/joints', type: 'sensor_msgs/JointState' })
    expect(heard[0]).toMatchObject({ throttle_rate: 25, queue_length: 1 })
    expect(heard[1]).toMatchObject({ op: 'advertise', topic: '/aim', type: 'geometry_msgs/PoseStamped' })
    expect(heard[2]).toEqual({ op: 'publish', topic: '/aim', msg: { pose: {} } })
    socket.send(JSON.stringify({ op: 'publish', topic: '/joints', msg: { name: [] } }))
    await soon(() =>
      expect(seen).toEqual([
        ['a', { name: [] }],
        ['b', { name: [] }],
      ]),
    )
  })

  it('gives a service its answer by id, and its refusal as an error', async () => {
    const { bridge, heard, socket } = await peer()
    const calls = [bridge.call('/a', {}, 10_000), bridge.call('/b', { data: true }, 10_000)]
    await soon(() => expect(heard).toHaveLength(2))
    const answer = (i: number, values: unknown, result: boolean) =>
      socket.send(
        JSON.stringify({ op: 'service_response', id: heard[i]!.id, service: heard[i]!.service, values, result }),
      )
    answer(1, 'no such service', false)
    answer(0, { success: true }, true)
    expect(await calls[0]).toEqual({ success: true })
    await expect(calls[1]).rejects.toThrow('service /b: was refused: no such service')
  })

  it('does not wait for a service for ever, nor for one behind a lost connection', async () => {
    const { bridge, socket } = await peer()
    await expect(bridge.call('/a', {}, 50)).rejects.toThrow(InputError)
    const call = bridge.call('/a', {}, 10_000)
    socket.terminate()
    await expect(call).rejects.toThrow(LostError)
  })

  it('tells of a status of level error, and of no other', async () => {
    const { socket, refused, lost } = await peer()
    socket.send(JSON.stringify({ op: 'status', level: 'warning', msg: 'a field is missing' }))
    socket.send(JSON.stringify({ op: 'status', level: 'error', msg: 'no such type' }))
    await soon(() => expect(refused).toEqual(['no such type']))
    expect(lost).toEqual([])
  })

  it.each([
    ['a fragment', '{"op":"fragment","id":"1","data":"{","num":0,"total":2}', '"fragment", which nobody asked for'],
    ['a PNG', '{"op":"png","data":"iVBO"}', '"png", which nobody asked for'],
    ['no JSON, as a bare NaN is', '{"op":"publish","topic":"/a","msg":{"x":NaN}}', 'no JSON'],
    ['bytes', Buffer.from([1, 2]), 'a binary message'],
  ])('ends at %s, and sends nothing more', async (_, text, words) => {
    const { bridge, socket, lost, heard } = await peer()
    socket.send(text)
    await soon(() => expect(lost).toEqual([expect.stringContaining(words)]))
    expect(bridge.publish('/aim', {})).toBe(false)
    await soon(() => expect(socket.readyState).toBe(socket.CLOSED))
    expect(heard).toEqual([])
  })
})
