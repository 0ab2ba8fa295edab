/**
 * @file A whole training in real time with no simulator in its process: one process serves the robot, one trains at its console,
 * one is the person. Writes figures.json and prints a table.
 * `npm run end-to-end -- --robot serl|so101|ros --minutes 20`
 */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Command, Option } from 'commander'
import { formatTable } from '../src/metrics/summary.ts'
import { type PresetName, presets } from '../src/run/presets.ts'
import { type Figures, figuresOf } from './end-to-end/figures.ts'
import type { Process } from './end-to-end/processes.ts'
import { Proof } from './end-to-end/proof.ts'
import type { Report } from './end-to-end/report.ts'
import { ROBOTS, type RobotName, TASK_OF } from './end-to-end/robots.ts'

type Options = {
  robot: RobotName
  minutes: string
  trials: string
  demonstrations: string
  preset: PresetName
  tasks?: string
  folder?: string
  set: string[]
}

const options = new Command('end-to-end')
  .addOption(new Option('--robot <kind>', 'which is served and driven').choices(ROBOTS).default('serl'))
  .option('--minutes <n>', 'of practice', '20')
  .option('--trials <n>', 'of each task in an evaluation', '20')
  .option('--demonstrations <n>', 'of each task, by the person', '10')
  .addOption(new Option('--preset <name>', 'of the training').choices(Object.keys(presets)).default('quick'))
  .option('--tasks <names>', 'with commas between')
  .option('--folder <path>', 'where the run and the figures are kept; by default a new one among temporary files')
  .option('--set <name=value>', 'as of duet train', (text, all: string[]) => [...all, text], [])
  .parse()
  .opts<Options>()

const { robot, preset, set } = options
const folder = options.folder ? resolve(options.folder) : mkdtempSync(join(tmpdir(), 'duet-end-to-end-'))
const proof = await Proof.open({
  ...{ robot, preset, set, folder },
  tasks: (options.tasks ?? TASK_OF[robot]).split(','),
  minutes: Number(options.minutes),
  trials: Number(options.trials),
  demonstrations: Number(options.demonstrations),
})
const servedComesFirst = proof.robot.process.comesFirst
const training = proof.train()
let person: Process | undefined
try {
  person = await proof.person(training)
  const code = await Promise.race([training.end(), person.end()])
  if (code !== 0) throw new Error(`a process ended with ${code}:\n${training.output}\n${person.output}`)
  await person.end()
  const report = JSON.parse(person.output.trim().split('\n').at(-1)!) as Report
  const figures = figuresOf(proof.run, report, await proof.channel.commands(), proof.robot)
  writeFileSync(
    join(folder, 'figures.json'),
    `${JSON.stringify({ robot, minutes: Number(options.minutes), servedComesFirst, ...figures }, null, 2)}\n`,
  )
  process.stdout.write(`${tableOf(figures, servedComesFirst)}\n${join(folder, 'figures.json')}\n`)
} finally {
  person?.kill()
  training.kill('SIGINT')
  proof.close()
}
process.exit(0)

function tableOf(
  { success, practice, received, jitter, latency, ...rest }: Figures,
  servedComesFirst: boolean,
): string {
  const percent = (share: number) => `${Math.round(100 * share)} %`
  const ms = (value: number) => `${value.toFixed(1)} ms`
  const rows = [
    ...Object.entries(success).map(
      ([
        stage,
        {
          successes,
          trials,
          interval: [low, high],
        },
      ]) => [`true success, ${stage}`, `${successes} of ${trials} (${percent(low)} to ${percent(high)})`],
    ),
    ['steps of practice', `${practice.steps} in ${practice.episodes} episodes`],
    ['interventions', `${rest.interventions}, ${percent(practice.operatorSteps / practice.steps)} of the steps`],
    ['labels', `${rest.labels}`],
    ['commands said, stops', `${rest.commandsSaid}, ${rest.stops}`],
    ...(received
      ? [
          [
            'jitter as the robot received commands, median and p99',
            `${ms(received.median)}, ${ms(received.p99)} (${received.steps} intervals)`,
          ],
        ]
      : []),
    [
      'jitter of the loop, p50 and p99',
      `${ms(jitter.median)}, ${ms(jitter.p99)} (worst episode ${ms(jitter.worst99)})`,
    ],
    [
      'picture to command, p50 and p99',
      `${ms(latency.median)}, ${ms(latency.p99)} (worst episode ${ms(latency.worst99)})`,
    ],
    ['updates a second', rest.updatesPerSecond.toFixed(1)],
    ['served robot', servedComesFirst ? 'before the others on its core' : 'as all others on its core'],
    ['faults', rest.faults.join('; ') || 'none'],
  ]
  return formatTable(['figure', 'value'], rows)
}
