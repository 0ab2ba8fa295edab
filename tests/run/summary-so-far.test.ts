/** @file The summary of a run that was stopped before it was open. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { parseConfig } from '../../src/run/resolve.ts'
import { summarySoFar } from '../../src/run/summary-so-far.ts'
import { anEpisode } from './builders.ts'

const root = mkdtempSync(join(tmpdir(), 'duet-so-far-'))
afterAll(() => rmSync(root, { recursive: true }))

it('counts minutes at the rate of the robot that the settings name, and is empty where nothing was measured', () => {
  const metrics = join(root, 'metrics.jsonl')
  const tasks = { reach: { instruction: 'reach', maxSteps: 10 } }
  const workBox = { low: [0.4, -0.1, 0.05], high: [0.6, 0.1, 0.4] }
  const cameras = { front: { kind: 'test', width: 64, height: 64 }, wrist: { kind: 'test', width: 64, height: 64 } }
  const startPose = [0.5, 0, 0.2, Math.PI, 0, 0]
  const robot = { kind: 'serl', rate: 5, cameras, startPose, tasks, safety: { workBox, speed: 0.1, force: 20 } }
  const config = parseConfig('a test', { robot, tasks: ['reach'], seed: 3 })
  expect(summarySoFar({ metrics }, config)).toMatchObject({ robotMinutes: 0, seed: 3 })
  writeFileSync(metrics, `${JSON.stringify(anEpisode({ robotSteps: 600 }))}\n`)
  expect(summarySoFar({ metrics }, config).robotMinutes).toBe(2)
})
