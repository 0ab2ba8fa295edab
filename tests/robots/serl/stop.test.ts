/** @file An arm behind a SERL server is stopped by a process that has nothing to do with the one that drives it. */
import { afterEach, expect, it } from 'vitest'
import { stopSerl } from '../../../src/robots/serl/stop.ts'
import { type SerlCell, serlCell } from './cell.ts'

let cell: SerlCell
afterEach(() => cell.close())

it('stays where it is, whatever poses its driver goes on to send, until its controller is started again', async () => {
  cell = await serlCell()
  const { robot, plant, config } = cell
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
  await push()
  await expect(push()).rejects.toThrow('stands still') // which is all that its driver can see of it
  expect(Math.abs(x() - stopped)).toBeLessThan(0.001)
  plant.startController()
  await robot.recover()
  for (let k = 0; k < 3; k++) await push()
  expect(x()).toBeGreaterThan(stopped + 0.005)
})

it('says so where the server does not answer', async () => {
  cell = await serlCell()
  const nobody = { ...cell.config, url: 'http://127.0.0.1:9/' }
  await expect(stopSerl(nobody, 'A')).rejects.toThrow('nobody listens there')
})
