/** @file A whole arm in this process: simulated servos behind the real driver; time passes only when the arm moves, its cameras are drawn. */
import { Arm } from '../arm.ts'
import { SimulatedClock } from '../clock.ts'
import type { So101Config } from '../config.ts'
import type { BusOptions } from '../feetech/bus.ts'
import { So101 } from '../robot.ts'
import { SIMULATED_CALIBRATION, simulatedServos } from './arm.ts'
import { SimulatedBus } from './bus.ts'
import { SimulatedLine } from './line.ts'
import { simulatedPictures } from './picture.ts'

/** The simulated wire answers before any timer runs: nobody waits for it, but where a servo is silent. */
const AT_ONCE: BusOptions = { patience: 5, scanPatience: 5, quiet: 1 }

/** `meddle`: what is done to the servos before anybody connects to them. */
export async function simulatedSo101(config: So101Config, meddle: (bus: SimulatedBus) => void = () => {}) {
  const clock = new SimulatedClock()
  const bus = new SimulatedBus(simulatedServos(), () => clock.now())
  meddle(bus)
  let line = new SimulatedLine(bus)
  const connect = () => {
    line = new SimulatedLine(bus)
    return Arm.connect(line, SIMULATED_CALIBRATION, AT_ONCE)
  }
  const so101 = await So101.open(config, {
    connect,
    clock,
    pictures: (angles, task) => ({ images: simulatedPictures(angles, config.places[task]?.position) }),
  })
  return { so101, clock, bus, unplug: () => line.unplug() }
}
