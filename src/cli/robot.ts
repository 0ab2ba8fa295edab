/** @file `duet robot`: bringing one up, stopping it from elsewhere, what holds those that stopped with a fault, and a person's word that they may move again. */
import type { Command } from 'commander'
import { InputError } from '../errors.ts'
import { describeFault } from '../robot/fault.ts'
import { FaultFile, keptFaults } from '../robot/fault-file.ts'
import { noteOrder } from '../robot/order-log.ts'
import { registerCheck } from './robot-check.ts'
import { registerStop } from './robot-stop.ts'

export function register(program: Command): void {
  const robot = program
    .command('robot')
    .description('bringing a robot up, and faults that hold robots from one session to the next')
  registerCheck(robot)
  registerStop(robot)
  robot
    .command('faults')
    .description('list the robots that hold, and why')
    .option('--json', 'print one JSON object on standard output')
    .addHelpText('after', '\nExample:\n  duet robot faults\n')
    .action(list)
  robot
    .command('clear')
    .description('let a robot move again; look at it first')
    .argument('<name>', 'as `duet robot faults` lists it')
    .addHelpText('after', '\nExample:\n  duet robot clear so101-left\n')
    .action(clear)
}

function list({ json }: { json?: boolean }): void {
  const faults = keptFaults()
  if (json) process.stdout.write(`${JSON.stringify({ faults })}\n`)
  else if (faults.length === 0) process.stdout.write('No robot holds after a fault.\n')
  else for (const fault of faults) process.stdout.write(`${fault.robot}  ${fault.at}  ${describeFault(fault)}\n`)
}

function clear(name: string): void {
  const file = new FaultFile(name)
  const fault = file.read()
  if (!fault) throw new InputError(`robot "${name}"`, 'holds after no fault', 'See `duet robot faults`')
  file.clearForNext()
  noteOrder('clear', name)
  process.stdout.write(`${name} may move again. It held after: ${describeFault(fault)}\n`)
}
