/** @file A demonstration that is recorded at the console, apart from page and run: from which moment on it shows the scene. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { Recording } from '../../src/console/server/recording.ts'
import type { Observation } from '../../src/robot/robot.ts'
import { SafeRobot } from '../../src/robot/safety.ts'
import { parseConfig } from '../../src/run/resolve.ts'
import { scriptedSpec } from '../loop/scripted.ts'

const folder = mkdtempSync(join(tmpdir(), 'duet-recording-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Tells by its only reading how often it was looked at; each time its camera shows what stood there a moment ago. */
class Watched {
  readonly spec = scriptedSpec({
    channels: [{ name: 'looks', unit: '1' }],
    tasks: { push: { instruction: 'push', maxSteps: 10 } },
  })
  looks = 0
  takenBefore = 0.1 // s before the look
  reset = () => this.observe()
  async observe(): Promise<Observation> {
    const time = this.looks++
    return { images: {}, proprio: Float32Array.of(time), time, taken: { front: time - this.takenBefore } }
  }
  async step() {
    return { observation: await this.observe(), reward: 0, terminated: false }
  }
  async stop() {}
}

/** The look from which it begins. */
async function recorded(lays: boolean): Promise<{ begins: number; laidAt: number }> {
  const recording = new Recording(folder, parseConfig('a test', {}), () => {})
  const robot = new Watched()
  let laidAt = 0
  recording.start('push')
  await recording.record(new SafeRobot(robot), {
    async lay() {
      laidAt = robot.looks // looks so far, all of them of the scene of before
      if (lays) setTimeout(() => Object.assign(robot, { takenBefore: -0.001 }), 30)
      return lays
    },
    async period() {
      recording.say('success')
      return undefined
    },
    act: () => new Float32Array(7),
    saw: ({ proprio }) => seen.push(proprio[0]!),
  })
  return { begins: seen.pop()!, laidAt }
}
const seen: number[] = []

it('begins from pictures of after the scene was laid, where a person lays it', async () => {
  const { begins, laidAt } = await recorded(true)
  expect(begins).toBeGreaterThan(laidAt)
})

it('begins from what the reset showed, where nobody had to lay it', async () =>
  expect(await recorded(false)).toEqual({ begins: 0, laidAt: 1 }))
