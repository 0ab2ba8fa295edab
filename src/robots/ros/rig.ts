/** @file Opens a robot behind ROS for a run: behind its envelope, watched over, its faults kept. */
import { FaultFile } from '../../robot/fault-file.ts'
import { safetyLimitsOf } from '../../robot/real-config.ts'
import type { Rig, RigOptions } from '../../robot/rig.ts'
import { SafeRobot } from '../../robot/safety.ts'
import type { RosConfig } from './config.ts'
import { RosRobot } from './robot.ts'
import { rosSpec } from './spec.ts'

export async function openRos(config: RosConfig, cell: string, { blind }: RigOptions = {}): Promise<Rig> {
  const limits = safetyLimitsOf(config.safety, rosSpec(config)) // before anything is connected
  const robot = await RosRobot.open(blind ? { ...config, cameras: {} } : config)
  try {
    const safe = new SafeRobot(robot, { limits, faults: new FaultFile(config.name) })
    return {
      cell,
      robot: safe,
      ...(safe.parks && { leave: () => safe.park() }),
      reset: config.reset === 'person' ? 'person' : 'itself',
      real: true,
      close: () => robot.close(),
    }
  } catch (error) {
    await robot.close()
    throw error
  }
}
