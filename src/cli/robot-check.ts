/** @file `duet robot check`: the ladder by which a robot is brought up, rung by rung, with a person beside it. */
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import type { Command } from 'commander'
import { InputError } from '../errors.ts'
import { evaluationNoise } from '../loop/evaluate.ts'
import { command } from '../robot/commanded.ts'
import { noteOrder } from '../robot/order-log.ts'
import type { Rig } from '../robot/rig.ts'
import type { Action, Observation } from '../robot/robot.ts'
import { openRig } from '../robots/index.ts'
import { climb, type Witness } from '../run/bring-up/ladder.ts'
import { linesOf, linesOfRung, writeBringUp } from '../run/bring-up/report.ts'
import { fileSettings } from '../run/resolve.ts'
import { type ActingPolicy, openFiled, openServed, openTrained } from '../run/trained.ts'
import { cellIn, robotIn } from './robot-config.ts'

type Options = {
  config: string
  policy?: string
  checkpoint?: string
  cell?: string
  task?: string
  out: string
  yes?: boolean
  json?: boolean
}

export function registerCheck(robot: Command): void {
  robot
    .command('check')
    .description(
      'bring a robot up rung by rung: state, cameras, gripper, 1 cm along each axis, a dry run, motion; stops at what fails',
    )
    .requiredOption('--config <file>', 'YAML file with the settings of the robot, as for `duet train`')
    .option(
      '--policy <file>',
      'whose commands the dry run shows and does not send: of `duet export policy`, or ws://...',
    )
    .option('--checkpoint <path>', 'in its place: a run folder, or one of its checkpoints')
    .option('--cell <name>', 'which of several robots; by default the first')
    .option('--task <name>', 'whose start it goes to; by default the first of the policy, or else of the robot')
    .option('--out <folder>', 'where report.txt, report.json and the pictures go', 'robot-check')
    .option('--yes', 'ask nothing: somebody stands beside it who has read what it does')
    .option('--json', 'print the report as JSON on standard output')
    .addHelpText(
      'after',
      `
Examples:
  duet robot check --config arm.yaml
  duet robot check --config arm.yaml --yes --json
  duet robot check --config arm.yaml --checkpoint runs/quick    what its policy would do, before it may

Every motion goes through the safety envelope. Ctrl-C stops the robot. Exit code 2 if a rung fails.
`,
    )
    .action(check)
}

async function check(options: Options): Promise<void> {
  const { config: file, cell: wanted, task: asked, out, yes, json } = options
  const config = robotIn(file)
  const cell = cellIn(config, wanted)
  const witness = yes ? TRUSTING : atTerminal(json === true)
  const say = (line: string) => void (json ? process.stderr : process.stdout).write(`${line}\n`)
  const { rig, trained, planFor, close } = await opened(options, cell, () => openRig(config, cell))
  const release = command(rig.robot)
  try {
    const { name } = rig.robot.spec
    const tasks = trained ?? Object.keys(rig.robot.spec.tasks)
    const task = asked ?? tasks[0]!
    if (!tasks.includes(task))
      throw new InputError(trained ? 'the policy' : name, `has no task "${task}"`, `It has: ${tasks.join(', ')}`)
    mkdirSync(out, { recursive: true })
    const at = new Date().toISOString()
    noteOrder('check', name)
    const report = await climb(rig, witness, {
      task,
      plan: planFor?.(task),
      keep: (picture, png) => {
        writeFileSync(join(out, picture), png)
        return picture
      },
      onRung: (rung) => say(`${rung.name}${rung.moves ? ': it moves' : ''} ...`),
      onReport: (known) => {
        writeBringUp(out, known, at)
        const last = known.rungs.at(-1)!
        if (yes || !last.passed) for (const line of linesOfRung(last)) say(line) // else a person was told already
      },
    })
    if (json) process.stdout.write(`${JSON.stringify(report)}\n`)
    else if (!report.passed) say(linesOf(report).at(-1)!)
    say(`Report: ${join(out, 'report.txt')}`)
    if (report.passed) await rig.leave?.()
    else process.exitCode = 2
  } finally {
    release()
    await close()
  }
}

type Opened = {
  rig: Rig
  trained?: readonly string[] // tasks of the policy
  planFor?: (task: string) => (observation: Observation) => Promise<Action>
  close(): Promise<void>
}

/** The robot, and with it the policy that is to be tried, where one is named. */
async function opened(
  { config, policy, checkpoint }: Options,
  cell: string,
  alone: () => Promise<Rig>,
): Promise<Opened> {
  if (policy !== undefined && checkpoint !== undefined)
    throw new InputError('duet robot check', 'takes one policy', 'Give --policy or --checkpoint')
  if (policy === undefined && checkpoint === undefined) {
    const rig = await alone()
    return { rig, close: () => rig.close() }
  }
  const robot = { ...(fileSettings(config) as { robot?: object }).robot, cells: [cell] }
  const elsewhere = { settings: config, robot: { cells: [cell] } }
  const acting: ActingPolicy =
    checkpoint !== undefined
      ? await openTrained(checkpoint, robot)
      : await (/^wss?:/.test(policy!) ? openServed : openFiled)(policy!, elsewhere)
  const { session, perception } = acting
  const noise = evaluationNoise(acting.config)
  return {
    rig: session.rigs[0]!,
    trained: acting.config.tasks,
    planFor: (task) => async (observation) =>
      acting.policy.primary(await perception.see(observation, task), noise(), { observation, task, afresh: true }),
    close: () => acting.close(),
  }
}

const TRUSTING: Witness = { mayMove: async () => {}, agrees: async () => true }

/** @throws InputError where nobody sits at a terminal */
function atTerminal(json: boolean): Witness {
  if (!process.stdin.isTTY)
    throw new InputError('duet robot check', 'asks before it moves, and nobody sits at a terminal', 'Give --yes')
  const output = json ? process.stderr : process.stdout
  const ask = async (question: string) => {
    const lines = createInterface({ input: process.stdin, output })
    lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT')) // Ctrl-C while it asks
    const gone = once(lines, 'close').then(() => {
      throw new InputError('duet robot check', 'asked, and nobody answers any more', 'Begin again at a terminal')
    })
    try {
      return (await Promise.race([lines.question(question), gone])).trim().toLowerCase()
    } finally {
      lines.close()
    }
  }
  return {
    async mayMove() {
      const answer = await ask(
        'Now it moves. Everybody out of its reach, a hand on its own stop, nothing in its gripper. Type "move": ',
      )
      if (answer !== 'move')
        throw new InputError('duet robot check', 'was told not to move the robot', 'Begin again when it may')
    },
    async agrees(rung) {
      for (const line of linesOfRung(rung)) output.write(`${line}\n`)
      return (await ask('Is it so? [Y/n] ')) !== 'n'
    },
  }
}
