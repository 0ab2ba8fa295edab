/** @file The safety limits of a robot that can break, as its config says them. */
import { describe, expect, it } from 'vitest'
import { expectTask, RealSafetyConfig, safetyLimitsOf, TasksConfig } from '../../src/robot/real-config.ts'

const box = { low: [0.3, -0.2, 0.01], high: [0.6, 0.2, 0.4] }
const arm = { name: 'franka-A', rate: 10, actionScale: { translation: 0.01, rotation: 0.06 } }
const limits = (settings: object, robot = arm) =>
  safetyLimitsOf(RealSafetyConfig.parse({ workBox: box, speed: 0.15, ...settings }), robot)

describe('safety limits in the config of a real robot', () => {
  it('have a work box and a speed that somebody thought of, and ages that are finite by themselves', () => {
    expect(() => RealSafetyConfig.parse({ speed: 1 })).toThrow()
    expect(() => RealSafetyConfig.parse({ workBox: box })).toThrow()
    expect(limits({})).toMatchObject({ workBox: box, commandAge: 0.3, heartbeatAge: 1, pictureAge: 0.5, force: 30 })
  })

  it.each([
    [{ workBox: { low: [0.6, -0.2, 0], high: [0.3, 0.2, 1] } }, 'each low must be below its high'],
    [{ workBox: { low: [0.3, 0.2, 0], high: [0.6, 0.2, 1] } }, 'each low must be below its high'],
    [{ workBox: { ...box, turn: { low: [0, 0, 0.2], high: [0.1, 0.1, 0.1] } } }, 'each low must be below its high'],
    [{ workBox: { ...box, turn: { low: [0, -1, 0], high: [1, 1.6, 1] } } }, 'the pitch reaches from -1.57 to 1.57'],
    [{ standing: 0 }, 'standing'],
    [{ commandAge: Number.POSITIVE_INFINITY }, 'commandAge'],
    [{ heartbeatAge: 0 }, 'heartbeatAge'],
    [{ force: -1 }, 'force'],
    [{ change: 3 }, 'change'],
    [{ colour: 'red' }, 'colour'],
  ])('are refused where one alone is wrong: %j', (settings, words) => {
    expect(() => limits(settings)).toThrow(words)
  })

  it.each([
    [{ speed: 0.09 }, 'franka-A, safety.speed: is 0.09 m/s, and an action of size 1 asks for 0.100 m/s'],
    [{ jump: 0.009 }, 'franka-A, safety.jump: is 0.009 m, and an action of size 1 asks for 0.01 m'],
    [{ commandAge: 0.1 }, 'franka-A, safety.commandAge: is 0.1 s, and a step takes 0.1 s'],
    [{ heartbeatAge: 0.05 }, 'safety.heartbeatAge: is 0.05 s'],
    [{ workBox: { low: [0.3, -0.2, 0.1], high: [0.6, 0.2, 0.105] } }, 'is 0.00500 m wide on z, less than one step'],
  ])('are refused where they contradict each other or the robot: %j', (settings, words) => {
    expect(() => limits(settings)).toThrow(words)
  })

  it('may be as fast as an action of size 1 asks for, not slower', () => {
    expect(() => limits({ speed: 0.1 })).not.toThrow()
    expect(() => limits({ speed: 0.15 }, { ...arm, rate: 20 })).toThrow('asks for 0.200 m/s')
  })
})

describe('tasks in the config', () => {
  it('have an instruction and a length, and there is at least one', () => {
    expect(TasksConfig.parse({ pick: { instruction: 'pick up the bolt', maxSteps: 100 } })).toEqual({
      pick: { instruction: 'pick up the bolt', maxSteps: 100 },
    })
    for (const wrong of [{}, { pick: { instruction: '', maxSteps: 9 } }, { pick: { instruction: 'go', maxSteps: 0 } }])
      expect(() => TasksConfig.parse(wrong)).toThrow()
  })

  it('are named where another one is asked for', () => {
    const tasks = { pick: { instruction: 'pick', maxSteps: 9 }, place: { instruction: 'place', maxSteps: 9 } }
    expect(() => expectTask({ name: 'franka-A', tasks }, 'juggle')).toThrow(
      'franka-A: has no task "juggle". It has: pick, place',
    )
    expect(() => expectTask({ name: 'franka-A', tasks }, 'toString')).toThrow()
    expect(() => expectTask({ name: 'franka-A', tasks }, 'pick')).not.toThrow()
  })
})
