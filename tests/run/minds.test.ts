/** @file What a run tells its encoder of the robot: nano meets one that it was not pretrained on. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, it, vi } from 'vitest'
import { describeRobot } from '../../src/robots/index.ts'
import { Workcell } from '../../src/robots/workcell/workcell.ts'
import { translatorSettings } from '../../src/run/label-rule.ts'
import { parseConfig } from '../../src/run/resolve.ts'
import { openMinds, openSession } from '../../src/run/session.ts'
import { openTranslator } from '../../src/talk/translator.ts'
import type { Encoding } from '../../src/vla/encoder.ts'
import { processorLacks } from '../../src/vla/int8/means.ts'
import { loadNano, NANO_FOLDER } from '../../src/vla/nano/weights.ts'

it('keeps no feature maps of a run whose networks all see h', async () => {
  const maps = async (networks: object) => {
    const config = parseConfig('the test', { networks })
    const spec = describeRobot(config.robot, 'A')
    const { encoder } = await openMinds(config, spec, openTranslator(translatorSettings(config, spec)))
    const image = { width: 128, height: 128, data: new Uint8Array(3 * 128 * 128) }
    const images = Object.fromEntries(Object.keys(spec.cameras).map((camera) => [camera, image]))
    const proprio = new Float32Array(spec.channels.length)
    const [{ h, features }] = (await encoder.encode([{ images, proprio, instruction: 'pick' }])) as [Encoding]
    const kept = encoder.description.featureShape.reduce((a, b) => a * b)
    await encoder.close()
    return { h, told: features.length, kept }
  }
  const [seen, unseen] = [await maps({ sees: 'features' }), await maps({ sees: 'h' })]
  expect(seen).toMatchObject({ told: 2 * 4 * 4 * 128, kept: 2 * 4 * 4 * 128 })
  expect(unseen).toMatchObject({ told: 1, kept: 1 })
  expect(unseen.h).toEqual(seen.h)
})

it('hands on the channels of a servo arm, so that nano pairs them and says so', async () => {
  const cameras = Object.fromEntries(['front', 'wrist'].map((name) => [name, { kind: 'test', width: 64, height: 64 }]))
  const robot = {
    kind: 'so101',
    port: 'simulated',
    cameras,
    tasks: { reach: { instruction: 'reach the mark', maxSteps: 80 } },
  }
  const config = parseConfig('the test', { robot, tasks: ['reach'] })
  const spec = describeRobot(config.robot, 'A')
  const { config: nano } = await loadNano(NANO_FOLDER)
  expect(spec.channels.length).not.toBe(nano.proprio.mean.length)
  const { encoder } = await openMinds(config, spec, openTranslator(translatorSettings(config, spec)))
  expect(encoder.description.notes?.join()).toMatch(/reads the robot's channels/)
})

it.skipIf(processorLacks() !== undefined)(
  'multiplies in the numbers that the run asks for, which are measured on start states of a simulated robot',
  async () => {
    const home = mkdtempSync(join(tmpdir(), 'duet-minds-'))
    process.env.HF_HOME = home
    const resets = vi.spyOn(Workcell.prototype, 'reset')
    try {
      const vlaPath = resolve(import.meta.dirname, '../fixtures/octo')
      const config = parseConfig('the test', { vla: 'octo', vlaPath, precision: 'int8', tasks: ['pick', 'place'] })
      const { encoder, close } = await openSession(config)
      expect(encoder.description.int8).toMatch(/^[0-9a-f]{64}$/)
      expect(resets.mock.calls.map(([task]) => task)).toEqual(['pick', 'place', 'pick', 'place'])
      await close()
      const again = await openSession(config)
      expect(again.encoder.description.int8).toBe(encoder.description.int8)
      expect(resets).toHaveBeenCalledTimes(4) // it is in the cache
      await again.close()
    } finally {
      resets.mockRestore()
      delete process.env.HF_HOME
      rmSync(home, { recursive: true })
    }
  },
)
