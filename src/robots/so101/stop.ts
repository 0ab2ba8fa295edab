/** @file Stops a desk arm that nobody drives any more. A serial port has one owner: while a run has it, only the run can. */
import { InputError } from '../../errors.ts'
import type { So101Config } from './config.ts'
import { realArm } from './connect.ts'
import { asBusTrouble } from './handshake.ts'

/**
 * The joints stay where they are, under the torque that they have. @returns what was done
 * @throws InputError where the port has another owner, or the arm does not answer
 */
export async function stopSo101(config: So101Config): Promise<string> {
  const arm = await realArm(config)().catch((error: InputError) => {
    throw new InputError(
      error.where,
      `${error.what}: its bus cannot be reached beside whoever has it`,
      "If the arm still moves, switch its own power off, and hold it: that switch is the arm's emergency stop",
      { cause: error },
    )
  })
  try {
    const readings = await arm.read()
    await arm.sendNow(readings.map(({ position }) => position))
    return 'Its joints were told to stay where they are.'
  } catch (error) {
    throw asBusTrouble(config.port, error)
  } finally {
    await arm.close()
  }
}
