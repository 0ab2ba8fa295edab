/** @file Stops a robot behind ROS from beside whoever drives it: rosbridge takes any number of clients. */
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { InputError } from '../../errors.ts'
import type { Pose } from '../../robot/rotation.ts'
import { Bridge } from './bridge.ts'
import type { RosConfig } from './config.ts'
import { Echo } from './echo.ts'
import { readPose, typeName } from './messages.ts'
import { motionOf } from './motion.ts'
import { rosSpec } from './spec.ts'

const EVERY = 20 // ms between two commands: more often than anybody else's
const LASTS = 2000 // ms
const COMES_BACK = 1000 // ms in which a bridge that is alive passes on what it was told

/**
 * Says for two seconds to stand still, and on the topic of the emergency stop, where there is one, that it is pressed.
 * @returns what was done @throws InputError if the bridge cannot be reached, nothing could be said, or the bridge did not pass it on
 */
export async function stopRos(config: RosConfig): Promise<string> {
  const { address, patience, version, command, pose, estop } = config
  const bridge = await Bridge.connect(address, 1000 * patience, { lost: () => {}, refused: () => {} })
  try {
    let tool: Pose | null = null
    bridge.subscribe(pose, typeName('geometry_msgs/PoseStamped', version), 0, (message) => {
      try {
        tool ??= readPose(message, version)?.value ?? null // where it stands now: to follow it would be no stop
      } catch {} // a robot that has lost its state is to be stopped all the same
    })
    let said = 0
    let presses = 0
    const echo = new Echo()
    const publish = (topic: string, message: object): boolean => {
      const goes = bridge.publish(topic, message)
      if (goes) echo.said(topic, message, performance.now())
      return goes
    }
    const listen = (topic: string, type: string) =>
      bridge.subscribe(topic, typeName(type, version), 0, (message) => echo.heard(topic, message))
    const say = (message: object) => void (publish(command.topic, message) && said++)
    const motion = motionOf(command, rosSpec(config), say, () => {})
    bridge.advertise(command.topic, typeName(motion.type, version))
    listen(command.topic, motion.type)
    if (estop) {
      bridge.advertise(estop, typeName('std_msgs/Bool', version))
      listen(estop, 'std_msgs/Bool')
    }
    for (let passed = 0; passed < LASTS; passed += EVERY) {
      if (estop && publish(estop, { data: true })) presses++
      motion.halt(tool)
      await sleep(EVERY)
    }
    const unheard = [command.topic, ...(estop ? [estop] : [])].find(
      (topic) => echo.lag(topic, performance.now()) > COMES_BACK,
    )
    if (unheard !== undefined)
      throw new InputError(unheard, 'what was said there has not come back: the bridge does not pass it on', HARDWARE)
    const pressed = `${estop} says that the emergency stop is pressed, until somebody says there that it is not. `
    const before = presses > 0 ? pressed : ''
    if (said > 0) return `${before}For ${LASTS / 1000} s it was told on ${command.topic} to stand still.`
    const why = bridge.isOpen ? `no pose that can be read came on ${pose}` : 'the connection was lost'
    const nothing = `was told nothing: ${why}`
    if (presses > 0) return `${before}On ${command.topic} it ${nothing}.`
    throw new InputError(command.topic, nothing, HARDWARE)
  } finally {
    await bridge.close()
  }
}

const HARDWARE = 'If the robot still moves, use its hardware stop'
