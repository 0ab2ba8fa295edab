/** @file An arm behind ROS, held to what a robot promises: ROS 1 and 2, by pose and by twist. */
import { RosRobot } from '../../../src/robots/ros/robot.ts'
import { SERVED } from '../../../src/robots/ros/serve/arm.ts'
import { robotContract } from '../../robot/contract.ts'
import { openStage, rosConfig } from './opened.ts'

for (const [version, mode] of [
  [1, 'pose'],
  [2, 'pose'],
  [2, 'twist'],
] as const)
  robotContract(`an arm behind ROS ${version}, told by ${mode}`, async () => {
    const stage = await openStage({ version })
    const command = { mode, topic: mode === 'pose' ? SERVED.target : SERVED.twist }
    const robot = await RosRobot.open(rosConfig(stage.wire.port, { version, command, rate: 10 }))
    const release = () => void robot.close().then(() => stage.close())
    return { robot, task: 'reach', release }
  })
