/** @file `duet eval`: success of a trained policy on fresh seeds, in single tasks or in chains of them. */
import { constants } from 'node:os'
import { basename, dirname } from 'node:path'
import { type Command, Option } from 'commander'
import type { Address, Console } from '../console/server/open.ts'
import { InputError } from '../errors.ts'
import { DEVICES, type Device } from '../graph/index.ts'
import { attrition, attritionTable, type Chain, runChains } from '../loop/chain.ts'
import { aloneInRealTime, evaluationExploration, evaluationNoise, scores } from '../loop/evaluate.ts'
import { explorationNotices } from '../loop/exploration.ts'
import { Course, Failure, Stopped } from '../loop/failure.ts'
import { paceOf } from '../loop/pace.ts'
import type { TaskScore } from '../metrics/metrics.ts'
import { formatTable } from '../metrics/summary.ts'
import { rewardSources } from '../reward/sources.ts'
import type { SpeakerReport, SpeakingPerson } from '../robot/rig.ts'
import { evaluateRig, type RigEvaluation, trialsAtOnce } from '../run/evaluation.ts'
import { evaluationFolder } from '../run/evaluation-folder.ts'
import type { RunFolder } from '../run/folder.ts'
import { type ActingPolicy, openFiled, openServed, openTrained } from '../run/trained.ts'
import { Trials } from '../run/trials.ts'
import { consoleOptions, openConsoleBeside, untilClosed } from './console.ts'
import { endBySteps } from './ends.ts'
import { countNumber, wholeNumber } from './options.ts'
import type { ProgressDisplay } from './progress.ts'
import { noSimulation, withActing } from './with-trained.ts'

const CHAINS = 20

type Options = Address & {
  checkpoint?: string
  policy?: string
  config?: string
  task?: string[]
  trials?: number
  firstSeed?: number
  commands?: boolean
  explore?: number
  threads?: number
  chain?: number
  chains?: number
  bolts?: string
  cell?: string
  runs: string
  device?: Device
  console?: boolean
  json?: boolean
}

export function register(program: Command): void {
  consoleOptions(program.command('eval'))
    .description('success of a trained policy on fresh seeds, without takeovers, and without commands unless asked for')
    .option('--checkpoint <path>', 'a run folder, or one of its checkpoints')
    .option('--policy <file>', 'in its place: a file that `duet export policy` wrote, or a policy server (ws://...)')
    .option(
      '--config <file>',
      'with --policy: the robot, the reward and whatever else differs from the run it comes from',
    )
    .option('--task <name...>', 'only these tasks')
    .option('--trials <n>', 'episodes per task; by default as in the run', countNumber)
    .option('--first-seed <n>', 'seed of the first trial; by default as in the run', wholeNumber)
    .option('--commands', 'a simulated operator speaks, late like a person, where things go wrong')
    .option(
      '--explore <steps>',
      'try something where the arm stood still for so many steps, as in practice; 0: never; by default as in the run',
      wholeNumber,
    )
    .option(
      '--threads <n>',
      'trials of simulated robots at the same time; 0: as the cores allow; by default as in the run',
      wholeNumber,
    )
    .option(
      '--chain <n>',
      'instead of single tasks: n operations one after the other, three a bolt, no reset',
      countNumber,
    )
    .option('--chains <n>', `with --chain: how many, ${CHAINS} unless given`, countNumber)
    .addOption(new Option('--bolts <n>', 'bolts in the scene; by default as in the run').choices(['1', '4']))
    .option('--cell <name>', 'another cell than that of the first robot of the run')
    .addOption(new Option('--device <name>', 'where the encoder runs; by default as in the run').choices(DEVICES))
    .option('--runs <folder>', 'where trials in a real robot are kept of a policy that comes without a run', 'runs')
    .option('--console', 'guided in the browser, trial by trial; it opens by itself where a person resets the robot')
    .option('--json', 'print one JSON object on standard output')
    .addHelpText(
      'after',
      `
Examples:
  duet eval --checkpoint runs/quick --trials 100 --first-seed 2000000
  duet eval --checkpoint runs/quick --cell B
  duet eval --policy quick.onnx --trials 100
  duet eval --policy ws://gpu:8000 --config arm.yaml --task insert --trials 20
  duet eval --checkpoint runs/four-bolts --chain 12 --chains 20 --commands
  duet eval --checkpoint runs/my-arm --console    lay each scene, say what came of it
`,
    )
    .action(run)
}

async function run(options: Options): Promise<void> {
  expectOneKind(options)
  await withActing(evaluated(await opened(options), options), async (acting, display) => {
    const speaker = options.commands ? simulationOf(acting).speaker(acting.session.translator) : undefined
    const result = options.chain
      ? await measureChains(acting, display, options, options.chain, speaker)
      : await measureTasks(acting, display, options, speaker)
    display.close()
    const { checkpoint, config } = acting
    const { exploration } = config.evaluation // a figure with it is another one than without
    const spoken = speaker?.report()
    if (options.json)
      process.stdout.write(`${JSON.stringify({ checkpoint, ...result.json, exploration, commands: spoken })}\n`)
    else process.stdout.write(`${[result.text, ...(spoken ? ['', said(spoken)] : [])].join('\n')}\n`)
    if (result.operating && !options.json) await untilClosed(result.operating)
    await result.operating?.server.close()
  })
}

/** @throws InputError for an option of single tasks beside one of chains */
function expectOneKind({ chain, chains, console, task, trials, threads }: Options): void {
  if (chain === undefined && chains !== undefined)
    throw new InputError('--chains', 'is given without --chain', 'Say with --chain how long they are, or leave it out')
  const [other] = Object.entries({ console, task, trials, threads }).find(([, value]) => value !== undefined) ?? []
  if (chain !== undefined && other !== undefined)
    throw new InputError(
      `--${other}`,
      'is given with --chain',
      'Leave one out: a chain goes through the tasks of a simulated robot, --chains says how many there are',
    )
}

/** @throws InputError for a task that the policy was not trained on */
function tasksOf({ tasks }: ActingPolicy['config'], asked: readonly string[] = tasks): readonly string[] {
  const unknown = asked.find((task) => !tasks.includes(task))
  if (unknown !== undefined)
    throw new InputError(`--task ${unknown}`, 'is no task of this policy', `It has: ${tasks.join(', ')}`)
  return asked
}

function opened({ checkpoint, policy, config, bolts, cell, device }: Options): Promise<ActingPolicy> {
  const robot = { ...(bolts ? { bolts: Number(bolts) } : {}), ...(cell ? { cells: [cell] } : {}) }
  if ((checkpoint === undefined) === (policy === undefined))
    throw new InputError('duet eval', 'takes one policy', 'Give a run with --checkpoint, or a file with --policy')
  if (policy !== undefined && /^wss?:/.test(policy)) {
    if (device !== undefined)
      throw new InputError(
        '--device',
        'is given with a policy server, which has its own',
        'Leave it out: no encoder runs here',
      )
    return openServed(policy, { settings: config, robot })
  }
  if (policy !== undefined) return openFiled(policy, { settings: config, robot, device })
  if (config !== undefined)
    throw new InputError('--config', 'goes with --policy', 'A run has its own config; leave it out')
  return openTrained(checkpoint!, robot, device)
}

/** The same, evaluated as asked for where that is not as in its run. */
function evaluated(acting: ActingPolicy, { explore, threads }: Options): ActingPolicy {
  const { evaluation } = acting.config
  const asked = { exploration: explore ?? evaluation.exploration, threads: threads ?? evaluation.threads }
  return { ...acting, config: { ...acting.config, evaluation: { ...evaluation, ...asked } } }
}

const simulationOf = ({ session }: ActingPolicy) => {
  const { robot, simulation = noSimulation(robot) } = session.rigs[0]!
  return simulation
}

type Result = { json: Record<string, unknown>; text: string; operating?: Console }

/** What both kinds of measurement act with. */
const crewOf = ({ config, session, perception, policy }: ActingPolicy, operator?: SpeakingPerson) => ({
  ...aloneInRealTime(session.rigs[0]!),
  pace: session.rigs[0]!.real ? paceOf(session.rigs[0]!, config) : undefined,
  robot: session.robot,
  rewards: rewardSources(config.reward, session.robot.spec),
  perception,
  policy,
  noise: evaluationNoise(config),
  exploration: evaluationExploration(config, session.robot.spec),
  operator,
})

async function measureTasks(
  acting: ActingPolicy,
  display: ProgressDisplay,
  options: Options,
  speaker?: SpeakingPerson,
): Promise<Result> {
  const { config, session, perception, policy, copy, checkpoint } = acting
  const rig = session.rigs[0]!
  const tasks = tasksOf(config, options.task)
  const trials = options.trials ?? config.evaluation.trials
  const guided = options.console || rig.reset === 'person'
  const folder = guided || rig.real ? (acting.folder ?? evaluationFolder(options.runs, checkpoint, config)) : undefined
  const unopened = (error: unknown) => {
    folder!.removeUnused()
    throw error
  }
  const operating = guided ? await openGuide(acting, folder!, display, options).catch(unopened) : undefined
  const failure = new Failure()
  const say = (line: string) => display.say(line)
  explorationNotices([rig], { evaluation: config.evaluation.exploration }).forEach(say)
  const { stop, takeBack } = endBySteps(failure, say, () => operating?.observer.dismiss())
  const course = new Course(failure, stop)
  const stage = `of ${basename(checkpoint)}${speaker ? ', with commands' : ''}`
  const kept = rig.real ? new Trials(folder!.trialsApart, { stage, version: acting.version ?? 0 }) : undefined
  let done = 0
  try {
    const evaluation: RigEvaluation = {
      ...{ config, perception, policy, copy, course, stage, tasks, trials, kept },
      ...{ observer: operating?.observer, operator: speaker, onNotice: say },
      firstSeed: options.firstSeed ?? config.evaluation.firstSeed,
      onEpisode: ({ task, ending }) =>
        display.show({ stage: 'evaluation', done: ++done, total: trials * tasks.length, note: `${task}: ${ending}` }),
    }
    const made = await evaluateRig(rig, evaluation)
    kept?.remove()
    await rig.leave?.().catch((error: Error) => display.say(`The robot stays where it is: ${error.message}`))
    operating?.observer.closed({ summary: null })
    const scored = scores(made)
    return {
      json: { tasks: scored, threads: trialsAtOnce(rig, evaluation) },
      text: scoreTable(scored),
      operating,
    }
  } catch (error) {
    operating?.observer.closed({ error })
    await operating?.server.close()
    if (!(error instanceof Stopped)) throw error
    process.exitCode = 128 + constants.signals.SIGINT
    const goesOn = kept ? ' They are kept: the same command goes on with the next one.' : ''
    return { json: { stopped: done }, text: `Stopped after ${done} of ${trials * tasks.length} trials.${goesOn}` }
  } finally {
    takeBack()
  }
}

/** The console beside an evaluation, in the folder of its run, or in its own. */
async function openGuide(
  { config, session, policy }: ActingPolicy,
  folder: RunFolder,
  display: ProgressDisplay,
  options: Options,
): Promise<Console> {
  const beside = { ...options, runs: dirname(folder.path) }
  const operating = await openConsoleBeside(folder.path, beside, (line) => display.say(line))
  operating.observer.opened({ folder, config, session })
  operating.observer.started({ past: [], followsCommands: policy.followsCommands })
  return operating
}

async function measureChains(
  acting: ActingPolicy,
  display: ProgressDisplay,
  { chains: count = CHAINS, firstSeed }: Options,
  length: number,
  speaker?: SpeakingPerson,
): Promise<Result> {
  let done = 0
  const simulation = simulationOf(acting)
  const chains = await runChains(
    { ...crewOf(acting, speaker), simulation },
    {
      operations: length,
      chains: count,
      firstSeed: firstSeed ?? acting.config.evaluation.firstSeed,
      onChain: ({ completed }) =>
        display.show({ stage: 'chains', done: ++done, total: count, note: `${completed} of ${length} operations` }),
    },
  )
  const rows = attrition(chains, simulation.operations(length))
  const table = attritionTable(rows)
  return { json: { chains: chains.map(brief), attrition: rows }, text: formatTable(table.header, table.rows) }
}

const brief = ({ seed, completed, asked, episodes }: Chain) => ({
  seed,
  completed,
  asked,
  lengths: episodes.map(({ length }) => length),
  ending: episodes.at(-1)!.ending,
})

function scoreTable(scored: Record<string, TaskScore>): string {
  const rows = Object.entries(scored).map(([task, { success, interval, trials, meanSteps }]) => [
    task,
    `${(100 * success).toFixed(0)} %`,
    `${(100 * interval[0]).toFixed(0)} to ${(100 * interval[1]).toFixed(0)} %`,
    String(trials),
    meanSteps.toFixed(1),
  ])
  return formatTable(['task', 'success', '95 % interval', 'trials', 'mean steps'], rows)
}

const said = ({ commands, steps, spokenSteps, reasons }: SpeakerReport) =>
  `${commands} commands, in force for ${spokenSteps} of ${steps} steps (${Object.entries(reasons)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ')})`
