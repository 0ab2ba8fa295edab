/** @file `duet robot stop` and `park`: a way to a robot that shares nothing with the process that drives it, and the way to its rest. */
import type { Command } from 'commander'
import { command } from '../robot/commanded.ts'
import { FaultFile } from '../robot/fault-file.ts'
import { noteOrder, whoIsThere } from '../robot/order-log.ts'
import { describeRobot, openRig, stopOf } from '../robots/index.ts'
import { cellIn, robotIn } from './robot-config.ts'

type Options = { config: string; cell?: string }

export function registerStop(robot: Command): void {
  const onRobot = (name: string, description: string) =>
    robot
      .command(name)
      .description(description)
      .requiredOption('--config <file>', 'YAML file with the settings of the robot, or the config.yaml of its run')
      .option('--cell <name>', 'which of several robots; by default the first')
  onRobot('stop', 'stop a robot from another process than the one that drives it; it holds until a person clears it')
    .addHelpText(
      'after',
      `
Example:
  duet robot stop --config arm.yaml

It takes a second or two to start: the hardware stop is the quick one. docs/real-robots.md says what it does to which robot.
`,
    )
    .action(stop)
  onRobot('park', 'bring a robot slowly to where it rests, through its safety envelope')
    .addHelpText('after', '\nExample:\n  duet robot park --config arm.yaml\n')
    .action(park)
}

/**
 * The fault comes first: a run of this machine heeds it, and no next one moves the robot. A disk that does not take it keeps nobody
 * from stopping the robot.
 */
async function stop({ config: file, cell: wanted }: Options): Promise<void> {
  const config = robotIn(file)
  const cell = cellIn(config, wanted)
  const stopFromHere = stopOf(config)
  const { name } = describeRobot(config, cell)
  const told = `A run that drives it from this machine holds from now on; none moves it before \`duet robot clear ${name}\`.`
  unlessRefused(`The fault of ${name} cannot be kept: no run heeds it`, () => {
    new FaultFile(name).write({ kind: 'stopped', what: `stopped by ${whoIsThere()} from a terminal` })
    process.stdout.write(`${told}\n`)
  })
  unlessRefused('Who told it to stop cannot be written down', () => noteOrder('stop', name))
  process.stdout.write(`${await stopFromHere(cell)}\n`)
}

/** Goes on where the disk refuses; that is said, and the command fails in the end. */
function unlessRefused(what: string, work: () => void): void {
  try {
    work()
  } catch (error) {
    process.stderr.write(`${what} (${(error as Error).message}).\n`)
    process.exitCode = 2
  }
}

async function park({ config: file, cell: wanted }: Options): Promise<void> {
  const config = robotIn(file)
  const { robot, close } = await openRig(config, cellIn(config, wanted), { blind: true })
  const release = command(robot)
  try {
    robot.supervisedBy([]) // whoever started this sits at the terminal
    noteOrder('park', robot.spec.name)
    await robot.observe()
    await robot.park()
    process.stdout.write(`${robot.spec.name} is parked.\n`)
  } finally {
    release()
    await close()
  }
}
