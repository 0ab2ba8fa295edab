/** @file Opens a run, new or continued: demonstrations, encodings, networks, learner and log, brought to where the folder says it stands. */
import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { InputError } from '../errors.ts'
import { type ActorSizes, actorSizes } from '../learn/actors.ts'
import { methods } from '../learn/methods.ts'
import type { Planner } from '../learn/planner.ts'
import { Policy } from '../learn/policy.ts'
import type { LearnerLink } from '../link/ports.ts'
import { Course } from '../loop/failure.ts'
import { type CellIndex, OnlineRecorder } from '../loop/online-recorder.ts'
import { type Copies, Perception } from '../loop/perception.ts'
import { Practice, robotSeed } from '../loop/practice.ts'
import { Turns } from '../loop/turns.ts'
import { type LockStep, UpdateSchedule } from '../loop/update-schedule.ts'
import { MetricsWriter, readMetrics } from '../metrics/metrics.ts'
import { ofKind } from '../metrics/of-kind.ts'
import { RemotePolicy } from '../policies/remote-policy.ts'
import { EpisodeLog } from '../replay/log.ts'
import { LogSource } from '../replay/log-source.ts'
import type { EpisodeSource } from '../replay/source.ts'
import type { Rig, SimulatedPerson } from '../robot/rig.ts'
import type { RobotSpec } from '../robot/robot.ts'
import type { SafeRobot } from '../robot/safety.ts'
import type { Translator } from '../talk/translator.ts'
import type { Closing } from './closing.ts'
import type { RunConfig } from './config.ts'
import { recordDemonstrations } from './demonstrations.ts'
import { demonstrationsIn } from './demonstrations-in.ts'
import type { RunFolder } from './folder.ts'
import { encodingsBeside, encodingsOfDemonstrations } from './kept-encodings.ts'
import { translatorSettings } from './label-rule.ts'
import { type StartLearner, startLearner } from './learner.ts'
import type { LearnerSetup } from './learner-process.ts'
import type { Observer } from './observer.ts'
import {
  encodeDemonstrations,
  fitNormalisers,
  type Normalisers,
  readNormalisers,
  replayLogs,
  tellEpisode,
} from './preparation.ts'
import type { OnProgress } from './progress.ts'
import type { Session } from './session.ts'

/** Whose silence stops a robot that can break. */
const LEARNER = 'the learner'

const FIGURES_EVERY = 10 // updates between two lines of the metrics log

export const STATE_FILE = 'run.json'

/** The run's own part of a checkpoint; the learner's lies beside it. */
export type RunState = {
  warmUpUpdates: number
  onlineUpdatesAsked: number
  wallSeconds: number
  robotSteps?: Record<string, number> // by the robot's cell; its log may hold fewer, where a repair dropped episodes
  operators?: Record<string, unknown> // what simulated operators keep, by the robot's cell
}

/** Wall time over all parts of a run, and the last update heard of. */
export class RunClock {
  private readonly startedAt = performance.now()
  private before = 0
  update = 0

  /** Time goes on from where an earlier part of the run stopped. */
  goOnFrom(seconds: number): void {
    this.before = seconds
  }

  get seconds(): number {
    return this.before + (performance.now() - this.startedAt) / 1000
  }
}

export type RunParts = {
  policy: Policy
  planner: Planner // who acts in practice: the policy, or a server
  perception: Perception
  normalisers: Normalisers
  learner: LearnerLink
  metrics: MetricsWriter
  practices: readonly Practice[] // one a robot, in the order of the session's rigs
  logs: readonly EpisodeLog[] // the same
  turns: Turns
  tempo: UpdateSchedule
  course: Course
  clock: RunClock
  state: RunState
  evaluated: boolean // by an earlier part of the run: step 0 is behind it
}

/** What it opens goes into `closing` at once. @throws Stopped, or the cause of a failure, as soon as `course` knows of it */
export async function openRun(
  folder: RunFolder,
  config: RunConfig,
  session: Session,
  onProgress: OnProgress,
  course: Course,
  closing: Closing,
  observer?: Observer,
  onNotice: (line: string) => void = () => undefined,
  start: StartLearner = startLearner,
): Promise<RunParts> {
  expectOwnPace(config, session)
  expectVoice(config)
  const check = () => course.check()
  const clock = new RunClock()
  const { checkpoint, state, evaluated } = readRunState(folder)
  clock.goOnFrom(state.wallSeconds)
  const copies: Copies = { count: config.replay.shiftedCopies, pixels: config.replay.shift, seed: config.seed }
  const demonstrations = await ensureDemonstrations(folder, config, session, onProgress, course, observer)
  const { description } = session.encoder
  const as = { config, encoder: description, copies }
  const onEncoded = (done: number, total: number) => onProgress({ stage: 'encoding demonstrations', done, total })
  const ofDemonstrations = demonstrations.map(({ name, spec }, index) =>
    encodingsOfDemonstrations({ name, spec, index }, folder, as, onNotice),
  )
  for (const kept of ofDemonstrations) closing.add(() => kept.close())
  const encoded = await encodeDemonstrations(session, demonstrations, config, copies, {
    onEpisode: onEncoded,
    onLeftOut: onNotice,
    check,
    encodings: ofDemonstrations,
  })
  for (const kept of ofDemonstrations) kept.close()
  const normalisers = checkpoint ? readNormalisers(checkpoint, description) : fitNormalisers(encoded)
  const perception = new Perception(session.encoder, session.instructions, normalisers)
  const sizes = actorSizes(config.networks, description, session.robot.spec.channels.length, session.commands.width)
  const policy = await Policy.create(sizes, session.commands, config.method)
  closing.add(() => policy.release())
  const planner = await plannerOf(config, session, policy, closing)
  const metrics = MetricsWriter.open(folder.metrics)
  closing.add(() => metrics.close())
  let robotSteps = () => 0
  const stamp = () => ({ time: clock.seconds, robotSteps: robotSteps() })
  metrics.write({ kind: 'figures', ...stamp(), declared: [...methods[config.method].figures] })
  const learner = await start(learnerSetup(folder, config, session, sizes, copies, checkpoint), {
    onFigures: (figures) => {
      clock.update = figures.update
      metrics.write({ kind: 'update', ...stamp(), ...figures })
    },
    onAlive: () => {
      for (const { robot } of session.rigs) robot.heartbeat(LEARNER)
    },
    onLost: (error) => course.failure.fail(error),
  })
  closing.add(() => learner.close())
  await course.during(learner.ready())
  for (const { robot } of session.rigs) robot.supervisedBy([LEARNER])
  const demonstrated = learner.experience('demonstrations')
  for (const { episode, sights } of encoded) {
    const seen = sights.map((sight) => perception.normalise(sight))
    await tellEpisode(demonstrated, episode, seen)
  }
  const logs = session.rigs.map((rig, index) => {
    const log = EpisodeLog.open(partOf(folder.log, { rig, index }), rig.robot.spec, { plans: true })
    closing.add(() => log.close())
    return log
  })
  for (const log of logs) log.nextEpisode = Math.max(log.nextEpisode, encoded.length) // demonstrations come before
  const highest = Math.max(...logs.map(({ nextEpisode }) => nextEpisode))
  const experience = session.rigs.map(({ cell }) => learner.experience(cell))
  const sources = logs.map((log, index) => new LogSource(log.folder, session.rigs[index]!.robot.spec))
  const encodings = sources.map(({ name, spec }) => encodingsBeside(name, spec, as, onNotice))
  for (const kept of encodings) closing.add(() => kept.close())
  const told = await replayLogs(session, perception, experience, sources, copies, {
    onEpisode: (done) => onProgress({ stage: 'reading the log [episodes]', done, total: highest - encoded.length }),
    onLeftOut: onNotice,
    check,
    encodings,
  })
  for (const kept of encodings) kept.forget()
  const lockStep = lockStepOf(config, state)
  const made = session.rigs.map(({ cell }, index) => Math.max(told[index]!, state.robotSteps?.[cell] ?? 0))
  const steps = made.reduce((sum, own) => sum + own, 0)
  const tempo = new UpdateSchedule(learner, steps, lockStep, (values) => policy.setParameters(values))
  const turns = new Turns()
  const practices = session.rigs.map((rig, index) => {
    const place = { index, of: session.rigs.length }
    const kept = { encodings: encodings[index]!, instructions: session.instructions }
    const recorder = new OnlineRecorder(logs[index]!, experience[index]!, copies, tempo, place, made[index]!, kept)
    const operator = simulatedOperator(config, rig, place, planner.followsCommands ? session.translator : undefined)
    const before = state.operators?.[rig.cell]
    if (operator && before) operator.restore(before)
    return new Practice(rig, recorder, operator, { perception, policy: planner, turns, course }, config, observer)
  })
  robotSteps = () => clockSteps(practices)
  await course.during(learner.control.learn('warm-up', 0))
  tempo.takeUp()
  const minds = { policy, planner, perception, normalisers, learner }
  return { ...minds, metrics, practices, logs, turns, tempo, course, clock, state, evaluated }
}

/** @throws InputError if the server that the settings name does not answer, or has a policy for another robot */
async function plannerOf(
  { plan }: Pick<RunConfig, 'plan'>,
  { robot }: Session,
  policy: Policy,
  closing: Closing,
): Promise<Planner> {
  const { server, steps, patience, names } = plan
  if (server === undefined) return policy
  const remote = await RemotePolicy.connect({ server, steps, patience, names }, robot.spec)
  closing.add(() => remote.release())
  return remote
}

/** How updates are tied to steps, where they are. */
export const lockStepOf = (
  { online: { lockstep, updatesPerStep, publishEvery } }: Pick<RunConfig, 'online'>,
  { onlineUpdatesAsked: updatesAsked }: Pick<RunState, 'onlineUpdatesAsked'>,
): LockStep | undefined => (lockstep ? { updatesPerStep, publishEvery, updatesAsked } : undefined)

/** @throws InputError where a robot that is no simulation would wait for the learner between two steps, or run at another pace than its own */
function expectOwnPace({ online }: RunConfig, { rigs }: Session): void {
  const real = rigs.find((rig) => rig.real)
  if (online.lockstep && real)
    throw new InputError(
      'setting "online.lockstep"',
      `ties updates to the steps of ${real.robot.spec.name}, which is real and waits for nobody`,
      'Set online.lockstep=false',
    )
  if (online.pace !== undefined && online.pace !== 1 && real)
    throw new InputError(
      'setting "online.pace"',
      `is ${online.pace}, and ${real.robot.spec.name} is real: its time passes by itself`,
      'Leave it out, or set online.pace=1',
    )
}

/** @throws InputError where an operator who is nobody is to speak; a person at the console speaks without being told to */
function expectVoice({ operator }: Pick<RunConfig, 'operator'>): void {
  if (operator.speaks && operator.kind !== 'simulated')
    throw new InputError(
      'setting "operator.speaks"',
      `is true, and operator.kind is "${operator.kind}": only the simulated operator speaks of its own accord`,
      'Set operator.kind=simulated, or operator.speaks=false',
    )
}

/** Steps on the clock that all robots share: those of the robot that is furthest on. */
export const clockSteps = (practices: readonly Practice[]) =>
  Math.max(...practices.map(({ recorder }) => recorder.robotSteps))

/** Where a robot's part of a folder lies: the first one's in the folder itself, another's in a folder of its own in it. */
export const partOf = (folder: string, { rig, index }: { rig: Pick<Rig, 'cell'>; index: number }) =>
  index === 0 ? folder : join(folder, rig.cell)

const FRESH: RunState = { warmUpUpdates: 0, onlineUpdatesAsked: 0, wallSeconds: 0 }

function parseState(path: string): RunState {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as RunState
  } catch (cause) {
    throw new InputError(
      path,
      'cannot be read as the state of a run',
      'Remove this checkpoint to resume from the one before',
      { cause },
    )
  }
}

/** The newest checkpoint, and the state in it. The metrics may be ahead of it; their clock counts. */
export function readRunState(folder: RunFolder): {
  checkpoint: string | undefined
  state: RunState
  evaluated: boolean
} {
  const checkpoint = folder.latestCheckpoint()
  const state = checkpoint ? parseState(join(checkpoint, STATE_FILE)) : { ...FRESH }
  const past = existsSync(folder.metrics) ? readMetrics(folder.metrics) : []
  for (const { time } of past) state.wallSeconds = Math.max(state.wallSeconds, time)
  return { checkpoint, state, evaluated: ofKind(past, 'evaluation').length > 0 }
}

/** Tends one robot, and sees no other's scene. `words`: those of a policy that follows them. @throws InputError if the robot is real: only a person can tend that */
export function simulatedOperator(
  { operator, seed }: RunConfig,
  { robot, simulation }: Rig,
  place: CellIndex,
  words: Translator | undefined,
): SimulatedPerson | undefined {
  if (operator.kind === 'none') return undefined
  if (!simulation)
    throw new InputError(
      'setting "operator.kind"',
      `is "simulated", and ${robot.spec.name} is no simulation`,
      'Set operator.kind=none and tend it at the console',
    )
  return simulation.operator(operator.strength, robotSeed(seed, place), operator.speaks ? words : undefined)
}

/** Of each robot; where the config names no folder, recorded into this one, going on where an earlier recording stopped. */
export async function ensureDemonstrations(
  folder: Pick<RunFolder, 'demonstrations'>,
  config: RunConfig,
  session: Session,
  onProgress: OnProgress,
  course = new Course(),
  observer?: Observer,
): Promise<EpisodeSource[]> {
  const { path, perTask, noise, by } = config.demonstrations
  const sources = session.rigs.map(
    (rig, index) => new LogSource(partOf(path ?? folder.demonstrations, { rig, index }), rig.robot.spec),
  )
  if (path)
    return Promise.all(
      sources.map(({ name }, index) => demonstrationsIn(name, config, session.rigs[index]!.robot.spec)),
    )
  const recordedByPerson = async (name: string, cell: string, robot: SafeRobot) => {
    if (!observer)
      throw new InputError(
        'setting "demonstrations.path"',
        `is not set, and ${robot.spec.name} has nobody to demonstrate by itself`,
        'Train with --console and record them there, or name a folder of demonstrations that a person recorded',
      )
    robot.supervisedBy([]) // there is no learner yet; a page in control is heard
    const onKept = (done: number, total: number) =>
      onProgress({ stage: `waiting for demonstrations in ${robot.spec.name}`, done, total })
    await course.during(observer.demonstrate(cell, { folder: name, tasks: config.tasks, perTask, onKept }))
    course.check()
  }
  for (const [index, { cell, robot, simulation }] of session.rigs.entries()) {
    if (!simulation) {
      await recordedByPerson(sources[index]!.name, cell, robot)
      continue
    }
    await recordDemonstrations(sources[index]!.name, {
      robot,
      demonstrator: (start, hand) => simulation.demonstrator(start, hand, by),
      tasks: config.tasks,
      perTask,
      noise,
      seed: robotSeed(config.seed, { index }),
      ready: () => {
        const held = observer?.ready(cell)
        return held && course.during(held)
      },
      check: () => course.breathe(),
      onEpisode: (done, total) => onProgress({ stage: `recording demonstrations in ${robot.spec.name}`, done, total }),
    })
  }
  return sources
}

/** All that the learner is told of the run: it sees no config. */
export function learnerSetup(
  folder: Pick<RunFolder, 'path' | 'checkpoints'>,
  config: RunConfig,
  session: Pick<Session, 'encoder' | 'commandTable'> & { robot: { spec: RobotSpec } },
  sizes: ActorSizes,
  copies: Copies,
  checkpoint: string | undefined,
): LearnerSetup {
  const { warmUp, online, learner, tasks, replay } = config
  const { featureShape } = session.encoder.description
  return {
    run: basename(folder.path),
    checkpoints: folder.checkpoints,
    checkpoint,
    figuresEvery: FIGURES_EVERY,
    learner: {
      method: config.method,
      tasks,
      sizes,
      learner,
      seed: config.seed,
      onlineAfter: online.startAfter,
      warmUp: { updates: warmUp.updates, heads: warmUp.heads, cloningSteps: warmUp.cloningSteps },
      lambda: {
        'warm-up': { bc: warmUp.bcWeight, q: warmUp.qWeight },
        online: { bc: online.bcWeight, q: online.qWeight },
      },
    },
    commandTable: session.commandTable,
    translator: translatorSettings(config, session.robot.spec),
    replay: {
      tasks,
      embeddingWidth: sizes.embedding,
      proprioWidth: sizes.proprio,
      featureShape,
      copies: copies.count,
      discount: learner.discount,
      returnSteps: learner.returnSteps,
      clones: learner.clones,
      idle: online.exploration.after,
      demonstrationCapacity: replay.capacity,
      onlineCapacity: replay.capacity,
    },
  }
}
