/** @file Stops a robot behind ROS from beside whoever drives it: rosbridge takes any number of clients. */
import { setTimeout as sleep } from 'node:timers/promises'
import { InputError } from '../../errors.ts'
import type { Pose } from '../../robot/rotation.ts'
import { Bridge } from './bridge.ts'
import type { RosConfig } from './config.ts'
import { readPose, typeName } from './messages.ts'
import { motionOf } from './motion.ts'
import { rosSpec } from './spec.ts'

const EVERY = 20 // ms between two commands: more often than anybody else's
const LASTS = 2000 // ms

/**
 * Says for two seconds to stand still, and on the topic of the emergency stop, where there is one, that it is pressed.
 * @returns what was done @throws InputError if the bridge cannot be reached, or nothing could be said
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
    const say = (message: object) => void (bridge.publish(command.topic, message) && said++)
    const motion = motionOf(command, rosSpec(config), say, () => {})
    bridge.advertise(command.topic, typeName(motion.type, version))
    if (estop) bridge.advertise(estop, typeName('std_msgs/Bool', version))
    for (let passed = 0; passed < LASTS; passed += EVERY) {
      if (estop && bridge.publish(estop, { data: true })) presses++
      motion.halt(tool)
      await sleep(EVERY)
    }
    const pressed = `${estop} says that the emergency stop is pressed, until somebody says there that it is not. `
    const before = presses > 0 ? pressed : ''
    if (said > 0) return `${before}For ${LASTS / 1000} s it was told on ${command.topic} to stand still.`
    const why = bridge.isOpen ? `no pose that can be read came on ${pose}` : 'the connection was lost'
    const nothing = `was told nothing: ${why}`
    if (presses > 0) return `${before}On ${command.topic} it ${nothing}.`
    throw new InputError(command.topic, nothing, 'If the robot still moves, use its hardware stop')
  } finally {
    await bridge.close()
  }
}
