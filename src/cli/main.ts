/** @file The `duet` command: one file a subcommand; errors are told in one line. */
import { Command } from 'commander'
import { register as registerAudit } from './audit.ts'
import { register as registerConsole } from './console.ts'
import { register as registerDemo } from './demo.ts'
import { register as registerDoctor } from './doctor.ts'
import { endWith, watchEnds } from './ends.ts'
import { register as registerEval } from './eval.ts'
import { register as registerExperiments } from './experiments.ts'
import { register as registerLog } from './log.ts'
import { register as registerPretrain } from './pretrain.ts'
import { register as registerPull } from './pull.ts'
import { register as registerRobot } from './robot.ts'
import { register as registerSteer } from './steer.ts'
import { register as registerTrain } from './train.ts'

watchEnds()

const program = new Command('duet')
  .description('Fine-tunes a vision-language-action robot policy with a human in the loop.')
  .showHelpAfterError()
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2)) // as exitCodeOf has it: a user can mend it
  .configureHelp({ sortSubcommands: true })

for (const register of [
  registerTrain,
  registerEval,
  registerRobot,
  registerSteer,
  registerDemo,
  registerPretrain,
  registerPull,
  registerDoctor,
  registerAudit,
  registerConsole,
  registerLog,
  registerExperiments,
])
  register(program)

try {
  await program.parseAsync()
} catch (error) {
  endWith(error)
}
