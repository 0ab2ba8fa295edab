/** @file An arm behind a SERL server is stopped by a process that has nothing to do with the one that drives it. */
import { afterEach, expect, it } from 'vitest'
import { safetyLimitsOf } from '../../../src/robot/real-config.ts'
import { SafeRobot } from '../../../src/robot/safety.ts'
import { stopSerl } from '../../../src/robots/serl/stop.ts'
import { type SerlCell, serlCell } from './cell.ts'

let cell: SerlCell
afterEach(() => cell.close())

it('stays where it is, whatever poses its driver goes on to send, until its controller is started again', async () => {
  cell = await serlCell()
  const { plant, config } = cell
  const ages = { commandAge: 1000, heartbeatAge: 1000 } // a busy machine must not end this test
  const limits = { ...safetyLimitsOf(config.safety, cell.robot.spec), ...ages }
  const robot = new SafeRobot(cell.robot, { limits })
  const x = () => plant.state.tool.position[0]
  const push = () => robot.step(Float32Array.of(1, 0, 0, 0, 0, 0, 0))
  await robot.reset('pick')
  const from = x()
  await push()
  await push()
  expect(x()).toBeGreaterThan(from + 0.005)
  expect(await stopSerl(config, 'A')).toContain('startimp')
  plant.pass(0.5)
  const stopped = x()
  const pushed = (async () => {
    for (let k = 0; k < 5; k++) await push()
  })()
  await expect(pushed).rejects.toThrow('stands still') // which is all that can be seen of it from here
  expect(Math.abs(x() - stopped)).toBeLessThan(0.001)
  plant.startController()
  robot.clearFault()
  for (let k = 0; k < 3; k++) await push()
  expect(x()).toBeGreaterThan(stopped + 0.005)
})

it('says so where the server does not answer', async () => {
  cell = await serlCell()
  const nobody = { ...cell.config, url: 'http://127.0.0.1:9/' }
  await expect(stopSerl(nobody, 'A')).rejects.toThrow('nobody listens there')
})
