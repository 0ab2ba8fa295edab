/** @file A robot behind ROS is stopped by a process that has nothing to do with the one that drives it. */
import { expect, it } from 'vitest'
import { Bridge } from '../../../src/robots/ros/bridge.ts'
import { SERVED } from '../../../src/robots/ros/serve/arm.ts'
import { stopRos } from '../../../src/robots/ros/stop.ts'
import { openStage, rosConfig } from './opened.ts'

it.each(['twist', 'pose'] as const)(
  'in %s mode, while another client goes on to command it',
  async (mode) => {
    const { arm, wire, close } = await openStage()
    const topic = mode === 'twist' ? SERVED.twist : SERVED.target
    const config = rosConfig(wire.port, { command: { mode, topic }, estop: SERVED.estop })
    const driver = await Bridge.connect(config.address, 10_000, { lost: () => {}, refused: () => {} })
    const header = { frame_id: 'base' }
    const twist = { header, twist: { linear: { x: 0.1, y: 0, z: 0 }, angular: { x: 0, y: 0, z: 0 } } }
    const orientation = { w: 0, x: 1, y: 0, z: 0 }
    const ahead = () => ({ header, pose: { position: { x: arm.pose.position[0] + 0.01, y: 0, z: 0.3 }, orientation } })
    const driving = setInterval(() => driver.publish(topic, mode === 'twist' ? twist : ahead()), 50)
    try {
      const from = arm.pose.position[0]
      await expect.poll(() => arm.pose.position[0], { timeout: 10_000 }).toBeGreaterThan(from + 0.02)
      expect(await stopRos(config)).toContain(`${SERVED.estop} says that the emergency stop is pressed`)
      const stopped = arm.pose.position[0]
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect(arm.pose.position[0]).toBeCloseTo(stopped, 4) // the other client still commands it
    } finally {
      clearInterval(driving)
      await driver.close()
      await close()
    }
  },
  60_000,
)

/** An arm whose controller has lost its state: its pose is told as null. */
async function lostArm(changes: Record<string, unknown>) {
  const stage = await openStage()
  stage.arm.pose = { ...stage.arm.pose, position: [Number.NaN, 0, 0.3] }
  return { ...stage, config: rosConfig(stage.wire.port, changes) }
}

it('by twists, also where the tool reads as no number', async () => {
  const { arm, config, close } = await lostArm({ command: { mode: 'twist', topic: SERVED.twist } })
  try {
    expect(await stopRos(config)).toBe('For 2 s it was told on /twist_command to stand still.')
    expect(arm.told.filter(({ linear }) => linear).length).toBeGreaterThan(20)
  } finally {
    await close()
  }
}, 60_000)

it('by poses says what it could not tell a tool that reads as no number, and presses the emergency stop where there is one', async () => {
  const { arm, config, close } = await lostArm({})
  const nothing = 'was told nothing: no pose that can be read came on /tool_pose'
  try {
    await expect(stopRos(config)).rejects.toThrow(nothing)
    const pressed = await stopRos({ ...config, estop: SERVED.estop })
    expect(pressed).toContain(`${SERVED.estop} says that the emergency stop is pressed`)
    expect(pressed).toContain(nothing)
    expect(arm.told.filter(({ aim }) => aim)).toEqual([])
  } finally {
    await close()
  }
}, 60_000)

it('says that nothing was passed on by a bridge that takes what it is told, and does nothing with it', async () => {
  const { wire, close } = await openStage()
  const config = rosConfig(wire.port, { command: { mode: 'twist', topic: SERVED.twist } })
  const freezing = setTimeout(() => wire.freeze(), 500)
  try {
    const remedy = 'If the robot still moves, use its hardware stop'
    await expect(stopRos(config)).rejects.toThrow(
      `${SERVED.twist}: what was said there has not come back: the bridge does not pass it on. ${remedy}`,
    )
  } finally {
    clearTimeout(freezing)
    await close()
  }
}, 60_000)
