/** @file `duet steer`: does a trained policy do what it is told? */

import { type Command, InvalidArgumentError, Option } from 'commander'
import { percent } from '../metrics/percent.ts'
import { formatTable } from '../metrics/summary.ts'
import { type DistanceScore, distances } from '../review/distances.ts'
import { type SteerResult, steer } from '../review/steer.ts'
import { DISTANCES } from '../talk/distance.ts'
import { countNumber, wholeNumber } from './options.ts'
import { noSimulation, withTrained } from './with-trained.ts'

type Options = {
  checkpoint: string
  states: number
  seed: number
  noise: 'none' | 'normal'
  millimetres?: number
  json?: boolean
}

export function register(program: Command): void {
  program
    .command('steer')
    .description(
      'how far each command moves the tool along its direction, against no command, from states that the policy visits',
    )
    .requiredOption('--checkpoint <path>', 'a run folder, or one of its checkpoints')
    .option('--states <n>', 'states per task', countNumber, 20)
    .option('--seed <n>', 'chooses the states and the noise', wholeNumber, 0)
    .addOption(new Option('--noise <kind>', 'noise of both modes').choices(['none', 'normal']).default('normal'))
    .option('--millimetres <n>', 'also say how far, along each of the six directions', millimetresNumber)
    .option('--json', 'print one JSON object on standard output')
    .addHelpText(
      'after',
      '\nExamples:\n  duet steer --checkpoint runs/quick --states 30 --json\n  duet steer --checkpoint runs/quick --millimetres 20\n',
    )
    .action(run)
}

function millimetresNumber(text: string): number {
  const [least, most] = [1000 * DISTANCES.least, 1000 * DISTANCES.most]
  const value = Number(text)
  if (!(value >= least && value <= most))
    // no number, too
    throw new InvalidArgumentError(`Give a number from ${least} to ${most}.`)
  return value
}

const run = (options: Options) =>
  withTrained(options.checkpoint, async (trained, display) => {
    const { config, session, perception, policy } = trained
    let done = 0
    const { robot, simulation = noSimulation(robot) } = session.rigs[0]!
    const crew = { robot, simulation, perception, policy, translator: session.translator }
    const { states, seed, noise, millimetres } = options
    const from = { tasks: config.tasks, statesPerTask: states, seed, noise }
    const result = await steer(crew, {
      ...from,
      shift: config.learner.refinement.shift,
      onState: () => display.show({ stage: 'states', done: ++done, total: states * config.tasks.length }),
    })
    const distance = millimetres && (await distances(crew, { ...from, millimetres: [millimetres], as: 'carries' }))[0]
    display.close()
    if (options.json)
      process.stdout.write(`${JSON.stringify({ noiseGain: config.learner.noiseGain, ...result, distance })}\n`)
    else process.stdout.write(`${[format(result), ...(distance ? [said(distance)] : [])].join('\n')}\n`)
  })

function format({ commands, directions, pairs, nullChange, states }: SteerResult): string {
  const rows = Object.entries(commands).map(([command, { further, everyAxis, millimetres, asAsked }]) => [
    command,
    percent(further),
    percent(everyAxis),
    millimetres.toFixed(1),
    percent(asAsked),
  ])
  return [
    formatTable(['command', 'further than "[null]"', 'on every axis', 'mm', 'as far as asked'], rows),
    '',
    `six directions ${percent(directions)}, pairs ${percent(pairs)}, over ${states} states`,
    `"[null]" changes actions by ${(100 * nullChange).toFixed(2)} % of their range`,
  ].join('\n')
}

const said = ({ asked, came, asAsked, inTime, seconds }: DistanceScore) =>
  `of ${asked} mm along one direction it came ${came.toFixed(1)} mm in ${seconds.toFixed(1)} s, give or take 30 % as far as asked in ` +
  `${percent(asAsked)}; its time was over before in ${percent(1 - inTime)}`
