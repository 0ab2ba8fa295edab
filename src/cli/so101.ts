/** @file `duet so101`: SO-100 and SO-101 arms by hand: what is plugged in, how its servos are, letting go, and a simulated one to try with. */
import { type Command, Option } from 'commander'
import { InputError } from '../errors.ts'
import { realClock } from '../robot/clock.ts'
import { Arm } from '../robots/so101/arm.ts'
import { readCalibration, writeCalibration } from '../robots/so101/calibration.ts'
import { troubleIn } from '../robots/so101/feetech/registers.ts'
import { knownPorts, openSerial } from '../robots/so101/feetech/serial.ts'
import { asBusTrouble } from '../robots/so101/handshake.ts'
import { GRIPPER_JOINT, JOINTS, toDegrees } from '../robots/so101/joints.ts'
import { SIMULATED_CALIBRATION, simulatedServos } from '../robots/so101/simulated/arm.ts'
import { SimulatedBus } from '../robots/so101/simulated/bus.ts'
import { SIMULATED_CAMERAS } from '../robots/so101/simulated/picture.ts'
import { Plug } from '../robots/so101/simulated/plug.ts'
import { MarkedArm, serveSimulated } from '../robots/so101/simulated/served.ts'
import { portNumber } from './options.ts'

type Asked = { port: string; arm: string; leader?: boolean; yes?: boolean }

export function register(program: Command): void {
  const so101 = program
    .command('so101')
    .description('SO-100 and SO-101 arms: ports, servos, letting go, a simulated arm')
  so101
    .command('ports')
    .description('list the USB serial adapters that are plugged in')
    .addHelpText('after', '\nExample:\n  duet so101 ports\n')
    .action(ports)
  const onArm = (name: string, description: string) =>
    so101
      .command(name)
      .description(description)
      .requiredOption('--port <port>', '"/dev/ttyACM0", or "serial:" and the number that `duet so101 ports` lists')
      .requiredOption('--arm <id>', 'the id that the arm was calibrated under, or a calibration file')
      .option('--leader', 'the arm is a leader')
  onArm('status', 'check an arm and read each servo; moves nothing')
    .addHelpText('after', '\nExample:\n  duet so101 status --port /dev/ttyACM0 --arm follower\n')
    .action(status)
  onArm('relax', 'take the torque off an arm: it falls unless somebody holds it')
    .option('--yes', 'somebody holds the arm, or it lies')
    .addHelpText('after', '\nExample:\n  duet so101 relax --port /dev/ttyACM0 --arm follower --yes\n')
    .action(relax)
  so101
    .command('simulate')
    .description('serve a simulated arm on a pseudo terminal, until it is interrupted')
    .argument('<port>', 'path under which it appears')
    .addOption(new Option('--calibration <file>', 'write its calibration there').default('so101-simulated.json'))
    .option('--cameras-port <number>', 'also serve two drawn cameras as JPEG streams; 0 takes a free port', portNumber)
    .option(
      '--test-truth',
      'on that port also answer POST below /truth: how the arm truly stands, and faults, for tests',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  duet so101 simulate ./so101-port\n  duet so101 simulate ./so101-port --cameras-port 5001\n',
    )
    .action(simulate)
}

async function ports(): Promise<void> {
  const known = await knownPorts()
  if (known.length === 0) process.stdout.write('No USB serial adapter is plugged in.\n')
  for (const { path, serial, maker } of known)
    process.stdout.write(`${[path, serial && `serial:${serial}`, maker].filter(Boolean).join('  ')}\n`)
}

async function withArm({ port, arm: id, leader }: Asked, use: (arm: Arm) => Promise<void>): Promise<void> {
  const calibration = readCalibration(leader ? 'leader' : 'follower', id)
  const arm = await Arm.connect(await openSerial(port), calibration)
  try {
    await use(arm)
  } catch (error) {
    throw asBusTrouble(port, error)
  } finally {
    await arm.close()
  }
}

const status = (asked: Asked) =>
  withArm(asked, async (arm) => {
    const driven = await arm.driven()
    for (const [j, { position, current, voltage, temperature, status }] of (await arm.read()).entries()) {
      const at = j === GRIPPER_JOINT ? `${(100 * position).toFixed(0)} % open` : `${toDegrees(position).toFixed(1)}°`
      const troubles = troubleIn(status).join(', ') || 'well'
      const rest = [
        `${current.toFixed(2)} A`,
        `${voltage.toFixed(1)} V`,
        `${temperature} °C`,
        driven[j] ? 'torque' : 'no torque',
      ]
      process.stdout.write(`${JOINTS[j]!.padEnd(14)}${at.padStart(10)}  ${rest.join('  ')}  ${troubles}\n`)
    }
  })

async function relax(asked: Asked): Promise<void> {
  if (!asked.yes && !asked.leader)
    throw new InputError('duet so101 relax', 'lets the arm fall', 'Hold it, then say so with --yes')
  await withArm(asked, (arm) => arm.relax())
  process.stdout.write('The arm is without torque.\n')
}

type Simulated = { calibration: string; camerasPort?: number; testTruth?: boolean }

async function simulate(port: string, { calibration, camerasPort, testTruth = false }: Simulated): Promise<void> {
  if (testTruth && camerasPort === undefined)
    throw new InputError('--test-truth', 'needs a port', 'Give --cameras-port, 0 for a free one')
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  process.once('SIGTERM', () => stop.abort())
  writeCalibration(calibration, SIMULATED_CALIBRATION)
  const bus = new SimulatedBus(simulatedServos(), realClock.now)
  const plug = new Plug(bus, port, stop.signal)
  await plug.in()
  process.stdout.write(`A simulated SO-101 is at ${port}, its calibration in ${calibration}.\n`)
  const arm = new MarkedArm(bus, (on) => void (on ? plug.out() : plug.in()))
  const served =
    camerasPort === undefined ? null : await serveSimulated(arm, bus, { port: camerasPort, truth: testTruth })
  for (const camera of served ? Object.keys(SIMULATED_CAMERAS) : [])
    process.stdout.write(`Camera: ${served!.address}/cameras/${camera}.mjpg\n`)
  const looking = setInterval(() => arm.look(), 20)
  await plug.ended
  clearInterval(looking)
  await served?.close()
}
