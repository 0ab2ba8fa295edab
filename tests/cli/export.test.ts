/** @file `duet export` and `duet serve policy` as commands: what they write and say of a run, and what they refuse. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type RawData, WebSocket } from 'ws'
import { NumpyArray, numbersOf, pack, unpack } from '../../src/formats/msgpack.ts'
import { writeSafetensors } from '../../src/formats/safetensors.ts'
import { actorLayouts } from '../../src/learn/actors.ts'
import { POLICY_FILE } from '../../src/learn/checkpoint.ts'
import { openPolicyModel, openPolicyOf } from '../../src/policies/file.ts'
import { RunFolder } from '../../src/run/folder.ts'
import { saveNormalisers } from '../../src/run/preparation.ts'
import { mergeSettings, parseConfig } from '../../src/run/resolve.ts'
import { anObservation, aPolicy, config, spec } from '../policies/a-policy.ts'
import { duetHere } from './here.ts'

const bin = fileURLToPath(new URL('../../bin/duet.mjs', import.meta.url))
const golden = fileURLToPath(new URL('../fixtures/log/version-1', import.meta.url)) // a log of one real recording
const networks = { hidden: 16, proprioWidth: 8, spatialEmbeddings: 2, bottleneck: 12, sees: 'h' as const }
const folder = mkdtempSync(join(tmpdir(), 'duet-export-'))
afterAll(() => rmSync(folder, { recursive: true }))

function duet(...args: string[]) {
  return spawnSync(process.execPath, [bin, ...args], { cwd: folder, encoding: 'utf8' })
}

let made: Awaited<ReturnType<typeof aPolicy>>
/** A run that has a checkpoint: random actors stand in for those that a training would leave. */
beforeAll(async () => {
  made = await aPolicy(networks)
  const run = RunFolder.create(join(folder, 'arm'), parseConfig('arm', mergeSettings(config, { networks })))
  const checkpoint = join(run.checkpoints, 'step-00000100-update-00000010')
  mkdirSync(checkpoint)
  const tensors = Object.entries(actorLayouts(made.sizes, made.method)).flatMap(([group, layout]) => {
    const flat = made.parameters[group as keyof typeof made.parameters]!
    let at = 0
    return Object.entries(layout).map(([name, { shape }]) => {
      const size = shape.reduce((a, b) => a * b, 1)
      at += size
      return [`${group}/${name}`, { dtype: 'F32' as const, shape, data: flat.slice(at - size, at) }] as const
    })
  })
  await writeSafetensors(join(checkpoint, POLICY_FILE), Object.fromEntries(tensors))
  saveNormalisers(checkpoint, made.normalisers, made.encoder.description)
})

const CARD = `${'arm'}.md` // beside arm.onnx

describe('duet export policy', () => {
  const { images, proprio } = anObservation(7)
  const task = config.tasks[0]!
  const noise = new Float32Array(7).fill(0.3)

  it('writes a file that acts as the actors of the run do, by their normalisers, and a card; a server answers by it', async () => {
    const exported = duet('export', 'policy', 'arm', '--out', 'arm.onnx')
    expect([exported.status, exported.stderr]).toEqual([0, ''])
    expect(exported.stdout).toContain(
      `arm.onnx: pictures and readings in, actions out (encoder nano inside)\n${CARD}: `,
    )
    expect(readFileSync(join(folder, CARD), 'utf8')).toContain(spec.tasks[task]!.instruction)
    const question = { state: proprio, seen: { images, task }, noise }
    const filed = await openPolicyModel(join(folder, 'arm.onnx'))
    const own = await openPolicyOf('memory', made.network, made.about)
    const { primary } = await own.answer(question)
    expect((await filed.answer(question)).primary).toEqual(primary)
    await Promise.all([filed.release(), own.release()])

    const server = spawn(process.execPath, [
      ...[bin, 'serve', 'policy', '--policy', join(folder, 'arm.onnx'), '--port', '0'],
      ...['--name', 'front=observation/image', '--name', 'state=observation/joints,observation/rest'],
    ])
    onTestFinished(() => void server.kill('SIGKILL'))
    const ended = once(server, 'exit')
    let address: string | undefined
    for await (const line of createInterface(server.stdout)) {
      address = /^Policy server: (ws:\S+)$/.exec(line)?.[1]
      if (address) break
    }
    const socket = new WebSocket(address!)
    await once(socket, 'message') // its metadata
    const answered = once(socket, 'message')
    socket.send(
      pack({
        'observation/image': NumpyArray.bytes(images.front.data, [128, 128, 3]),
        'observation/wrist': NumpyArray.bytes(images.wrist.data, [128, 128, 3]),
        'observation/joints': NumpyArray.floats(proprio.slice(0, 4)),
        'observation/rest': NumpyArray.floats(proprio.slice(4)),
        prompt: spec.tasks[task]!.instruction,
        noise: NumpyArray.floats(noise),
      }),
    )
    const [data] = (await answered) as [RawData]
    const actions = (unpack(data as Buffer, 'answer') as Map<string, NumpyArray>).get('actions')!
    const bounded = [...primary.subarray(0, 6)].map((value) => Math.max(-1, Math.min(1, value)))
    for (const [i, value] of bounded.entries()) expect(numbersOf(actions, 'actions')[i]).toBeCloseTo(value, 6)
    socket.close()
    const words = text(server.stderr)
    server.kill('SIGTERM')
    expect([await ended, await words]).toEqual([[143, null], 'Ended by SIGTERM.\n']) // no robot is here, and no log
  }, 300_000)

  it('leaves nothing where the name is of no ONNX file', async () => {
    const out = join(folder, 'arm.bin')
    const { status, stderr } = await duetHere('export', 'policy', join(folder, 'arm'), '--out', out)
    expect([status, stderr]).toEqual([2, `${out}: is no name of an ONNX file. Let it end with .onnx\n`])
    expect(readdirSync(folder).filter((name) => /^ar.*\.(bin|md)$/.test(name) && name !== CARD)).toEqual([])
  })
})

it('a recording goes out as an MCAP file and as a LeRobot dataset, each with as many episodes and steps', async () => {
  const [recording, set] = [join(folder, 'recording.mcap'), join(folder, 'set')]
  const mcap = await duetHere('export', 'mcap', golden, '--out', recording, '--json')
  expect(mcap.status).toBe(0)
  const { episodes, steps } = JSON.parse(mcap.stdout)
  expect(readFileSync(recording).subarray(1, 5).toString()).toBe('MCAP')
  const lerobot = duet('export', 'lerobot', golden, '--out', set, '--json')
  expect(lerobot.status).toBe(0)
  expect(JSON.parse(lerobot.stdout)).toMatchObject({ episodes, frames: steps, taken: episodes })
  const info = JSON.parse(readFileSync(join(set, 'meta', 'info.json'), 'utf8'))
  expect(info).toMatchObject({ codebase_version: 'v3.0', total_episodes: episodes, total_frames: steps })
  expect(steps).toBeGreaterThan(episodes)
  const again = duet('export', 'lerobot', golden, '--out', set)
  expect(again.stdout).toContain('new: 0')
}, 300_000)

describe('a command with bad input ends with code 2, a line with a remedy, and nothing written:', () => {
  it.each([
    [['export', 'policy', 'nowhere'], 'nowhere: holds no checkpoint. Give a run folder'],
    [['export', 'lerobot', 'nowhere', '--out', '<out>'], 'nowhere: '],
    [['export', 'mcap', 'nowhere', '--out', '<out>'], 'nowhere: holds no log. Give a run'],
    [['serve', 'policy'], 'duet serve policy: takes one policy. Give a run with --run, or a file with --policy'],
    [['serve', 'policy', '--policy', '<broken.onnx>'], 'broken.onnx: '],
    [['serve', 'policy', '--run', '<arm>', '--name', 'front'], 'ours=theirs'],
  ])('%j', async (args, words) => {
    writeFileSync(join(folder, 'broken.onnx'), 'no graph')
    const given = args.map((arg) => arg.replace(/^<(.*)>$/, (_, name) => join(folder, name)))
    const { status, stdout, stderr } = await duetHere(...given)
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toContain(words)
    expect(stderr).not.toContain('    at ')
    expect(existsSync(join(folder, 'out'))).toBe(false)
  })
})
