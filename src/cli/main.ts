/** @file The `duet` command: one file a subcommand; errors are told in one line. */
import { Command } from 'commander'
import { endWith, watchEnds } from './ends.ts'

watchEnds()

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

const program = new Command('duet')
  .description('Fine-tunes a vision-language-action robot policy with a human in the loop.')
  .showHelpAfterError()
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2)) // as exitCodeOf has it: a user can mend it
  .configureHelp({ sortSubcommands: true })

try {
  const [, , asked = ''] = process.argv
  const wanted = Object.hasOwn(SUBCOMMANDS, asked) ? [SUBCOMMANDS[asked]!] : Object.values(SUBCOMMANDS)
  for (const load of wanted) (await load()).register(program)
  await program.parseAsync()
} catch (error) {
  endWith(error)
}
