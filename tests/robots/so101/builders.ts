/** @file An arm behind its simulated bus, with hands on everything that can go wrong with it. */
import { So101Config } from '../../../src/robots/so101/config.ts'
import { JOINTS, type JointName } from '../../../src/robots/so101/joints.ts'
import type { SimulatedBus } from '../../../src/robots/so101/simulated/bus.ts'
import { simulatedSo101 } from '../../../src/robots/so101/simulated/so101.ts'

export const armConfig = (settings: object = {}): So101Config =>
  So101Config.parse({
    kind: 'so101',
    port: 'simulated',
    tasks: { reach: { instruction: 'reach the red mark', maxSteps: 30 } },
    ...settings,
  })

export const servoOf = (bus: SimulatedBus, joint: JointName) => bus.servos[JOINTS.indexOf(joint)]!

export async function anArm(settings: object = {}, meddle?: (bus: SimulatedBus) => void) {
  const config = armConfig(settings)
  const { so101, ...hands } = await simulatedSo101(config, meddle)
  return { config, robot: so101, ...hands }
}
