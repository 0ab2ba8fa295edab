/** @file `duet learner`: learns from robots that act in other processes. */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { Command } from 'commander'
import type { Address, Console } from '../console/server/open.ts'
import { InputError } from '../errors.ts'
import { FleetFolder } from '../fleet/folder.ts'
import type { Access } from '../fleet/invitation.ts'
import { goOnWithNewest, rollBack } from '../fleet/versions.ts'
import { Failure } from '../loop/failure.ts'
import { formatSummary } from '../metrics/summary.ts'
import { healthListener } from '../review/health/watch.ts'
import { reportListener } from '../review/report/index.ts'
import { describeRobot } from '../robots/index.ts'
import type { RunConfig } from '../run/config.ts'
import type { RunFolder } from '../run/folder.ts'
import type { RunListener } from '../run/train.ts'
import { requireEncoder } from '../vla/open.ts'
import { consoleOptions, whereabouts } from './console.ts'
import { endBySteps, endWith } from './ends.ts'
import { fleetRun, type RunOptions, runOptions } from './fleet-run.ts'
import { ProgressDisplay } from './progress.ts'

type Options = RunOptions & Address & { broker?: string; key?: string; json?: boolean; console?: boolean }

export function register(program: Command): void {
  consoleOptions(runOptions(program.command('learner')))
    .description('the learner of a fleet: robots act in other processes, on this machine or others; docs/fleet.md')
    .argument('<run>', 'folder of the run, which is made where there is none')
    .option('--broker <url>', 'NATS broker, nats:// or tls://; by default that of `duet fleet up`')
    .option('--key <file>', 'with --broker: the secret of an nkey that may publish and hear duet.<run>.>')
    .option('--console', 'show the fleet in the browser: who needs help, figures, weights to go back to')
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
  const { folder, config, settings, listeners } = fleetRun(path, options, (line) => display.say(line))
  await requireEncoder(config.vla, config.vlaPath, config.device)
  const access = await accessOf(folder, options)
  const operating = options.console ? await openConsole(folder, config, options) : undefined
  const failure = new Failure()
  failure.onFailure((error) => {
    display.close()
    operating?.observer.closed({ error })
    endWith(error)
  })
  const { stop, takeBack } = endBySteps(failure, (line) => display.say(line))
  try {
    const summary = await runLearner(folder, config, access, settings, {
      onProgress: (progress) => display.show(progress),
      onNotice: (line) => display.say(line),
      stop,
      failure,
      onStatus: (status) => operating?.observer.fleetIs(status),
      listeners: [
        ...listeners,
        healthListener(({ appeared, cleared }) => {
          for (const { sign, words, figure, advice } of appeared)
            display.say(`Health: ${sign}. ${words} (${figure}.) ${advice}.`)
          for (const { sign } of cleared) display.say(`Health: ${sign}: cleared.`)
        }),
        reportListener,
        ...(operating ? [tellingPages(operating)] : []),
      ],
    })
    display.close()
    operating?.observer.closed({ summary })
    if (options.json) process.stdout.write(`${JSON.stringify(summary)}\n`)
    else if (Object.keys(summary.tasks).length > 0) process.stdout.write(`\n${formatSummary(summary)}\n`)
  } finally {
    display.close()
    takeBack()
    await operating?.server.close()
  }
}

/** The page, which says where it is on a line of its own. */
async function openConsole(folder: RunFolder, config: RunConfig, options: Options): Promise<Console> {
  const { openFleetConsole } = await import('../console/server/open.ts')
  const fleet = new FleetFolder(folder.path)
  const { tasks, rate } = describeRobot(config.robot, config.robot.cells[0]!)
  const operating = await openFleetConsole(
    folder.path,
    {
      folder: folder.path,
      run: basename(folder.path),
      settings: config,
      tasks: Object.entries(tasks).map(([name, task]) => ({ name, ...task, trained: config.tasks.includes(name) })),
      controlRate: rate,
      rollBack: (version, by) => {
        try {
          if (version === null) goOnWithNewest(fleet)
          else rollBack(fleet, version, `${by}, at the console`)
          return undefined
        } catch (error) {
          return (error as Error).message
        }
      },
    },
    options,
  )
  const lines = whereabouts(operating)
  if (options.json) process.stderr.write(lines)
  else process.stdout.write(lines)
  return operating
}

const tellingPages = ({ observer }: Console): RunListener => ({
  started: ({ metrics, past }) => {
    observer.started({ past, followsCommands: false })
    metrics.listen((metric) => observer.metric(metric))
  },
})

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
