/** @file A log as a robot: it shows what was recorded, and compares what is commanded. */
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { readEpisodes } from '../../../src/replay/log-reader.ts'
import { describeRobot, openRig } from '../../../src/robots/index.ts'
import { ReplayedRobot } from '../../../src/robots/replayed/robot.ts'

const log = fileURLToPath(new URL('../../fixtures/log/version-1', import.meta.url))
const config = { kind: 'replayed', log, cells: ['A'] } as const

it('plays the episode of a seed: the same readings, rewards and end, on a clock that only advances', async () => {
  const [, pick] = [...readEpisodes(log)]
  const { robot, real, simulation, close } = await openRig({ ...config, cells: ['A'] }, 'A')
  expect([real, simulation]).toEqual([false, undefined])
  const first = await robot.reset('pick', 71)
  expect([...first.proprio]).toEqual([...pick!.observations[0]!.proprio])
  let time = first.time
  for (const [t, { action, reward, terminated }] of pick!.steps.entries()) {
    const outcome = await robot.step(action)
    expect([...outcome.observation.proprio]).toEqual([...pick!.observations[t + 1]!.proprio])
    expect([outcome.reward, outcome.terminated]).toEqual([reward, terminated])
    expect(outcome.observation.time).toBeGreaterThan(time)
    time = outcome.observation.time
  }
  expect((await robot.reset('place', 70)).time).toBeGreaterThan(time)
  await close()
})

it('measures how far commands are from those of then', async () => {
  const robot = ReplayedRobot.open(log)
  await robot.reset('pick', 71)
  await robot.step(Float32Array.of(0.5, -0.25, 0, 0, 0, 0.125, 0))
  expect(robot.deviation).toBe(0)
  await robot.step(Float32Array.of(0.5, 0.5, 0, 0, 0, 0.125, 1))
  expect(robot.deviation).toBe(0.75)
})

it('has the tasks that were recorded, and is described without being opened', () => {
  const { name, tasks } = describeRobot({ ...config, cells: ['A'] }, 'A')
  expect(name).toBe('workcell-gantry-1')
  expect(tasks).toEqual({ place: { instruction: 'place', maxSteps: 2 }, pick: { instruction: 'pick', maxSteps: 3 } })
  expect(() => describeRobot({ kind: 'replayed', log: 'nowhere', cells: ['A'] }, 'A')).toThrow('nowhere: holds no log')
})
