import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { McapIndexedReader } from '@mcap/core'
import { Command } from 'commander'
import protobuf from 'protobufjs'
import descriptor from 'protobufjs/ext/descriptor.js'
import sharp from 'sharp'
import { afterAll, expect, it, vi } from 'vitest'
import { register } from '../../../src/cli/export.ts'
import { exportMcap } from '../../../src/formats/mcap/export.ts'
import { EpisodeLog } from '../../../src/replay/log.ts'
import { writeEpisode } from '../../../src/replay/source.ts'
import { vector } from '../../../src/robot/channels.ts'
import type { Observation, RobotSpec } from '../../../src/robot/robot.ts'

const folder = mkdtempSync(join(tmpdir(), 'duet-mcap-'))
afterAll(() => rmSync(folder, { recursive: true }))
const log = join(folder, 'log')

const spec: RobotSpec = {
  name: 'an arm',
  rate: 10,
  cameras: {
    wrist: {
      width: 16,
      height: 16,
      mount: { mount: 'tool', position: [0, 0.05, 0], rotation: [1, 0, 0, 0], fovy: 1 },
    },
  },
  channels: [...vector('tcp', 'm', { of: 'position' }), ...vector('tcp.turn', 'rad', { of: 'turn' })],
  home: [0, 1, 0, 0],
  actionFrame: 'base',
  actionScale: { translation: 0.01, rotation: 0.05 },
  tasks: {},
}

/** A plain picture whose grey tells the time. */
const seen = (time: number, grey: number): Observation => ({
  time,
  proprio: Float32Array.of(0.5, 0, 0.25, 0, 0, 0),
  images: { wrist: { width: 16, height: 16, data: new Uint8Array(3 * 16 * 16).fill(grey) } },
})

const step = (
  index: number,
  rest: { actor: 'primary' | 'refinement' | 'operator'; command?: string; over?: true },
) => ({
  step: index,
  action: Float32Array.of(0.5, -0.25, 0, 0, 0, 0.125, 1),
  reward: rest.over ? 1 : 0,
  terminated: rest.over ?? false,
  truncated: false,
  actor: rest.actor,
  by: rest.over ? ('person' as const) : ('robot' as const),
  command: rest.command ?? null,
})

const sink = EpisodeLog.open(log, spec)
writeEpisode(
  sink,
  { task: 'pick', source: 'online', seed: 7 },
  [seen(0, 10), seen(0.1, 60), seen(0.2, 110), seen(0.3, 160), seen(0.4, 210)],
  [
    step(0, { actor: 'refinement', command: 'move left' }),
    step(1, { actor: 'refinement', command: 'move left' }),
    step(2, { actor: 'operator' }),
    step(3, { actor: 'primary', over: true }),
  ],
  { ending: 'success' },
)
// The process began anew, and with it the robot's clock.
writeEpisode(
  sink,
  { task: 'place', source: 'demonstration', seed: null },
  [seen(0, 0), seen(0.1, 255)],
  [step(0, { actor: 'operator' })],
  { ending: 'abort' },
)
sink.close()

type Message = { topic: string; schema: string; seconds: number; data: Uint8Array; json: () => Record<string, unknown> }

type Picture = { format: string; data: Uint8Array; timestamp: { seconds: unknown; nanos: number } }

/** As another program reads it: by the index, and pictures by the description in the file. */
async function read(file: string) {
  const bytes = readFileSync(file)
  const readable = {
    size: async () => BigInt(bytes.length),
    read: async (offset: bigint, size: bigint) => new Uint8Array(bytes.subarray(Number(offset), Number(offset + size))),
  }
  const reader = await McapIndexedReader.Initialize({ readable })
  const messages: Message[] = []
  for await (const { channelId, logTime, data } of reader.readMessages()) {
    const { topic, schemaId } = reader.channelsById.get(channelId)!
    const { name: schema } = reader.schemasById.get(schemaId)!
    const json = () => JSON.parse(Buffer.from(data).toString())
    messages.push({ topic, schema, seconds: Number(logTime) / 1e9, data, json })
  }
  return { reader, messages, of: (topic: string) => messages.filter((message) => message.topic === topic) }
}

const file = join(folder, 'run.mcap')
const written = await exportMcap(log, { file, library: 'a test', notes: { folder: 'run' } })
const { reader, messages, of } = await read(file)

it('writes what happened under topics whose messages Foxglove knows', () => {
  expect(written).toEqual({ episodes: 2, steps: 5 })
  expect(Object.fromEntries(messages.map(({ topic, schema }) => [topic, schema]))).toEqual({
    '/camera/wrist': 'foxglove.CompressedImage',
    '/tool': 'foxglove.PoseInFrame',
    '/tf': 'foxglove.FrameTransform',
    '/words': 'foxglove.Log',
    '/step': 'duet.Step',
    '/proprio': 'duet.Proprioception',
    '/episode': 'duet.Episode',
  })
  expect(reader.header.library).toBe('a test')
  expect(reader.statistics).toMatchObject({ channelCount: 7, metadataCount: 1 })
})

it('tells each step: the action, its reward, who acted and who judged', () => {
  const steps = of('/step')
  expect(steps.map(({ seconds }) => seconds)).toEqual([0, 0.1, 0.2, 0.3, 1.4])
  expect(steps.map((one) => [one.json().actor, one.json().intervention, one.json().reward])).toEqual([
    ['refinement', false, 0],
    ['refinement', false, 0],
    ['operator', true, 0],
    ['primary', false, 1],
    ['operator', false, 0], // a demonstration is no intervention
  ])
  expect(steps[3]!.json()).toEqual({
    episode: 0,
    step: 3,
    task: 'pick',
    actor: 'primary',
    intervention: false,
    command: null,
    action: { dx: 0.5, dy: -0.25, dz: 0, droll: 0, dpitch: 0, dyaw: 0.125, gripper: 1 },
    reward: 1,
    terminated: true,
    truncated: false,
    by: 'person',
    confidence: null,
  })
})

it('tells words once, when they were said', () =>
  expect(of('/words').map((one) => [one.seconds, one.json().message, one.json().level])).toEqual([[0, 'move left', 2]]))

it('goes on with the next episode after the last one, where the clock of the robot began again', () => {
  expect(of('/episode').map((one) => [one.seconds, one.json().ending])).toEqual([
    [0, 'success'],
    [1.4, 'abort'],
  ])
  const times = messages.map(({ seconds }) => seconds)
  expect(times).toEqual([...times].sort((a, b) => a - b))
})

it('has pictures as JPEG, described well enough for a reader that knows nothing of them', async () => {
  const pictures = of('/camera/wrist')
  expect(pictures.map(({ seconds }) => seconds)).toEqual([0, 0.1, 0.2, 0.3, 0.4, 1.4, 1.5])
  const [schema] = [...reader.schemasById.values()].filter(({ name }) => name === 'foxglove.CompressedImage')
  const set = descriptor.FileDescriptorSet.decode(schema!.data) as unknown as {
    file: { dependency: string[]; name: string }[]
  }
  expect(set.file[1]!.dependency).toEqual([set.file[0]!.name])
  const root = (protobuf.Root as unknown as { fromDescriptor(of: unknown): protobuf.Root }).fromDescriptor(set)
  const told = root.lookupType('foxglove.CompressedImage').decode(pictures[6]!.data) as unknown as Picture
  expect(told.format).toBe('jpeg')
  expect([Number(told.timestamp.seconds), told.timestamp.nanos]).toEqual([1, 500_000_000])
  const pixels = await sharp(told.data).raw().toBuffer()
  expect(pixels).toHaveLength(3 * 16 * 16)
  expect(Math.min(...pixels)).toBeGreaterThan(250) // the log has 255
})

it('places the tool in the base frame, and a camera on the tool as pictures are seen', () => {
  expect(of('/tool')[0]!.json()).toEqual({
    timestamp: { sec: 0, nsec: 0 },
    frame_id: 'base',
    pose: { position: { x: 0.5, y: 0, z: 0.25 }, orientation: { x: 1, y: 0, z: 0, w: 0 } },
  })
  const frames = of('/tf').map((one) => one.json())
  expect(frames.find(({ child_frame_id }) => child_frame_id === 'tool')).toMatchObject({ parent_frame_id: 'base' })
  // Along -z with +y up is along +z with +y down after half a turn about x.
  expect(frames.find(({ child_frame_id }) => child_frame_id === 'camera/wrist')).toMatchObject({
    parent_frame_id: 'tool',
    translation: { x: 0, y: 0.05, z: 0 },
    rotation: { x: 1, y: 0, z: 0, w: 0 },
  })
})

it('takes one episode alone, by the command', async () => {
  const out = join(folder, 'one.mcap')
  const said = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  const program = new Command()
  register(program)
  await program.parseAsync(['export', 'mcap', log, '--episode', '1', '--out', out, '--json'], { from: 'user' })
  const [line] = said.mock.calls.at(-1)!
  said.mockRestore()
  expect(JSON.parse(String(line))).toMatchObject({ file: out, episodes: 1, steps: 1 })
  const only = await read(out)
  expect(only.of('/episode').map((one) => one.json().episode)).toEqual([1])
})

it('leaves the file of before, and no half of a new one, where it is broken off', async () => {
  const out = join(folder, 'broken.mcap')
  await exportMcap(log, { file: out, library: '', episode: 1 })
  const before = readFileSync(out)
  const onEpisode = (done: number) => {
    if (done === 1) throw new Error('stopped')
  }
  await expect(exportMcap(log, { file: out, library: '', onEpisode })).rejects.toThrow('stopped')
  expect(readdirSync(folder).filter((name) => name.startsWith('broken'))).toEqual(['broken.mcap'])
  expect(readFileSync(out).equals(before)).toBe(true)
})

it('leaves no file where there is nothing to write', async () => {
  const out = join(folder, 'none.mcap')
  await expect(exportMcap(log, { file: out, library: '', episode: 9 })).rejects.toThrow('holds no episode 9')
  await expect(exportMcap(join(folder, 'nothing'), { file: out, library: '' })).rejects.toThrow('holds no episode')
  await expect(exportMcap(log, { file: join(folder, 'no/where.mcap'), library: '' })).rejects.toThrow('Check the path')
  expect(readdirSync(folder).filter((name) => name.startsWith('none'))).toEqual([])
  expect(existsSync(join(folder, 'no'))).toBe(false)
})
