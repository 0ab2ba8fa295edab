/** @file What a run tells its encoder of the robot: nano meets one that it was not pretrained on. */
import { expect, it } from 'vitest'
import { describeRobot } from '../../src/robots/index.ts'
import { parseConfig } from '../../src/run/config.ts'
import { translatorSettings } from '../../src/run/label-rule.ts'
import { openMinds } from '../../src/run/session.ts'
import { openTranslator } from '../../src/talk/translator.ts'
import { loadNano, NANO_FOLDER } from '../../src/vla/nano/weights.ts'

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
