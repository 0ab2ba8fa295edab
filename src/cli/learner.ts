/** @file `duet learner`: learns from robots that act in other processes. */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { Command } from 'commander'
import { InputError } from '../errors.ts'
import { FleetFolder } from '../fleet/folder.ts'
import type { Access } from '../fleet/invitation.ts'
import { Failure } from '../loop/failure.ts'
import { formatSummary } from '../metrics/summary.ts'
import { healthListener } from '../review/health/watch.ts'
import { reportListener } from '../review/report/index.ts'
import type { RunFolder } from '../run/folder.ts'
import { requireEncoder } from '../vla/open.ts'
import { endBySteps, endWith } from './ends.ts'
import { fleetRun, type RunOptions, runOptions } from './fleet-run.ts'
import { ProgressDisplay } from './progress.ts'

type Options = RunOptions & { broker?: string; key?: string; json?: boolean }

export function register(program: Command): void {
  runOptions(program.command('learner'))
    .description('the learner of a fleet: robots act in other processes, on this machine or others; docs/fleet.md')
    .argument('<run>', 'folder of the run, which is made where there is none')
    .option('--broker <url>', 'NATS broker, nats:// or tls://; by default that of `duet fleet up`')
    .option('--key <file>', 'with --broker: the secret of an nkey that may publish and hear duet.<run>.>')
    .option('--json', 'print the summary as JSON on standard output')
    .addHelpText(
      'after',
      `
Examples:
  duet fleet up runs/arms --robots 2                     broker, learner and robots on this machine
  duet learner runs/arms --broker nats://10.0.0.5:4222   with a broker of your own
`,
    )
    .action(run)
}

async function run(path: string, options: Options): Promise<void> {
  const { runLearner } = await import('../fleet/learner.ts') // only who takes part in a fleet loads the broker's client
  const display = new ProgressDisplay()
  const { folder, config, listeners } = fleetRun(path, options, (line) => display.say(line))
  await requireEncoder(config.vla, config.vlaPath, config.device)
  const access = await accessOf(folder, options)
  const failure = new Failure()
  failure.onFailure((error) => {
    display.close()
    endWith(error)
  })
  const { stop, takeBack } = endBySteps(failure, (line) => display.say(line))
  try {
    const summary = await runLearner(folder, config, access, {
      onProgress: (progress) => display.show(progress),
      onNotice: (line) => display.say(line),
      stop,
      failure,
      listeners: [
        ...listeners,
        healthListener(({ appeared, cleared }) => {
          for (const { sign, words, figure, advice } of appeared)
            display.say(`Health: ${sign}. ${words} (${figure}.) ${advice}.`)
          for (const { sign } of cleared) display.say(`Health: ${sign}: cleared.`)
        }),
        reportListener,
      ],
    })
    display.close()
    if (options.json) process.stdout.write(`${JSON.stringify(summary)}\n`)
    else if (Object.keys(summary.tasks).length > 0) process.stdout.write(`\n${formatSummary(summary)}\n`)
  } finally {
    display.close()
    takeBack()
  }
}

/** @throws InputError where nobody says how the broker is reached */
async function accessOf({ path }: RunFolder, { broker, key }: Options): Promise<Access> {
  if (broker !== undefined) {
    if (!/^(nats|tls):\/\/\S+$/.test(broker))
      throw new InputError('--broker', `is "${broker}"`, 'Give an address such as nats://127.0.0.1:4222')
    return { url: broker, run: basename(path), seed: key === undefined ? undefined : readFileSync(key, 'utf8').trim() }
  }
  const { learnerAccess, readKeys } = await import('../fleet/keys.ts')
  const fleet = new FleetFolder(path)
  const keys = readKeys(fleet)
  if (!keys) throw new InputError(path, 'has no broker yet', 'Start it with `duet fleet up`, or name one with --broker')
  return learnerAccess(fleet, keys)
}
