/** @file A policy as a file: the same actions as the actors that it was made of, and what a file that is no such thing says. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Policy } from '../../src/learn/policy.ts'
import { Perception } from '../../src/loop/perception.ts'
import { expectFittingRobot } from '../../src/policies/about.ts'
import { policyCard } from '../../src/policies/card.ts'
import { openPolicyModel, openPolicyOf, readPolicyFile, writePolicy } from '../../src/policies/file.ts'
import { RandomStream } from '../../src/random/stream.ts'
import { expectEncoder } from '../../src/run/trained.ts'
import { anObservation, aPolicy, commands, config, spec } from './a-policy.ts'

let folder: string
let file: string
let made: Awaited<ReturnType<typeof aPolicy>>
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'duet-policy-'))
  file = join(folder, 'policy.onnx')
  made = await aPolicy()
  writePolicy(file, made.network, made.about)
})
afterAll(() => rmSync(folder, { recursive: true }))

const noise = new RandomStream(4, 'noise')
const xiOf = () => noise.fillNormal(new Float32Array(7))
const instructions = Object.fromEntries(
  Object.entries(spec.tasks).map(([task, { instruction }]) => [task, instruction]),
)

describe.each([
  ['that looks at the feature maps, as in the paper', {}, 'dual', true],
  ['of several heads on h, with a gain on the gripper', { sees: 'h', pastHeads: 2, gripperGain: 4.7 }, 'dual', true],
  ['whose critics move the noise', { sees: 'h', criticsMove: 'noise' }, 'dual', true],
  ['of another method, with its encoder outside', {}, 'dsrl', false],
] as const)('a file of a policy %s', (_, network, method, inside) => {
  it('plans what the policy itself plans, to the last bit', async () => {
    const { network: exported, about, encoder, sizes, parameters, normalisers } = await aPolicy(network, method, inside)
    const own = await Policy.create(sizes, commands, method)
    own.setParameters(parameters)
    const perception = new Perception(encoder, instructions, normalisers)
    const filed = await openPolicyOf('memory', exported, about)
    for (const [i, task] of config.tasks.entries()) {
      const observation = anObservation(i)
      const xi = xiOf()
      const seen = await perception.see(observation, task)
      const [raw] = await encoder.encode([{ ...observation, instruction: instructions[task]! }])
      const outside = { h: raw!.h, features: [raw!.features], proprio: observation.proprio }
      const sighting = { observation, task, afresh: true }
      expect(await filed.primary(outside, xi, sighting)).toEqual(await own.primary(seen, xi))
      if (own.followsCommands)
        expect(await filed.refined(outside, 'move right and up', xi, sighting)).toEqual(
          await own.refined(seen, 'move right and up', xi),
        )
    }
    await Promise.all([filed.release(), own.release(), encoder.close()])
  })
})

describe('a policy file', () => {
  it('says for whom it is, and its card how well it does', () => {
    const { about } = readPolicyFile(file)
    expect(about).toEqual(JSON.parse(JSON.stringify(made.about)))
    const card = policyCard('policy.onnx', about)
    for (const part of ['84 %', '100 %', '87 % to 100 %', 'Licence: Apache-2.0', '"demonstrations": {"perTask":2'])
      expect(card).toContain(part)
  })

  it('is refused where one of its bytes is another, it was cut, or it is something else', () => {
    const whole = readFileSync(file)
    const changed = Buffer.from(whole)
    changed[whole.length >> 1]! ^= 1
    for (const [content, why] of [
      [changed, 'checksum'],
      [whole.subarray(0, whole.length >> 1), 'is no whole ONNX file'],
      [Buffer.from('a picture'), 'policy.onnx: is n'],
      [made.network.commands.length > 0 ? Buffer.alloc(0) : whole, 'is not a policy that Duet exported'],
    ] as const) {
      const at = join(folder, 'other-policy.onnx')
      writeFileSync(at, content)
      expect(() => readPolicyFile(at)).toThrow(why)
    }
    expect(() => readPolicyFile(join(folder, 'none.onnx'))).toThrow('there is no such file')
    expect(() => readPolicyFile(folder)).toThrow('is a folder')
    expect(() => writePolicy(join(folder, 'policy.pt'), made.network, made.about)).toThrow('no name of an ONNX file')
  })

  it('is refused on a robot to which its numbers mean something else', () => {
    const refused = (robot: object) => () => expectFittingRobot(file, made.about, { ...spec, ...robot })
    expect(refused({})).not.toThrow()
    expect(refused({ channels: spec.channels.slice(1) })).toThrow(
      `tells ${spec.channels.length} readings; ${spec.name} tells`,
    )
    expect(refused({ channels: [{ name: 'q', unit: 'rad' }, ...spec.channels.slice(1)] })).toThrow(
      'whose reading 0 is tcp.x [m]',
    )
    expect(refused({ cameras: { front: spec.cameras.front } })).toThrow('a camera "wrist"')
    expect(refused({ channels: [{ ...spec.channels[0]!, unit: 'mm' }, ...spec.channels.slice(1)] })).toThrow(
      'whose reading 0 is tcp.x [m]; that of',
    )
    for (const side of ['width', 'height'])
      expect(refused({ cameras: { ...spec.cameras, wrist: { ...spec.cameras.wrist, [side]: 64 } } })).toThrow(
        '128 x 128',
      )
    for (const axis of ['translation', 'rotation'])
      expect(refused({ actionScale: { ...spec.actionScale, [axis]: 0.5 } })).toThrow(`${axis} a step`)
    expect(refused({ actionFrame: 'tool' })).toThrow('frame of its base')
    expect(refused({ rate: 5 })).toThrow('10 steps a second')
  })

  it('is refused where another encoder is present than made its h', () => {
    const { hash, name } = made.about.encoder
    expect(() => expectEncoder(file, made.about, { ...made.encoder.description })).not.toThrow()
    expect(() => expectEncoder(file, made.about, { ...made.encoder.description, hash: 'f'.repeat(64) })).toThrow(
      `${file}: is of encoder ${name} ${hash.slice(0, 12)}, present is ${name} ffffffffffff`,
    )
  })

  it('asks for what it is not given, and takes no picture of another size', async () => {
    const filed = await openPolicyModel(file)
    const { images, proprio } = anObservation(1)
    const task = config.tasks[0]!
    const given = { state: proprio, noise: xiOf(), seen: { images, task } }
    const refused = (other: object) => expect(filed.answer({ ...given, ...other })).rejects
    await refused({ seen: { images: { front: images.front }, task } }).toThrow('no picture of camera wrist')
    await refused({
      seen: { images: { ...images, wrist: { width: 2, height: 2, data: new Uint8Array(12) } }, task },
    }).toThrow('[2,2,3]')
    await refused({ seen: { images, task: 'juggle' } }).toThrow('has no task "juggle"')
    await refused({ command: 'juggle' }).toThrow('has no command "juggle"')
    await refused({ state: proprio.slice(1) }).toThrow('input state')
    await filed.release()
  })
})

const python = process.env.DUET_PYTHON ?? 'python3'
const hasPeers = spawnSync(python, ['-c', 'import numpy, onnxruntime']).status === 0 // no test needs them: without, it is skipped

it.skipIf(!hasPeers)('is run by the example of docs/policies.md in Python, to the same action', async () => {
  const [, example] = /```python\n([\s\S]*?)```/.exec(readFileSync('docs/policies.md', 'utf8'))!
  expect(example!.trim().split('\n').length).toBeLessThanOrEqual(20)
  const filed = await openPolicyModel(file)
  const blank = () => ({ width: 128, height: 128, data: new Uint8Array(3 * 128 * 128) })
  const seen = { images: { front: blank(), wrist: blank() }, task: config.tasks[0]! }
  const zeros = {
    state: new Float32Array(spec.channels.length),
    noise: new Float32Array(7),
    seen,
    command: 'move left',
  }
  const { primary, refinement } = await filed.answer(zeros)
  await filed.release()
  const printed = execFileSync(python, ['-c', example!.replace("'quick.onnx'", JSON.stringify(file))], {
    encoding: 'utf8',
  })
  const told = printed
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as number[])
  for (const [i, action] of [primary, refinement!].entries())
    for (const [k, value] of action.entries()) expect(told[i]![k]).toBeCloseTo(value, 5)
})
