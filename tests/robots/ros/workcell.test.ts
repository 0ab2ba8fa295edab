/** @file The simulated workcell behind a stand-in rosbridge: what the robot tells is where the simulated tool is. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { RosRobot } from '../../../src/robots/ros/robot.ts'
import { serveRosbridge } from '../../../src/robots/ros/serve/workcell.ts'
import { rosConfig } from './opened.ts'

let served: Awaited<ReturnType<typeof serveRosbridge>>
let robot: RosRobot

beforeAll(async () => {
  served = await serveRosbridge({
    port: 0,
    task: 'pick',
    seed: 1,
    cell: { arm: 'gantry', cameras: false },
    truth: true,
  })
  const { actionScale, rate } = served.plant.cell.spec
  robot = await RosRobot.open(rosConfig(Number(new URL(served.address).port), { actionScale, rate }))
})
afterAll(async () => {
  await robot.close()
  await served.close()
})

it('is driven over the wire: it goes up as it is told, and closes its gripper', async () => {
  const start = await robot.reset('reach')
  const { cell } = served.plant
  const { position } = cell.truth().tcp
  for (const [axis, value] of position.entries()) expect(start.proprio[axis]).toBeCloseTo(value, 2)
  for (let step = 0; step < 6; step++) await robot.step(Float32Array.of(0, 0, 1, 0, 0, 0, 1))
  const { proprio } = await robot.observe()
  expect(proprio[2]! - start.proprio[2]!).toBeGreaterThan(cell.spec.actionScale.translation)
  expect(cell.truth().gripper.command).toBe('close')
  await robot.stop()
})

it('hears of a hand that opens its gripper until it is told something itself', async () => {
  const { cell } = served.plant
  const asked = ({ proprio }: { proprio: Float32Array }) =>
    proprio[robot.spec.channels.findIndex(({ role }) => role === 'grip')]
  const seen = (grip: number) => expect.poll(async () => asked(await robot.observe()), { timeout: 10_000 }).toBe(grip)
  await robot.reset('reach')
  served.plant.lay({ task: 'assemble', seed: 3 }) // a bolt in its hand
  await seen(1)
  served.plant.lay({ task: 'pick', seed: 3 })
  await seen(-1)
  await robot.step(Float32Array.of(0, 0, 0, 0, 0, 0, 1))
  served.plant.lay({ task: 'pick', seed: 4 })
  expect(cell.truth().gripper.command).toBe('open')
  for (let look = 0; look < 5; look++) expect(asked(await robot.observe())).toBe(1) // as it was told last
  await robot.stop()
})

it('starts anew when its service is called, in another scene each time', async () => {
  const positions = []
  for (let i = 0; i < 2; i++) positions.push([...(await robot.reset('reach')).proprio.subarray(0, 3)])
  expect(positions[0]).not.toEqual(positions[1])
})

it('stamps for its tests what it is told, a stop as a command to stay, and can fall silent', async () => {
  const post = async (path: string, body: object = {}) =>
    (
      await fetch(`${served.address.replace('ws', 'http')}/truth${path}`, {
        method: 'POST',
        body: JSON.stringify(body),
      })
    ).json()
  const commands = async () => ((await post('/commands', { since: 0 })) as { commands: { motion: boolean }[] }).commands
  await post('/lay', { task: 'pick', seed: 7 })
  await robot.reset('reach')
  const before = (await commands()).length
  await robot.step(Float32Array.of(0, 0, 1, 0, 0, 0, 0))
  await robot.stop()
  await expect.poll(async () => (await commands()).slice(before).map(({ motion }) => motion)).toEqual([true, false])
  await post('/fault', { name: 'silent', on: true })
  const goOn = async () => {
    for (;;) await robot.step(Float32Array.of(0, 0, 1, 0, 0, 0, 0)) // what it read last is young enough for a while
  }
  await expect(goOn()).rejects.toThrow(/old, the limit is/)
  await post('/fault', { name: 'silent', on: false })
})
