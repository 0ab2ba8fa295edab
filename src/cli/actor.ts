/** @file `duet actor`: one robot of a fleet, on the machine beside it. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import type { Address } from '../console/server/open.ts'
import { readInvitation } from '../fleet/invitation.ts'
import { Failure } from '../loop/failure.ts'
import { mergeSettings } from '../run/resolve.ts'
import { consoleOptions, openConsoleBeside } from './console.ts'
import { endBySteps, endWith } from './ends.ts'
import { overridesAt } from './fleet-run.ts'

type Options = Address & {
  invite: string
  cell?: string
  folder?: string
  runs: string
  set: string[]
  json?: boolean
  console?: boolean
}

export function register(program: Command): void {
  consoleOptions(program.command('actor'))
    .description('one robot of a fleet: acts with the newest policy, tells the learner what happens; docs/fleet.md')
    .requiredOption('--invite <text>', 'the line that `duet fleet invite` printed, or a file that holds it')
    .option('--cell <name>', "which of the run's cells this robot is, where there are several")
    .option('--folder <path>', "this robot's own log and last policy; by default runs/<run>-<robot>")
    .option('--runs <folder>', 'where runs are kept', 'runs')
    .option(
      '--set <name=value>',
      'a setting of this robot alone (robot, operator, device, vlaPath, resnetPath, online.pace), may be repeated',
      (text, all: string[]) => [...all, text],
      [],
    )
    .option('--console', 'open the console of this robot: watch, take over, talk, judge and stop in the browser')
    .option('--json', 'print what happens as lines of JSON on standard output')
    .addHelpText(
      'after',
      `
Examples:
  duet actor --invite duet-eyJ1cmwiOi... --cell B
  duet actor --invite invitation.txt --set robot.port=/dev/ttyACM0 --console
`,
    )
    .action(run)
}

async function run(options: Options): Promise<void> {
  const { invite, cell, folder, runs, set, json } = options
  const { runActor } = await import('../fleet/actor.ts') // only who takes part in a fleet loads the broker's client
  const invitation = readInvitation(existsSync(invite) ? readFileSync(invite, 'utf8') : invite)
  const place = {
    folder: folder ?? join(runs, `${invitation.run}-${invitation.robot}`),
    own: mergeSettings(cell === undefined ? {} : { robot: { cells: [cell] } }, ...overridesAt(set)),
  }
  const say = (line: string) => void process.stderr.write(`${line}\n`)
  const tell = (kind: string, event: object) => {
    if (json) process.stdout.write(`${JSON.stringify({ kind, ...event })}\n`)
  }
  const operating = options.console ? await openConsoleBeside(place.folder, options, say) : undefined // its port may be taken
  const failure = new Failure()
  failure.onFailure(endWith)
  const { stop, takeBack } = endBySteps(failure, say, () => operating?.observer.dismiss())
  try {
    await runActor(invitation, place, {
      observer: operating?.observer,
      page: operating && withoutToken(operating.server.address),
      onNotice: say,
      stop,
      failure,
      onEpisode: ({ episode, task, ending, length, policyVersion }) => {
        tell('episode', { episode, task, ending, length, policyVersion })
        if (!json)
          say(`Episode ${episode}, ${task}: ${ending} after ${length} steps, policy of update ${policyVersion}`)
      },
      onKept: (kept) => tell('kept', kept),
    })
  } finally {
    takeBack()
    await operating?.server.close()
  }
}

/** Whoever looks at the fleet is told where the page is; what opens it is for those who are given it. */
function withoutToken(address: string): string {
  const page = new URL(address)
  page.search = ''
  return page.href
}
