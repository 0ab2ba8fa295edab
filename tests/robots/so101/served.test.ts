/** @file A simulated arm as it is served: its cameras over HTTP, its truth and its faults for tests. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Image } from '../../../src/robot/robot.ts'
import { posture } from '../../../src/robots/so101/chain.ts'
import { encodePacket, INSTRUCTIONS } from '../../../src/robots/so101/feetech/packet.ts'
import { encodeValue, REGISTERS } from '../../../src/robots/so101/feetech/registers.ts'
import { SIMULATED_CALIBRATION, simulatedServos } from '../../../src/robots/so101/simulated/arm.ts'
import { SimulatedBus } from '../../../src/robots/so101/simulated/bus.ts'
import { MarkedArm, serveSimulated } from '../../../src/robots/so101/simulated/served.ts'

const START = [0, -25, 20, 70, 0].map((degrees) => (degrees * Math.PI) / 180)
let now = 0
const bus = new SimulatedBus(simulatedServos(SIMULATED_CALIBRATION, [...START, 1]), () => now)
const plugged: boolean[] = []
const arm = new MarkedArm(bus, (on) => plugged.push(on))
let served: Awaited<ReturnType<typeof serveSimulated>>
beforeAll(async () => {
  served = await serveSimulated(arm, bus, { port: 0, truth: true })
})
afterAll(() => served.close())

const post = async (path: string, body: object = {}) =>
  (await fetch(`${served.address}/truth${path}`, { method: 'POST', body: JSON.stringify(body) })).json()

/** Goals of all six servos in one packet, steps from where each is. */
function sendGoals(change: number): void {
  const goals = bus.servos.flatMap((servo) => [
    servo.get('id'),
    ...encodeValue(REGISTERS.goalPosition, Math.round(servo.told) + change),
  ])
  bus.receive(
    encodePacket(0xfe, INSTRUCTIONS.syncWrite, Uint8Array.from([REGISTERS.goalPosition.address, 2, ...goals])),
  )
}

it('tells where its mark truly is from its tool, and that it was reached', async () => {
  await post('/lay', { task: 'reach', seed: 4 })
  const { away, mark, reward } = (await post('')) as { away: number[]; mark: number[]; reward: number }
  const { position } = posture(START).tool
  for (const axis of [0, 1, 2]) expect(mark[axis]! - away[axis]!).toBeCloseTo(position[axis]!, 2)
  expect(reward).toBe(0)
  arm.mark = [...position]
  expect(await post('')).toMatchObject({ reward: 1, terminated: true })
})

/** How far two pictures are apart in their worst pixel, and in how many numbers at all. */
function apart(one: Image, other: Image) {
  const changes = Array.from(one.data, (value, i) => Math.abs(value - other.data[i]!))
  return { worst: Math.max(...changes), changed: changes.filter((change) => change > 0).length / changes.length }
}
const nextPicture = async (camera: string) => {
  await new Promise((resolve) => setTimeout(resolve, 60))
  return arm.show(camera).image
}

it('shows the mark where it lies: another one, another picture', async () => {
  await post('/lay', { task: 'reach', seed: 4 })
  const first = await nextPicture('front')
  await post('/lay', { task: 'reach', seed: 5 })
  expect(apart(await nextPicture('front'), first).worst).toBeGreaterThan(30)
  const picture = await fetch(`${served.address}/cameras/front.jpg`)
  expect(picture.headers.get('content-type')).toBe('image/jpeg')
})

it.each(['front', 'wrist'])('sees a scene that stands with the noise of a sensor: %s', async (camera) => {
  const { worst, changed } = apart(await nextPicture(camera), await nextPicture(camera))
  expect(worst).toBe(2) // grey levels
  expect(Math.abs(changed - 0.625)).toBeLessThan(0.02) // two of -1, 0, 0, 1 differ in 10 of 16 cases
})

it('stamps goals, and knows one to stay from one to move', async () => {
  sendGoals(40)
  sendGoals(0)
  const { commands } = (await post('/commands', { since: 0 })) as { commands: { motion: boolean }[] }
  expect(commands.map(({ motion }) => motion)).toEqual([true, false])
})

it('can be held up, silenced and unplugged', async () => {
  await post('/fault', { name: 'stalled', on: true })
  const before = bus.servos[0]!.told
  for (const servo of bus.servos) servo.set('torqueEnable', 1)
  sendGoals(100)
  now += 1
  bus.advance()
  expect(bus.servos[0]!.told).toBe(before)
  await post('/fault', { name: 'silent', on: true })
  expect(bus.receive(encodePacket(1, INSTRUCTIONS.ping, new Uint8Array()))).toHaveLength(0)
  await post('/fault', { name: 'silent', on: false })
  expect(bus.receive(encodePacket(1, INSTRUCTIONS.ping, new Uint8Array())).length).toBeGreaterThan(0)
  await post('/fault', { name: 'unplugged', on: true })
  expect(plugged).toEqual([true])
})
