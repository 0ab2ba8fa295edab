/** @file A session with published features and command embeddings: settings resnetPath and t5Path; and with a published encoder. */
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseOverride, resolveConfig } from '../../src/run/resolve.ts'
import { openSession } from '../../src/run/session.ts'
import { commandEncoder } from '../../src/talk/embedding.ts'
import { T5TextEncoder } from '../../src/vla/t5/encoder.ts'

const fixtures = resolve(import.meta.dirname, '../fixtures')

let t5Path: string
beforeAll(async () => {
  t5Path = await mkdtemp(join(tmpdir(), 'duet-published-'))
  for (const file of ['config.json', 'model.safetensors'])
    await cp(join(fixtures, 't5', 'v1_1', file), join(t5Path, file))
  await cp(join(fixtures, 'tokenizer_unigram', 'spiece.model'), join(t5Path, 'spiece.model'))
})
afterAll(() => rm(t5Path, { recursive: true }))

describe('a session with published files', () => {
  it("sees by ResNet-10, keeps the encoder's h, and hears by T5, in this thread and in another", async () => {
    const robot = { arm: 'gantry' }
    const plain = await openSession(resolveConfig('tiny', undefined, [{ robot }]))
    const resnetPath = join(fixtures, 'resnet10', 'resnet10_params.pkl')
    const session = await openSession(resolveConfig('tiny', undefined, [{ robot, resnetPath, t5Path }]))
    const { robot: arm, encoder, translator, commands, commandTable } = session
    const { images, proprio } = await arm.reset('pick', 1)
    const input = { images, proprio, instruction: 'pick up the bolt' }
    const [mine] = await encoder.encode([input])
    const [theirs] = await plain.encoder.encode([input])
    expect(mine!.h).toEqual(theirs!.h)
    const { cameras, featureShape } = encoder.description
    expect(featureShape).toEqual([cameras.length, 4, 4, 64])
    expect(mine!.features.length).toBe(cameras.length * 4 * 4 * 64)
    expect(new Set(mine!.features).size).toBeGreaterThan(100)

    const t5 = await T5TextEncoder.load(t5Path, { threads: 1 })
    expect(commands.embed('a bit to the left')).toEqual(await t5.encode('move left'))
    const across = commandEncoder(structuredClone(commandTable), translator.commands)
    expect(across.embed('move up')).toEqual(commands.embed('move up'))
    await t5.close()
    await session.close()
    await plain.close()
  })

  it("hands the settings of cameras and statistics, and the robot's own, to the encoder", async () => {
    const smolvla = { robot: { arm: 'gantry' }, vla: 'smolvla', vlaPath: join(fixtures, 'smolvla') }
    const open = (...more: unknown[]) => openSession(resolveConfig('tiny', undefined, [smolvla, ...more]))
    const session = await open(parseOverride('vlaCameras.camera1=wrist'))
    expect(session.encoder.description.cameras).toEqual(['wrist', 'front'])
    expect(session.encoder.description.notes).toEqual([
      'cameras: camera1 sees wrist (by vlaCameras), camera2 sees front (by order)',
      expect.stringMatching(/^state: as it is, .* are of 7 values, the robot's state has 17$/),
    ])
    await session.close()
    await expect(open({ vlaStatistics: 'so100' })).rejects.toThrow(/setting "vlaStatistics"/)
    await expect(open({ vlaCameras: { camera1: 'back' } })).rejects.toThrow(/setting "vlaCameras".*front, wrist/)
    await expect(open({ vla: 'nano', vlaPath: undefined, vlaCameras: { front: 'wrist' } })).rejects.toThrow(
      /vlaCameras/,
    )
    await expect(open({ vla: 'nano', vlaPath: undefined, vlaStatistics: 'none' })).rejects.toThrow(/vlaStatistics/)
  })
})
