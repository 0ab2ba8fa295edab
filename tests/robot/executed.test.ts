/** @file What a robot says that it did of an action, as it is recorded. */
import { describe, expect, it } from 'vitest'
import type { Action, Observation, Outcome, Robot } from '../../src/robot/robot.ts'
import { SafeRobot } from '../../src/robot/safety.ts'

/** Does of an action what it is told to say. */
function aRobot(executed?: Action): SafeRobot {
  let time = 0
  const observe = async (): Promise<Observation> => ({ images: {}, proprio: new Float32Array(0), time: time++ })
  const robot: Robot = {
    spec: {
      name: 'five joints',
      rate: 10,
      cameras: {},
      channels: [],
      actionFrame: 'base',
      actionScale: { translation: 0.01, rotation: 0.1 },
      tasks: { wait: { instruction: 'wait', maxSteps: 10 } },
    },
    reset: observe,
    observe,
    stop: async () => {},
    step: async (): Promise<Outcome> => ({
      observation: await observe(),
      reward: 0,
      terminated: false,
      ...(executed && { executed }),
    }),
  }
  return new SafeRobot(robot)
}

const asked = Float32Array.of(0.5, 0, 0, 0, 0, 0.5, 1)

describe('what was executed', () => {
  it('is what the robot says that it did', async () => {
    const robot = aRobot(Float32Array.of(0.5, 0, 0, 0, 0, 0.25, 1))
    await robot.step(asked)
    expect([...robot.executed]).toEqual([0.5, 0, 0, 0, 0, 0.25, 1])
    await robot.stop()
    expect([...robot.executed]).toEqual([0, 0, 0, 0, 0, 0, 1])
  })

  it('is what was let through, where the robot does not say', async () => {
    const robot = aRobot()
    await robot.step(asked)
    expect([...robot.executed]).toEqual([...asked])
  })

  it('is no action where an entry is none: a fault of the sensor, and nobody learns from it', async () => {
    for (const told of [Float32Array.of(Number.NaN, 0, 0, 0, 0, 0, 1), new Float32Array(3), asked.map(() => 1.5)]) {
      const robot = aRobot(told)
      await expect(robot.step(asked)).rejects.toThrow('which is no action')
      expect(robot.fault?.kind).toBe('sensor')
    }
  })
})
