/** @file The learner of a fleet: a run whose robots act in other processes. It waits for none of them, and none waits for it. */
import { existsSync, mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { writeWhole } from '../durable.ts'
import { InputError } from '../errors.ts'
import { actorSizes } from '../learn/actors.ts'
import { methods } from '../learn/methods.ts'
import { connectBroker } from '../link/nats/connect.ts'
import { SUBJECT_NAME } from '../link/nats/wire.ts'
import type { LearnerLink } from '../link/ports.ts'
import { Course, Stopped } from '../loop/failure.ts'
import { type Copies, Perception } from '../loop/perception.ts'
import { MetricsWriter, readMetrics } from '../metrics/metrics.ts'
import { ofKind } from '../metrics/of-kind.ts'
import { robotMinutes } from '../metrics/robot-time.ts'
import { type Summary, summarise } from '../metrics/summary.ts'
import { aboutRobot } from '../policies/about.ts'
import { LogSource } from '../replay/log-source.ts'
import type { EpisodeSource } from '../replay/source.ts'
import type { RobotSpec } from '../robot/robot.ts'
import { describeRobot } from '../robots/index.ts'
import { Closing } from '../run/closing.ts'
import type { RunConfig } from '../run/config.ts'
import { readDemonstrations } from '../run/demonstrations.ts'
import { demonstrationsIn } from '../run/demonstrations-in.ts'
import type { RunFolder } from '../run/folder.ts'
import { encodingsOfDemonstrations } from '../run/kept-encodings.ts'
import { translatorSettings } from '../run/label-rule.ts'
import { startLearner } from '../run/learner.ts'
import { lock } from '../run/lock.ts'
import {
  ensureDemonstrations,
  learnerSetup,
  partOf,
  RunClock,
  type RunState,
  readRunState,
  STATE_FILE,
} from '../run/opening.ts'
import {
  encodeDemonstrations,
  fitNormalisers,
  type Normalisers,
  readNormalisers,
  saveNormalisers,
  tellEpisode,
} from '../run/preparation.ts'
import { openMinds, openSession } from '../run/session.ts'
import type { TrainEvents } from '../run/train.ts'
import { openTranslator } from '../talk/translator.ts'
import type { EncoderDescription } from '../vla/encoder.ts'
import { type Canary, openCanary } from './canary.ts'
import { FleetFolder } from './folder.ts'
import type { Access } from './invitation.ts'
import { FleetPlaces } from './places.ts'
import { Reception } from './reception.ts'
import type { FleetSettings } from './settings.ts'
import { FLEET_FIGURES, figuresOfFleet, standingsOf } from './standings.ts'
import { type FleetStatus, writeStatus } from './status.ts'
import { readVersions, type Trial, Versions } from './versions.ts'

const WARM_UP_CHUNK = 250 // updates between two checkpoints of the warm-up
const LOOK_EVERY = 500 // ms between two looks at whether something is due
const STATUS_EVERY = 2 // s between two words on how the fleet is
const FIGURES_EVERY = 15 // s between two lines of the metrics about it

export type LearnerEvents = Pick<TrainEvents, 'onProgress' | 'onNotice' | 'stop' | 'failure' | 'listeners'> & {
  /** How the fleet is, every now and then. */
  onStatus?: (status: FleetStatus) => void
}

/**
 * Learns from whoever joins until every robot that did has practised for as long as the settings say, or until it is
 * stopped. Continues where the folder says it stands. @throws InputError on unusable settings, files or broker
 */
export async function runLearner(
  folder: RunFolder,
  config: RunConfig,
  access: Access,
  settings: FleetSettings,
  events: LearnerEvents = {},
): Promise<Summary> {
  expectFleetSettings(folder, config)
  const course = new Course(events.failure, events.stop)
  const release = lock(folder.path)
  const closing = new Closing()
  try {
    folder.sweep()
    const summary = await learnIn(folder, config, access, settings, events, course, closing)
    await closing.close()
    course.failure.check()
    return summary
  } catch (error) {
    if (!(error instanceof Stopped)) course.failure.fail(error)
    await closing.close().catch(() => {}) // it follows from the failure
    course.failure.check()
    return summarise(existsSync(folder.metrics) ? readMetrics(folder.metrics) : [], config)
  } finally {
    release()
  }
}

/** @throws InputError where robots of other processes could not take part */
function expectFleetSettings(folder: RunFolder, { online, plan }: RunConfig): void {
  const run = basename(folder.path)
  if (!SUBJECT_NAME.test(run))
    throw new InputError(
      `run "${run}"`,
      'has a name that cannot stand in a subject',
      'Use letters, digits, "-" and "_", 64 at most',
    )
  if (online.lockstep)
    throw new InputError(
      'setting "online.lockstep"',
      'ties updates to steps, and robots of a fleet wait for nobody',
      'Set online.lockstep=false',
    )
  if (plan.server !== undefined)
    throw new InputError(
      'setting "plan.server"',
      `is ${plan.server}, and a fleet acts with its own policy`,
      'Leave it out',
    )
}

type Parts = {
  learner: LearnerLink
  reception: Reception
  fleet: FleetFolder
  canary?: Canary
  versions?: Versions // once the warm-up is behind it
  metrics: MetricsWriter
  clock: RunClock
  state: RunState
  normalisers: Normalisers
  encoder: EncoderDescription
  rate: number // Hz
}

async function learnIn(
  folder: RunFolder,
  config: RunConfig,
  access: Access,
  settings: FleetSettings,
  events: LearnerEvents,
  course: Course,
  closing: Closing,
): Promise<Summary> {
  const parts = await openParts(folder, config, settings, events, course, closing)
  const { learner, reception, metrics } = parts
  for (const listener of events.listeners ?? [])
    listener.started?.({ config, metrics, past: readMetrics(folder.metrics) })
  course.onStop(() => void learner.control.pause().catch(() => {})) // a lost learner is heard of by whoever waits for it
  await warmUp(folder, config, parts, events, course)
  if (!course.stopping) {
    parts.versions = versionsOf(parts, settings, events, course)
    if (learner.weights.newest) parts.versions.offer(learner.weights.newest)
    const stop = new AbortController()
    course.onStop(() => stop.abort(new Stopped('the run was asked to stop')))
    course.failure.onFailure((error) => stop.abort(error))
    const { url, seed, ca } = access
    const wire = await connectBroker({ url, seed, ca }, `learner of ${access.run}`, {
      onTrouble: events.onNotice,
      signal: stop.signal,
    })
    closing.add(() => wire.close())
    closing.add(await reception.begin(wire)) // robots hear that it leaves, before the wire is closed
    await learner.control.learnFreely(config.online.publishEvery)
    await practise(folder, config, parts, events, course)
    await learner.control.pause()
    await checkpoint(folder, config, parts)
  }
  const summary = summarise(readMetrics(folder.metrics), { seed: config.seed, rate: parts.rate })
  writeWhole(folder.summary, `${JSON.stringify(summary, null, 2)}\n`)
  for (const listener of events.listeners ?? []) listener.finished?.(folder)
  return summary
}

/** Everything that learns, brought to where the folder says it stands; nobody is let in yet. */
async function openParts(
  folder: RunFolder,
  config: RunConfig,
  settings: FleetSettings,
  { onProgress = () => undefined, onNotice = () => undefined }: LearnerEvents,
  course: Course,
  closing: Closing,
): Promise<Parts> {
  const spec = describeRobot(config.robot, config.robot.cells[0]!)
  const clock = new RunClock()
  const { checkpoint, state } = readRunState(folder)
  clock.goOnFrom(state.wallSeconds)
  const sources = await demonstrationsOf(folder, config, course, onProgress)
  const translator = openTranslator(translatorSettings(config, spec))
  const minds = await openMinds(config, spec, translator)
  closing.add(() => minds.encoder.close())
  const { encoder, commandTable } = minds
  const { description } = encoder
  const copies: Copies = { count: config.replay.shiftedCopies, pixels: config.replay.shift, seed: config.seed }
  const instructions = Object.fromEntries(config.tasks.map((task) => [task, spec.tasks[task]!.instruction]))
  const encodings = sources.map(({ name, spec }, index) =>
    encodingsOfDemonstrations({ name, spec, index }, folder, { config, encoder: description, copies }, onNotice),
  )
  for (const kept of encodings) closing.add(() => kept.close())
  const encoded = await encodeDemonstrations({ encoder, instructions }, sources, config, copies, {
    onEpisode: (done, total) => onProgress({ stage: 'encoding demonstrations', done, total }),
    onLeftOut: onNotice,
    check: () => course.check(),
    encodings,
  })
  for (const kept of encodings) kept.close()
  const normalisers = checkpoint ? readNormalisers(checkpoint, description) : fitNormalisers(encoded)
  const perception = new Perception(encoder, instructions, normalisers)
  const sizes = actorSizes(config.networks, description, spec.channels.length, minds.commands.width)
  const metrics = MetricsWriter.open(folder.metrics)
  closing.add(() => metrics.close())
  let reception: Reception | undefined
  let parts: Parts | undefined
  const stamp = () => ({ time: clock.seconds, robotSteps: reception ? furthest(reception) : 0 })
  metrics.write({ kind: 'figures', ...stamp(), declared: [...methods[config.method].figures, ...FLEET_FIGURES] })
  const setup = learnerSetup(folder, config, { encoder, commandTable, robot: { spec } }, sizes, copies, checkpoint)
  const learner = startLearner(setup, {
    onFigures: (figures) => {
      clock.update = figures.update
      metrics.write({ kind: 'update', ...stamp(), ...figures })
    },
    onWeights: (published) => parts?.versions?.offer(published),
    onLost: (error) => course.failure.fail(error),
  })
  closing.add(() => learner.close())
  await course.during(learner.ready())
  const demonstrated = learner.experience('demonstrations')
  for (const { episode, sights } of encoded)
    await tellEpisode(
      demonstrated,
      episode,
      sights.map((sight) => perception.normalise(sight)),
    )
  const fleet = new FleetFolder(folder.path)
  mkdirSync(fleet.path, { recursive: true })
  const noted = new Set(
    ofKind(readMetrics(folder.metrics), 'episode').map(({ robot, episode }) => `${robot} ${episode}`),
  )
  reception = await Reception.open({
    run: basename(folder.path),
    folder: fleet.path,
    places: new FleetPlaces(fleet.places),
    about: {
      config: { ...config },
      encoder: { name: description.name, hash: description.hash },
      normalisers: { h: normalisers.h.save(), proprio: normalisers.proprio.save() },
      firstEpisode: encoded.length,
      robot: aboutRobot(spec, description.cameras),
    },
    intake: (robot) => ({
      shape: setup.replay,
      tasks: config.tasks,
      experience: learner.experience(robot),
      onEpisode: ({ success, task, ...counts }) => {
        if (counts.length === 0 || noted.has(`${robot} ${counts.episode}`)) return
        const { robotSteps, time } = stamp()
        metrics.write({ kind: 'episode', time, robotSteps, robot, task, success, ...counts })
        const minutes = robotMinutes(robotSteps, spec.rate)
        const note = `${robot}, ${task}: ${success ? 'success' : 'no success'}`
        onProgress({ stage: 'online [robot min]', done: minutes, total: config.online.robotMinutes, note })
      },
    }),
    bits: settings.bits,
    failure: course.failure,
    onTrouble: onNotice,
  })
  const opened = reception
  closing.add(() => opened.close())
  await course.during(learner.control.learn('warm-up', 0)) // publishes what acts by now
  const canary =
    settings.canary.trials > 0 ? await openCanary(config, minds, perception, sizes, course, closing) : undefined
  const { rate } = spec
  parts = { learner, reception: opened, fleet, canary, metrics, clock, state, normalisers, encoder: description, rate }
  return parts
}

function versionsOf(
  parts: Parts,
  settings: FleetSettings,
  { onNotice = () => undefined }: LearnerEvents,
  course: Course,
): Versions {
  const { canary, fleet, reception } = parts
  const { trials } = settings.canary
  return new Versions({
    folder: fleet,
    settings,
    publish: (published) => reception.publish(published),
    tryOut: canary && (async (published) => noteTrial(await canary(published, trials), published.version, parts)),
    say: onNotice,
    onFailed: (error) => {
      if (!(error instanceof Stopped)) course.failure.fail(error)
    },
  })
}

function noteTrial(tasks: Awaited<ReturnType<Canary>>, update: number, { metrics, clock, reception }: Parts): Trial {
  const stamp = { time: clock.seconds, robotSteps: furthest(reception) }
  metrics.write({ kind: 'evaluation', ...stamp, update, stage: 'on the way', tasks })
  const scores = Object.values(tasks)
  return {
    successes: scores.reduce((sum, { successes }) => sum + successes, 0),
    trials: scores.reduce((sum, { trials }) => sum + trials, 0),
  }
}

/** How the fleet is, told to whoever looks on, and now and then to the metrics. */
function tellStatus({ fleet, reception, versions, metrics, clock }: Parts, { onStatus }: LearnerEvents) {
  let told = Number.NEGATIVE_INFINITY
  let noted = Number.NEGATIVE_INFINITY
  return () => {
    const { seconds } = clock
    if (!versions || seconds - told < STATUS_EVERY) return
    told = seconds
    const { state } = versions
    const robots = standingsOf(reception.known, state.newest ?? 0)
    const status = { at: Date.now(), robots, versions: state, kept: readVersions(fleet) }
    writeStatus(fleet, status)
    onStatus?.(status)
    if (robots.length === 0 || seconds - noted < FIGURES_EVERY) return
    noted = seconds
    metrics.write({
      kind: 'fleet',
      time: seconds,
      robotSteps: furthest(reception),
      figures: figuresOfFleet(robots),
    })
  }
}

/** Of each cell of the settings; of simulated ones recorded into the run's folder, where nobody names another. */
async function demonstrationsOf(
  folder: RunFolder,
  config: RunConfig,
  course: Course,
  onProgress: NonNullable<LearnerEvents['onProgress']>,
): Promise<EpisodeSource[]> {
  const { path } = config.demonstrations
  const cells = config.robot.cells.map((cell, index) => {
    const spec = describeRobot(config.robot, cell)
    return { spec, place: partOf(path ?? folder.demonstrations, { rig: { cell }, index }) }
  })
  if (path !== undefined) return Promise.all(cells.map(({ place, spec }) => demonstrationsIn(place, config, spec)))
  if (!cells.every(({ place, spec }) => isComplete(place, config, spec))) {
    if (config.robot.kind !== 'workcell')
      throw new InputError(
        'setting "demonstrations.path"',
        `is not set, and the learner has no robot ${cells[0]!.spec.name} to record demonstrations with`,
        'Record them beside the robot with `duet demo record`, and name their folder',
      )
    const session = await openSession(config)
    try {
      await ensureDemonstrations(folder, config, session, onProgress, course)
    } finally {
      await session.close()
    }
  }
  return cells.map(({ place, spec }) => new LogSource(place, spec))
}

function isComplete(place: string, { tasks, demonstrations }: RunConfig, spec: RobotSpec): boolean {
  const held = new Map<string, number>()
  for (const { start } of readDemonstrations(place, spec)) held.set(start.task, (held.get(start.task) ?? 0) + 1)
  return tasks.every((task) => (held.get(task) ?? 0) >= demonstrations.perTask)
}

async function warmUp(
  folder: RunFolder,
  config: RunConfig,
  parts: Parts,
  { onProgress }: LearnerEvents,
  course: Course,
): Promise<void> {
  const { updates } = config.warmUp
  const { state, learner } = parts
  while (state.warmUpUpdates < updates && !course.stopping) {
    const chunk = Math.min(WARM_UP_CHUNK, updates - state.warmUpUpdates)
    const { cut } = await course.failure.during(learner.control.learn('warm-up', chunk))
    state.warmUpUpdates += chunk - cut
    onProgress?.({ stage: 'warm-up', done: state.warmUpUpdates, total: updates })
    await checkpoint(folder, config, parts)
  }
}

/** Until every robot that joined has done its share, or somebody ends it. */
async function practise(
  folder: RunFolder,
  config: RunConfig,
  parts: Parts,
  events: LearnerEvents,
  course: Course,
): Promise<void> {
  const tell = tellStatus(parts, events)
  const { reception, rate } = parts
  const total = Math.round(config.online.robotMinutes * 60 * rate)
  let checkpointed = furthest(reception)
  const isDone = ({ steps, have }: { steps: number; have: { closed: boolean } | null }) =>
    steps >= total && have?.closed === true
  const over = () => reception.robots.size > 0 && [...reception.robots.values()].every(isDone)
  while (!over() && !course.stopping) {
    await course.failure.during(sleep(LOOK_EVERY))
    parts.versions?.look()
    tell()
    const steps = furthest(reception)
    if (robotMinutes(steps - checkpointed, rate) < config.checkpointEveryRobotMinutes) continue
    checkpointed = steps
    await checkpoint(folder, config, parts)
  }
}

/** Steps on the clock that all robots share: those of the one that is furthest on. */
const furthest = ({ robots }: Reception) => Math.max(0, ...[...robots.values()].map(({ steps }) => steps))

async function checkpoint(folder: RunFolder, config: RunConfig, parts: Parts): Promise<void> {
  const { learner, reception, normalisers, metrics, clock, encoder } = parts
  const robotSteps = furthest(reception)
  const all = [...reception.robots.values()].reduce((sum, { steps }) => sum + steps, 0)
  const state: RunState = {
    ...parts.state,
    wallSeconds: clock.seconds,
    robotSteps: Object.fromEntries([...reception.robots].map(([robot, { steps }]) => [robot, steps])),
  }
  await folder.saveCheckpoint(robotSteps, config.keepCheckpoints, async (directory) => {
    const { version, labels } = await learner.control.save(basename(directory))
    saveNormalisers(directory, normalisers, encoder)
    writeWhole(join(directory, STATE_FILE), JSON.stringify(state))
    const stamp = { time: clock.seconds, robotSteps }
    metrics.write({ kind: 'labels', ...stamp, counts: labels })
    if (all > 0) metrics.write({ kind: 'learning', ...stamp, updates: version - state.warmUpUpdates, steps: all })
    return version
  })
}
