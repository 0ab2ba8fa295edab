/** @file Opens an arm behind a SERL server: looks whether all is there, and moves nothing. */
import { openCameras } from '../../robot/cameras/open.ts'
import { FaultFile } from '../../robot/fault-file.ts'
import { safetyLimitsOf } from '../../robot/real-config.ts'
import type { Rig, RigOptions } from '../../robot/rig.ts'
import { SafeRobot } from '../../robot/safety.ts'
import type { SerlConfig } from './config.ts'
import { asInputError, ServerConnection } from './connection.ts'
import { SerlRobot } from './robot.ts'
import { expectStartsWithin, serlSpec } from './spec.ts'
import { readState } from './state.ts'

/** @throws InputError where limits contradict each other, the server does not answer as one, or a camera shows nothing */
export async function openSerl(config: SerlConfig, cell: string, { blind }: RigOptions = {}): Promise<Rig> {
  const spec = serlSpec(blind ? { ...config, cameras: {} } : config, cell)
  const limits = safetyLimitsOf(config.safety, spec)
  expectStartsWithin(config, spec)
  const server = new ServerConnection(config.servers[cell] ?? config.url, config.patience)
  try {
    await readState(server, config.gripper)
    const cameras = await openCameras(blind ? {} : config.cameras)
    const robot = new SafeRobot(new SerlRobot({ spec, config, server, cameras }), {
      limits,
      faults: new FaultFile(spec.name),
    })
    return {
      cell,
      robot,
      reset: config.reset,
      real: true,
      ...(robot.parks && { leave: () => robot.park() }),
      async close() {
        await robot.stop().catch(() => {}) // one that cannot be told has a fault, which is kept
        await cameras.close()
        server.close()
      },
    }
  } catch (error) {
    server.close()
    throw asInputError(error)
  }
}
