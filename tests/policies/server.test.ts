/** @file A policy server and the client of this program: what steers, what is refused, whose state is whose. */
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RawData, WebSocket, WebSocketServer } from 'ws'
import { NumpyArray, numbersOf, type PackableMap, pack, unpack } from '../../src/formats/msgpack.ts'
import { openPolicyOf } from '../../src/policies/file.ts'
import type { FiledPolicy } from '../../src/policies/filed-policy.ts'
import { parseNames, wireNames } from '../../src/policies/names.ts'
import { RemotePolicy } from '../../src/policies/remote-policy.ts'
import { ClientEpisode, type ServedPolicy } from '../../src/policies/serve/client-episode.ts'
import { type PolicyServer, servePolicy } from '../../src/policies/serve/server.ts'
import { defaultLimits } from '../../src/robot/guard.ts'
import { anObservation, aPolicy, config, spec } from './a-policy.ts'

let policy: FiledPolicy
let server: PolicyServer
let served: ServedPolicy
beforeAll(async () => {
  const { network, about } = await aPolicy({ sees: 'h' })
  policy = await openPolicyOf('memory', network, about)
  const limits = { ...defaultLimits, force: 100, change: 0.01 }
  served = { policy, spec, limits, names: wireNames(['front', 'wrist']), seed: 0, spread: 0.5 }
  server = await servePolicy(served, { host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await server.close()
  await policy.release()
})

const { images, proprio } = anObservation(7)
const [task] = config.tasks
const noise = NumpyArray.floats(new Float32Array(7).fill(0.3))
const observation: PackableMap = {
  'observation/front': NumpyArray.bytes(images.front.data, [128, 128, 3]),
  'observation/wrist': NumpyArray.bytes(images.wrist.data, [128, 128, 3]),
  'observation/state': NumpyArray.floats(proprio),
  prompt: spec.tasks[task!]!.instruction,
  noise,
}

/** As a client of openpi: the metadata first, then a message and an answer by turns. */
async function aClient() {
  const socket = new WebSocket(server.address)
  const [metadata] = (await once(socket, 'message')) as [RawData]
  const ask = async (message: PackableMap | string) => {
    const next = once(socket, 'message')
    socket.send(typeof message === 'string' ? message : pack(message))
    const [data, isBinary] = (await next) as [Buffer, boolean]
    return isBinary ? (unpack(data, 'answer') as Map<string, never>) : String(data)
  }
  const actionOf = async (message: PackableMap) =>
    numbersOf(((await ask(message)) as Map<string, NumpyArray>).get('actions')!, 'actions')
  return { socket, ask, actionOf, metadata: unpack(metadata as Buffer, 'metadata') as Map<string, string> }
}

describe('a policy server', () => {
  it('tells that it lives, and whose policy it has', async () => {
    const health = await fetch(`${server.address.replace('ws', 'http')}/healthz`)
    expect([health.status, await health.text()]).toEqual([200, 'OK\n'])
    const { metadata, socket } = await aClient()
    expect(JSON.parse(metadata.get('duet')!).robot.name).toBe(spec.name)
    socket.close()
  })

  it('answers by the policy within the limits, each client from where it was itself', async () => {
    const [one, other] = [await aClient(), await aClient()]
    const free = (
      await policy.answer({ state: proprio, seen: { images, task: task! }, noise: new Float32Array(7).fill(0.3) })
    ).primary
    const within = (steps: number) =>
      [...free.subarray(0, 6)].map((x) => Math.fround(Math.max(-0.01 * steps, Math.min(0.01 * steps, x))))
    const motion = async (client: typeof one, extra = {}) => [
      ...(await client.actionOf({ ...observation, ...extra })).subarray(0, 6),
    ]
    const expectMotion = (got: number[], want: number[]) => {
      for (const [i, x] of want.entries()) expect(got[i]).toBeCloseTo(x, 6)
    }
    expect(Math.max(...free.map(Math.abs))).toBeGreaterThan(0.03)
    expectMotion(await motion(one), within(1))
    expectMotion(await motion(one), within(2))
    expectMotion(await motion(other), within(1))
    expectMotion(await motion(one, { reset: true }), within(1))
    for (const { socket } of [one, other]) socket.close()
  })

  it('is steered by words, says which it does not understand, and stops by one until a new episode', async () => {
    const { ask, socket } = await aClient()
    const told = async (command: string, extra = {}) => {
      const answer = (await ask({ ...observation, command, ...extra })) as Map<string, unknown>
      return {
        actor: answer.get('actor'),
        command: answer.get('command'),
        refused: answer.get('refused'),
        still: [...numbersOf(answer.get('actions') as NumpyArray, 'a')].slice(0, 6).every((x) => x === 0),
      }
    }
    expect(await told('a bit to the left')).toMatchObject({ actor: 'refinement', command: 'move left', still: false })
    expect(await told('sing a song')).toMatchObject({ actor: 'primary', refused: expect.any(String), still: false })
    expect(await told('wait')).toMatchObject({ actor: 'hold', still: true })
    expect(await told('move left')).toMatchObject({ actor: 'refinement', still: false })
    expect(await told('stop')).toMatchObject({ actor: 'hold', still: true })
    expect(await told('move left')).toMatchObject({ actor: 'hold', still: true })
    expect(await told('move left', { reset: true })).toMatchObject({ actor: 'refinement', still: false })
    socket.close()
  })

  it('stands still with its gripper as it is asked for, and forgets that with the episode', async () => {
    const { actionOf, socket } = await aClient()
    const at = spec.channels.findIndex(({ role }) => role === 'grip')
    const told = (grip: number, extra: PackableMap = {}) =>
      actionOf({
        ...observation,
        'observation/state': NumpyArray.floats(proprio.map((x, i) => (i === at ? grip : x))),
        command: 'wait',
        ...extra,
      })
    expect((await told(1))[6]).toBe(1)
    expect((await told(0))[6]).toBe(1)
    expect((await told(0, { reset: true }))[6]).toBe(0)
    expect((await told(-1))[6]).toBe(-1)
    socket.close()
  })

  it('leads nothing out of the work box, and tells why it does not act where the force is too large', async () => {
    const at = proprio.slice(0, 3)
    const workBox = { low: at.map((x) => x - 1e-4), high: at.map((x) => x + 1e-4) } as never
    const limits = { ...defaultLimits, force: 100, workBox }
    const action = async (state: Float32Array) => {
      const episode = new ClientEpisode({ ...served, limits }, 0)
      const message = unpack(pack({ ...observation, 'observation/state': NumpyArray.floats(state) }), 'message')
      return numbersOf((await episode.answer(message)).actions as NumpyArray, 'actions')
    }
    const most = 1e-4 / spec.actionScale.translation
    const got = await action(proprio)
    for (const axis of [0, 1, 2]) expect(Math.abs(got[axis]!)).toBeLessThan(1.01 * most)
    expect(Math.max(...got.subarray(3, 6).map(Math.abs))).toBeGreaterThan(most)
    const force = spec.channels.findIndex(({ role }) => role === 'force.x')
    await expect(action(proprio.with(force, 60).with(force + 1, -90))).rejects.toThrow(/no action, .*108/)
  })

  it('puts a state of several parts together in the order of their names', async () => {
    const names = wireNames(['front', 'wrist'], { state: ['joints', 'rest'] })
    const whole = new ClientEpisode(served, 0)
    const parted = new ClientEpisode({ ...served, names }, 0)
    const { 'observation/state': _, ...others } = observation
    const [joints, rest] = [proprio.slice(0, 6), proprio.slice(6)].map((part) => NumpyArray.floats(part))
    const answer = async (episode: ClientEpisode, message: PackableMap) =>
      (await episode.answer(unpack(pack(message), 'message'))).embedding
    expect(await answer(parted, { ...others, rest, joints })).toEqual(await answer(whole, observation))
  })

  it('draws noise where a client sends none, for each client its own, as wide as it is told', async () => {
    const { noise: _, ...silent } = observation
    const first = async (client: number, spread: number) => {
      const limits = { ...served.limits, change: 1 }
      const answer = await new ClientEpisode({ ...served, limits, spread }, client).answer(unpack(pack(silent), 'x'))
      return [...numbersOf(answer.actions as NumpyArray, 'actions')]
    }
    expect(await first(0, 0.5)).toEqual(await first(0, 0.5))
    expect(await first(1, 0.5)).not.toEqual(await first(0, 0.5))
    const still = await policy.answer({ state: proprio, seen: { images, task: task! }, noise: new Float32Array(7) })
    const quiet = await first(0, 0)
    for (const [i, x] of [...still.primary.subarray(0, 6)].entries()) expect(quiet[i]).toBeCloseTo(x, 6)
  })

  it.each([
    ['a key that is missing', { 'observation/wrist': undefined }, 'observation/wrist: is missing'],
    [
      'a picture of another size',
      { 'observation/wrist': NumpyArray.bytes(new Uint8Array(12), [2, 2, 3]) },
      'is |u1 [2,2,3]',
    ],
    ['readings of another robot', { 'observation/state': NumpyArray.floats(new Float32Array(3)) }, 'has 3 entries'],
    [
      'a reading that is no number',
      { 'observation/state': NumpyArray.floats(proprio.map((x, i) => (i === 4 ? Number.NaN : x))) },
      'reads NaN',
    ],
    ['a task that was never learned', { prompt: 'juggle' }, 'is "juggle", which the policy never learned'],
    ['noise that is none', { noise: NumpyArray.floats(new Float32Array(7).fill(Number.NaN)) }, 'noise: has'],
    ['a command that is no text', { command: 3 }, 'command: is no text'],
  ])('answers %s with the reason, and ends the connection', async (_, wrong, why) => {
    const { ask, socket } = await aClient()
    const closed = once(socket, 'close')
    expect(await ask({ ...observation, ...wrong })).toContain(why)
    expect((await closed)[0]).toBe(1011)
  })

  it('is asked under other names', () => {
    const names = wireNames(['front'], parseNames(['front=observation/image', 'state=a,b']))
    expect(names).toMatchObject({ cameras: { front: 'observation/image' }, state: ['a', 'b'], prompt: 'prompt' })
    expect(() => wireNames(['front'], { side: 'x' })).toThrow('"side": is nothing that is sent')
    expect(() => wireNames(['front'], { front: 'prompt' })).toThrow('stands for two things')
    expect(() => parseNames(['front'])).toThrow('ours=theirs')
  })
})

const settings = (address: string) => ({ server: address, steps: 2, patience: 1, names: {} })
const sighting = (afresh: boolean) => ({ observation: { images, proprio, time: 0 }, task: task!, afresh })
const seen = { h: new Float32Array(), features: [], proprio }
const xi = new Float32Array(7).fill(0.3)

describe('the client', () => {
  it('has the plan of a server of ours, words included', async () => {
    const remote = await RemotePolicy.connect(settings(server.address), spec)
    const client = await aClient()
    expect(remote.followsCommands).toBe(true)
    expect(await remote.primary(seen, xi, sighting(true))).toEqual(
      await client.actionOf({ ...observation, reset: true }),
    )
    expect(await remote.refined(seen, 'move up', xi, sighting(false))).toEqual(
      await client.actionOf({ ...observation, command: 'move up' }),
    )
    expect(await remote.refined(seen, 'move up', xi, sighting(true))).toEqual(
      await client.actionOf({ ...observation, command: 'move up' }), // of the same moment as the plan: nothing begins
    )
    expect(await remote.primary(seen, xi, sighting(true))).toEqual(
      await client.actionOf({ ...observation, reset: true }),
    )
    client.socket.close()
    await remote.release()
  })

  it('is refused a policy for another robot', async () => {
    const other = { ...spec, channels: spec.channels.slice(1) }
    await expect(RemotePolicy.connect(settings(server.address), other)).rejects.toThrow('is of robot')
    const parted = { ...settings(server.address), names: { state: ['joints', 'gripper'] } }
    await expect(RemotePolicy.connect(parted, spec)).rejects.toThrow('plan.names.state: names 2 parts')
    await expect(RemotePolicy.connect(settings('http://here'), spec)).rejects.toThrow('no address of a websocket')
    await expect(RemotePolicy.connect(settings('ws://127.0.0.1:1'), spec)).rejects.toThrow('cannot be reached')
  })

  /** A server of somebody else, whose answers are these. */
  async function withStranger(
    answers: (PackableMap | PackableMap[] | string | null)[],
    use: (remote: RemotePolicy, asked: () => number) => Promise<void>,
  ) {
    const stranger = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    let asked = 0
    stranger.on('connection', (socket) => {
      socket.send(pack({}))
      socket.on('message', () => {
        const answer = answers[asked++] ?? null
        for (const one of answer === null ? [] : [answer].flat()) socket.send(typeof one === 'string' ? one : pack(one))
      })
    })
    await once(stranger, 'listening')
    const { port } = stranger.address() as { port: number }
    const remote = await RemotePolicy.connect(settings(`ws://127.0.0.1:${port}`), spec)
    await use(remote, () => asked)
    await remote.release()
    stranger.close()
  }
  const rows = (...values: number[]) => ({
    actions: NumpyArray.floats(Float32Array.from(values.flatMap((value) => new Array<number>(7).fill(value))), [
      values.length,
      7,
    ]),
  })

  it('takes as many actions of an answer as it is told, and drops the rest where they did not happen', () =>
    withStranger([rows(0.1, 0.2, 0.3), rows(0.4, 0.5), rows(0.6)], async (remote, asked) => {
      const next = async (afresh: boolean) => (await remote.primary(seen, xi, sighting(afresh)))[0]
      expect([await next(true), await next(false), await next(false)].map((x) => Math.round(10 * x!))).toEqual([
        1, 2, 4,
      ])
      expect(Math.round(10 * (await next(true))!)).toBe(6)
      expect(asked()).toBe(3)
      expect(remote.followsCommands).toBe(false)
    }))

  it('is given up where it answers twice: the second answer would be taken for that to the next question', () =>
    withStranger([[rows(0.1), rows(0.2)], rows(0.3)], async (remote, asked) => {
      await remote.primary(seen, xi, sighting(true))
      await setTimeout(100)
      const why = 'has sent a message that nobody asked for'
      await expect(remote.primary(seen, xi, sighting(true))).rejects.toThrow(why)
      expect(asked()).toBe(1)
    }))

  it.each([
    ['NaN in an action', rows(0.1, Number.NaN), 'have NaN in step 1'],
    ['actions of another width', { actions: NumpyArray.floats(new Float32Array(8), [1, 8]) }, 'are [1,8]'],
    ['no actions', { state: 1 }, 'answers without an array "actions"'],
    ['a traceback', 'Traceback\n  x\nValueError: wrong shape', 'refuses: ValueError: wrong shape'],
    ['silence', null, 'is silent for 1 s'],
  ])('passes nothing on where there is %s', (_, answer, why) =>
    withStranger([answer], (remote) => expect(remote.primary(seen, xi, sighting(true))).rejects.toThrow(why)),
  )
})
