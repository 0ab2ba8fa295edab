/** @file Everything that learns in a fleet, opened: demonstrations, encoder, learner, and the reception of the robots. */
import { mkdirSync } from 'node:fs'
import { basename } from 'node:path'
import { InputError } from '../errors.ts'
import { actorSizes } from '../learn/actors.ts'
import { methods } from '../learn/methods.ts'
import type { LearnerLink } from '../link/ports.ts'
import type { Course } from '../loop/failure.ts'
import { type Copies, Perception } from '../loop/perception.ts'
import { MetricsWriter, readMetrics } from '../metrics/metrics.ts'
import { ofKind } from '../metrics/of-kind.ts'
import { robotMinutes } from '../metrics/robot-time.ts'
import { aboutRobot } from '../policies/about.ts'
import { LogSource } from '../replay/log-source.ts'
import type { EpisodeSource } from '../replay/source.ts'
import type { RobotSpec } from '../robot/robot.ts'
import { describeRobot } from '../robots/index.ts'
import type { Closing } from '../run/closing.ts'
import type { RunConfig } from '../run/config.ts'
import { readDemonstrations } from '../run/demonstrations.ts'
import { demonstrationsIn } from '../run/demonstrations-in.ts'
import { ensureDemonstrations } from '../run/demonstrations-of-run.ts'
import { partOf, type RunFolder } from '../run/folder.ts'
import { encodingsOfDemonstrations } from '../run/kept-encodings.ts'
import { translatorSettings } from '../run/label-rule.ts'
import { startLearner } from '../run/learner.ts'
import { learnerSetup } from '../run/learner-setup.ts'
import {
  encodeDemonstrations,
  fitNormalisers,
  type Normalisers,
  readNormalisers,
  tellEpisode,
} from '../run/preparation.ts'
import { RunClock, type RunState, readRunState } from '../run/run-state.ts'
import { openMinds, openSession } from '../run/session.ts'
import type { TrainEvents } from '../run/train.ts'
import { openTranslator } from '../talk/translator.ts'
import type { EncoderDescription } from '../vla/encoder.ts'
import { type Canary, openCanary } from './canary.ts'
import { FleetFolder } from './folder.ts'
import { FleetPlaces } from './places.ts'
import { Reception } from './reception.ts'
import type { FleetSettings } from './settings.ts'
import { FLEET_FIGURES } from './standings.ts'
import type { FleetStatus } from './status.ts'
import type { Versions } from './versions.ts'

export type LearnerEvents = Pick<TrainEvents, 'onProgress' | 'onNotice' | 'stop' | 'failure' | 'listeners'> & {
  /** How the fleet is, every now and then. */
  onStatus?: (status: FleetStatus) => void
}

export type LearnerParts = {
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

/** Everything that learns, brought to where the folder says it stands; nobody is let in yet. */
export async function openParts(
  folder: RunFolder,
  config: RunConfig,
  settings: FleetSettings,
  { onProgress = () => undefined, onNotice = () => undefined }: LearnerEvents,
  course: Course,
  closing: Closing,
): Promise<LearnerParts> {
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
  let parts: LearnerParts | undefined
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

/** Steps on the clock that all robots share: those of the one that is furthest on. */
export const furthest = ({ robots }: Reception) => Math.max(0, ...[...robots.values()].map(({ steps }) => steps))
