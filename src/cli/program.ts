/** @file The commands of `duet`: one file a subcommand. */
import { Command, CommanderError } from 'commander'
import { duetVersion } from '../run/version.ts'

/** Each is read when it is asked for: most of a start is the reading of modules, and few need all. */
const SUBCOMMANDS: Record<string, () => Promise<{ register: (program: Command) => void }>> = {
  train: () => import('./train.ts'),
  eval: () => import('./eval.ts'),
  fleet: () => import('./fleet.ts'),
  learner: () => import('./learner.ts'),
  actor: () => import('./actor.ts'),
  robot: () => import('./robot.ts'),
  so101: () => import('./so101.ts'),
  serve: () => import('./serve.ts'),
  steer: () => import('./steer.ts'),
  demo: () => import('./demo.ts'),
  pretrain: () => import('./pretrain.ts'),
  pull: () => import('./pull.ts'),
  push: () => import('./push.ts'),
  doctor: () => import('./doctor.ts'),
  audit: () => import('./audit.ts'),
  cameras: () => import('./cameras.ts'),
  console: () => import('./console.ts'),
  data: () => import('./data.ts'),
  log: () => import('./log.ts'),
  export: () => import('./export.ts'),
  experiments: () => import('./experiments.ts'),
}

/** With the command that is asked for, or where there is no such one, with all. */
export async function duetProgram(asked = ''): Promise<Command> {
  const program = new Command('duet')
    .description('Fine-tunes a vision-language-action robot policy with a human in the loop.')
    .showHelpAfterError()
    .exitOverride()
    .configureHelp({ sortSubcommands: true })
    .option('-V, --version', 'which version this is')
    .on('option:version', () => {
      const version = duetVersion() // asks git: for those who want to know alone
      process.stdout.write(`${version}\n`)
      throw new CommanderError(0, 'commander.version', version)
    })
  const wanted = Object.hasOwn(SUBCOMMANDS, asked) ? [SUBCOMMANDS[asked]!] : Object.values(SUBCOMMANDS)
  for (const load of wanted) (await load()).register(program)
  return program
}

/**
 * Does what these arguments, as in `process.argv`, ask for.
 * @throws CommanderError, told to the user already, where they ask for help or for nothing that there is
 */
export async function runProgram(argv: readonly string[]): Promise<void> {
  await (await duetProgram(argv[2])).parseAsync(argv)
}
