/** @file The simulated workcell behind a stand-in rosbridge: what the robot tells is where the simulated tool is. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { RosRobot } from '../../../src/robots/ros/robot.ts'
import { serveRosbridge } from '../../../src/robots/ros/serve/workcell.ts'
import { Workcell } from '../../../src/robots/workcell/workcell.ts'
import { rosConfig } from './opened.ts'

let workcell: Workcell
let served: Awaited<ReturnType<typeof serveRosbridge>>
let robot: RosRobot

beforeAll(async () => {
  workcell = await Workcell.create({ arm: 'gantry', cameras: false })
  served = await serveRosbridge(workcell, { port: 0, task: 'pick' })
  const { actionScale, rate } = workcell.spec
  robot = await RosRobot.open(rosConfig(Number(new URL(served.address).port), { actionScale, rate }))
})
afterAll(async () => {
  await robot.close()
  await served.close()
  workcell.free()
})

it('is driven over the wire: it goes up as it is told, and closes its gripper', async () => {
  const start = await robot.reset('reach')
  const truth = () => workcell.truth().tcp.position
  for (const [axis, value] of truth().entries()) expect(start.proprio[axis]).toBeCloseTo(value, 5)
  for (let step = 0; step < 6; step++) await robot.step(Float32Array.of(0, 0, 1, 0, 0, 0, 1))
  const { proprio } = await robot.observe()
  expect(proprio[2]! - start.proprio[2]!).toBeGreaterThan(workcell.spec.actionScale.translation)
  expect(workcell.truth().gripper.command).toBe('close')
  await robot.stop()
})

it('starts anew when its service is called, in another scene each time', async () => {
  const positions = []
  for (let i = 0; i < 2; i++) positions.push([...(await robot.reset('reach')).proprio.subarray(0, 3)])
  expect(positions[0]).not.toEqual(positions[1])
})
