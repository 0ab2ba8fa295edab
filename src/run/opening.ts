/** @file Opens a run, new or continued: demonstrations, encodings, networks, learner and log, brought to where the folder says it stands. */
import { InputError } from '../errors.ts'
import { actorSizes } from '../learn/actors.ts'
import { methods } from '../learn/methods.ts'
import type { Planner } from '../learn/planner.ts'
import { Policy } from '../learn/policy.ts'
import type { LearnerLink } from '../link/ports.ts'
import type { Course } from '../loop/failure.ts'
import { OnlineRecorder } from '../loop/online-recorder.ts'
import { type Copies, Perception } from '../loop/perception.ts'
import { Practice } from '../loop/practice.ts'
import { Turns } from '../loop/turns.ts'
import { type LockStep, UpdateSchedule } from '../loop/update-schedule.ts'
import { MetricsWriter } from '../metrics/metrics.ts'
import { RemotePolicy } from '../policies/remote-policy.ts'
import { EpisodeLog } from '../replay/log.ts'
import { LogSource } from '../replay/log-source.ts'
import type { Closing } from './closing.ts'
import type { RunConfig } from './config.ts'
import { ensureDemonstrations } from './demonstrations-of-run.ts'
import { partOf, type RunFolder } from './folder.ts'
import { encodingsBeside, encodingsOfDemonstrations } from './kept-encodings.ts'
import { type StartLearner, startLearner } from './learner.ts'
import { learnerSetup } from './learner-setup.ts'
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
import { RunClock, type RunState, readRunState } from './run-state.ts'
import type { Session } from './session.ts'
import { expectTended, simulatedOperator } from './simulated-operator.ts'

/** Whose silence stops a robot that can break. */
const LEARNER = 'the learner'

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
  evaluatedAt: number | undefined // robot steps, where an earlier part of the run was evaluated last; step 0 is behind it
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
  expectTended(config, session.rigs) // before a person has shown anything
  const check = () => course.check()
  const clock = new RunClock()
  const { checkpoint, state, evaluatedAt } = readRunState(folder)
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
  return { ...minds, metrics, practices, logs, turns, tempo, course, clock, state, evaluatedAt }
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
