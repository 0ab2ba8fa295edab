/** @file What every robot promises, as one specification: run it over each, and give a reason for what one cannot. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { InputError } from '../../src/errors.ts'
import { nameOf, vectorOf } from '../../src/robot/channels.ts'
import { holdAction } from '../../src/robot/guard.ts'
import type { Observation, Robot } from '../../src/robot/robot.ts'
import { findSensorFault } from '../../src/robot/senses.ts'

export type UnderContract = {
  robot: Robot
  task: string // one of its tasks, of at least three steps
  precision?: number // by how much a reading may differ between two starts from one seed; 0 by default
  release(): void
}

export type Exemption = 'goes where it is told' | 'holds still when told to' | 'tells of its gripper'

export function robotContract(
  name: string,
  open: () => Promise<UnderContract>,
  exemptions: Partial<Record<Exemption, string>> = {},
): void {
  describe(`${name}, as a robot`, () => {
    let held: UnderContract
    beforeAll(async () => {
      held = await open()
    })
    afterAll(() => held.release())

    const unless = (exemption: Exemption) => (exemptions[exemption] === undefined ? it : it.skip)
    const sound = (observation: Observation) => expect(findSensorFault(observation, held.robot.spec, 0.5)).toBeNull()
    const tool = ({ proprio }: Observation) => vectorOf(held.robot.spec.channels, 'position')!.map((i) => proprio[i]!)
    const distance = (a: number[], b: number[]) => Math.hypot(...a.map((value, i) => value - b[i]!))

    it('describes itself: rate, channels that differ and can read something, cameras, tasks, the size of an action', () => {
      const { rate, channels, cameras, tasks, actionScale, actionFrame } = held.robot.spec
      expect(rate).toBeGreaterThan(0)
      const names = channels.map(nameOf)
      expect(new Set(names).size).toBe(names.length)
      for (const { low = -1, high = 1 } of channels) expect(low).toBeLessThan(high)
      const roles = channels.flatMap(({ role }) => role ?? [])
      expect(new Set(roles).size).toBe(roles.length)
      for (const { width, height, capture } of Object.values(cameras)) {
        expect(Math.min(width, height)).toBeGreaterThan(0)
        if (capture) expect(Math.min(capture.width / width, capture.height / height)).toBeGreaterThanOrEqual(1)
      }
      expect(Object.keys(tasks)).toContain(held.task)
      for (const { maxSteps, instruction } of Object.values(tasks)) {
        expect(maxSteps).toBeGreaterThan(0)
        expect(instruction).not.toBe('')
      }
      expect(Math.min(actionScale.translation, actionScale.rotation)).toBeGreaterThan(0)
      expect(['base', 'tool']).toContain(actionFrame)
    })

    it('gives sound observations after a reset, at a look and after each step, its clock advancing', async () => {
      const { robot, task } = held
      let last = await robot.reset(task, 1)
      sound(last)
      const seen = await robot.observe()
      sound(seen)
      expect([...seen.proprio]).toEqual([...last.proprio])
      for (let step = 0; step < 2; step++) {
        const { observation, reward, terminated } = await robot.step(holdAction())
        sound(observation)
        expect(observation.time).toBeGreaterThan(last.time)
        expect([0, 1]).toContain(reward)
        if (reward > 0) expect(terminated).toBe(true)
        last = observation
      }
      const { time } = await robot.reset(task, 1)
      expect(time).toBeGreaterThanOrEqual(last.time)
    })

    it('starts from the same scene for the same seed', async () => {
      const { robot, task } = held
      const first = [...(await robot.reset(task, 1)).proprio]
      await robot.step(holdAction())
      const second = [...(await robot.reset(task, 1)).proprio]
      const apart = second.map((value, i) => Math.abs(value - first[i]!))
      expect(Math.max(...apart)).toBeLessThanOrEqual(held.precision ?? 0)
    })

    it('does not change an observation that it has handed out', async () => {
      const { robot, task } = held
      const { proprio } = await robot.reset(task, 1)
      const before = [...proprio]
      await robot.step(Float32Array.of(1, 0, 0, 0, 0, 0, 0))
      await robot.step(Float32Array.of(1, 0, 0, 0, 0, 0, 0))
      expect([...proprio]).toEqual(before)
    })

    it('refuses a task that it does not have, and an action that is none, in words', async () => {
      const { robot, task } = held
      await expect(robot.reset('juggle')).rejects.toThrow(InputError)
      await robot.reset(task, 1)
      await expect(robot.step(new Float32Array(3))).rejects.toThrow(InputError)
      await expect(robot.step(holdAction().fill(Number.NaN))).rejects.toThrow(InputError)
    })

    it('can be stopped at any time, more than once, and be looked at and reset afterwards', async () => {
      const { robot, task } = held
      await robot.stop()
      await robot.reset(task, 1)
      await robot.step(Float32Array.of(0, 0, 1, 0, 0, 0, 0))
      await robot.stop()
      await robot.stop()
      sound(await robot.observe())
      sound(await robot.reset(task, 1))
    })

    unless('goes where it is told')('goes where it is told, in the frame of its base', async () => {
      const { robot, task } = held
      const from = tool(await robot.reset(task, 1))
      let to = from
      for (let step = 0; step < 3; step++)
        to = tool((await robot.step(Float32Array.of(0, 0, 1, 0, 0, 0, 0))).observation)
      expect(to[2]! - from[2]!).toBeGreaterThan(robot.spec.actionScale.translation)
      expect(Math.abs(to[0]! - from[0]!)).toBeLessThan(0.01)
    })

    unless('tells of its gripper')(
      'tells what its gripper is asked for, which stays until an action says otherwise',
      async () => {
        const { robot, task } = held
        const grip = robot.spec.channels.findIndex(({ role }) => role === 'grip')
        const asking = async (entry: number) =>
          (await robot.step(Float32Array.of(0, 0, 0, 0, 0, 0, entry))).observation.proprio[grip]
        await robot.reset(task, 1)
        for (const entry of [1, -1]) {
          expect(await asking(entry)).toBe(entry)
          for (const undecided of [0, 0.5, -0.5]) expect(await asking(undecided)).toBe(entry)
        }
      },
    )

    unless('holds still when told to')('holds still when told to', async () => {
      const { robot, task } = held
      const from = tool(await robot.reset(task, 1))
      const to = tool((await robot.step(holdAction())).observation)
      expect(distance(from, to)).toBeLessThan(0.002)
    })
  })
}
