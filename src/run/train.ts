/** @file A whole run: warm-up, evaluation at step 0, online, final evaluation, report. Every part resumes. */
import { basename, join } from 'node:path'
import { writeWhole } from '../durable.ts'
import { InputError } from '../errors.ts'
import { explorationNotices } from '../loop/exploration.ts'
import { Course, type Failure, Stopped } from '../loop/failure.ts'
import type { Practice } from '../loop/practice.ts'
import { type Metric, type MetricsWriter, readMetrics } from '../metrics/metrics.ts'
import { robotMinutes } from '../metrics/robot-time.ts'
import { type Summary, summarise } from '../metrics/summary.ts'
import { describeFault } from '../robot/fault.ts'
import type { SafeRobot } from '../robot/safety.ts'
import { Closing } from './closing.ts'
import type { RunConfig } from './config.ts'
import { episodeMetric } from './episode-metric.ts'
import type { RunFolder } from './folder.ts'
import type { StartLearner } from './learner.ts'
import { lock } from './lock.ts'
import { describeRepair, expectWholeLogs, logsOf, repairLogs } from './logs.ts'
import type { Observer } from './observer.ts'
import { clockSteps, openRun, type RunParts } from './opening.ts'
import { saveNormalisers } from './preparation.ts'
import { comeFirst, PRECEDENCE_REFUSED } from './priority.ts'
import type { OnProgress } from './progress.ts'
import { type EvaluationStage, evaluateRun } from './run-evaluation.ts'
import { type RunState, STATE_FILE } from './run-state.ts'
import { openSession, type Session } from './session.ts'
import { summarySoFar } from './summary-so-far.ts'

const WARM_UP_CHUNK = 250 // updates between two checkpoints of the warm-up

/** Reads what a run writes down: health words, report. It never changes how the run goes. */
export type RunListener = {
  /** `past`: the metrics of the run's earlier parts. */
  started?(run: { config: RunConfig; metrics: MetricsWriter; past: readonly Metric[] }): void
  /** The run, or this part of it, is over and its summary is written. */
  finished?(folder: RunFolder): void
}

export type TrainEvents = {
  onProgress?: OnProgress
  /** What a person should know of encoder and disk before the run begins; one line each. */
  onNotice?: (line: string) => void
  /** Ends the run early and well: with a checkpoint and a report where there is something to keep. Heard in every stage. */
  stop?: AbortSignal
  /** Ends the run at once where somebody fails it; it is told of every failure. */
  failure?: Failure
  /** Looks on, and may reach in. */
  observer?: Observer
  listeners?: readonly RunListener[]
  /** A damaged log is repaired instead of refused, and what that cost is a notice. */
  withoutDamaged?: boolean
}

/** Trains in `folder`, continuing from its newest checkpoint if it has one. @throws InputError on unusable settings or files */
export async function train(
  folder: RunFolder,
  config: RunConfig,
  events: TrainEvents = {},
  open: typeof openSession = openSession,
  start?: StartLearner,
): Promise<Summary> {
  const { observer } = events
  const course = new Course(events.failure, events.stop)
  const { failure } = course
  const release = lock(folder.path)
  const closing = new Closing()
  failure.onFailure((error) => observer?.closed({ error }))
  try {
    await makeReady(folder, config, events)
    const summary = await trainIn({ open, start }, folder, config, events, course, closing)
    await closing.close()
    failure.check()
    observer?.closed({ summary })
    return summary
  } catch (error) {
    failure.fail(error)
    await closing.close().catch(() => {}) // it follows from the failure
    failure.check()
    throw error
  } finally {
    release()
  }
}

/** A robot that holds since an earlier session, or that a person resets, needs somebody at the console. @throws InputError if nobody is */
export function expectReady({ rigs }: Session, attended: boolean): void {
  for (const { robot, reset } of rigs) {
    if (reset === 'person' && !attended)
      throw new InputError(
        robot.spec.name,
        'is reset by a person, who has to say when its scene is ready',
        'Begin with --console',
      )
    if (robot.fault && !attended)
      throw new InputError(
        robot.spec.name,
        `holds after a fault of an earlier session, ${describeFault(robot.fault)}`,
        `Look at the robot, then \`duet robot clear ${robot.spec.name}\`, or begin with --console and clear it there`,
      )
  }
}

/** Leftovers of a kill are removed, and the logs are whole, before anything is loaded that takes long. */
async function makeReady(folder: RunFolder, config: RunConfig, events: TrainEvents): Promise<void> {
  folder.sweep()
  const onShare = (share: number) =>
    events.onProgress?.({ stage: 'checking the log [%]', done: Math.round(100 * share), total: 100 })
  const repairs = events.withoutDamaged ? await repairLogs(logsOf(folder, config), onShare) : []
  for (const line of repairs.flatMap(describeRepair)) events.onNotice?.(line)
  await expectWholeLogs(folder, config, onShare)
}

async function trainIn(
  { open, start }: { open: typeof openSession; start?: StartLearner },
  folder: RunFolder,
  config: RunConfig,
  given: TrainEvents,
  course: Course,
  closing: Closing,
): Promise<Summary> {
  const { observer } = given
  const onProgress: OnProgress = (progress) => {
    observer?.progress(progress)
    given.onProgress?.(progress)
  }
  const events = { ...given, onProgress }
  let run: Run
  let session: Session
  try {
    session = await openSafely(open, config, course, closing)
    expectReady(session, observer !== undefined)
    observer?.opened({ folder, config, session })
    const { online, evaluation } = config
    const tries = { practice: online.exploration.after, evaluation: evaluation.exploration }
    for (const line of explorationNotices(session.rigs, tries)) events.onNotice?.(line)
    for (const note of session.encoder.description.notes ?? []) events.onNotice?.(`Encoder: ${note}`)
    const parts = await openRun(folder, config, session, onProgress, course, closing, observer, events.onNotice, start)
    if (session.rigs.some(({ real }) => real)) {
      const precedence = comeFirst() // now that the learner has a thread, which stays as it is
      closing.add(() => precedence.back())
      if (precedence.refused) events.onNotice?.(PRECEDENCE_REFUSED)
    }
    if (parts.logs.some(({ flushes }) => !flushes))
      events.onNotice?.(`Log: the disk of ${folder.log} cannot be flushed; a power cut may take the last episodes.`)
    run = new Run(folder, config, session, events, parts)
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
    course.failure.stopRobots() // the learner, which is closed before them, may have a program to compile
    return summarySoFar(folder, config) // nothing new to keep
  }
  run.tell()
  await run.warmUp()
  await run.evaluateStep0()
  await run.goOnline()
  await run.finish()
  const summary = run.report()
  if (!course.stopping) await leaveRobots(session, events.onNotice) // who stops a run wants nothing to move
  return summary
}

/** The run ended well, and what it found is written: its robots go to where they rest, where they are asked to. */
async function leaveRobots({ rigs }: Session, onNotice: TrainEvents['onNotice']): Promise<void> {
  for (const rig of rigs)
    await rig.leave?.().catch((error: Error) => onNotice?.(`The robot stays where it is: ${error.message}`))
}

/** A session that comes after the run has ended is closed again. */
async function openSafely(
  open: typeof openSession,
  config: RunConfig,
  course: Course,
  closing: Closing,
): Promise<Session> {
  const opening = open(config)
  const session = await course.during(opening).catch((error) => {
    opening.then((late) => late.close()).catch(() => {})
    throw error
  })
  closing.add(() => session.close())
  course.failure.stops(session.rigs.map(({ robot }) => robot))
  return session
}

/** The metrics keep what a robot's envelope suspects of its cameras; health and console make a sign of it. */
function noteBlindCameras(cell: string, robot: SafeRobot, { metrics, clock, practices }: RunParts): void {
  let told: string | undefined
  robot.onSuspicion = (suspicion) => {
    const stamp = { time: clock.seconds, robotSteps: clockSteps(practices) }
    const write = (camera: string, look: 'frozen' | 'flat' | null) =>
      metrics.write({ kind: 'camera', ...stamp, robot: cell, camera, look })
    if (told !== undefined && told !== suspicion?.camera) write(told, null)
    if (suspicion) write(suspicion.camera, suspicion.look)
    told = suspicion?.camera
  }
}

class Run {
  constructor(
    private readonly folder: RunFolder,
    private readonly config: RunConfig,
    private readonly session: Session,
    private readonly events: TrainEvents,
    private readonly parts: RunParts,
  ) {}

  /** From now on whoever looks on hears of every metric, and the learner of a stop. */
  tell(): void {
    const { folder, config, parts, events } = this
    const { observer } = events
    const { course, learner } = parts
    const past = readMetrics(folder.metrics)
    if (observer) {
      observer.started({ past, followsCommands: parts.planner.followsCommands })
      parts.metrics.listen((metric) => observer.metric(metric))
    }
    for (const listener of events.listeners ?? []) listener.started?.({ config, metrics: parts.metrics, past })
    for (const { cell, robot } of this.session.rigs) noteBlindCameras(cell, robot, parts)
    course.onStop(() => void learner.control.pause().catch(() => {})) // a lost learner is heard of by whoever waits for it
  }

  async warmUp(): Promise<void> {
    const { updates } = this.config.warmUp
    const { course, learner, tempo } = this.parts
    while (this.parts.state.warmUpUpdates < updates && !course.stopping) {
      const chunk = Math.min(WARM_UP_CHUNK, updates - this.parts.state.warmUpUpdates)
      const { cut } = await course.failure.during(learner.control.learn('warm-up', chunk))
      tempo.takeUp()
      this.parts.state.warmUpUpdates += chunk - cut
      this.events.onProgress?.({ stage: 'warm-up', done: this.parts.state.warmUpUpdates, total: updates })
      await this.checkpoint()
    }
  }

  async evaluateStep0(): Promise<void> {
    if (this.parts.evaluatedAt !== undefined || this.parts.course.stopping) return
    await this.evaluate('step 0', this.config.evaluation.trials)
  }

  async goOnline(): Promise<void> {
    const { config, parts } = this
    const { tempo, course } = parts
    const { control } = parts.learner
    const total = Math.round(config.online.robotMinutes * 60 * this.rate)
    let checkpointed = this.robotMinutes
    let evaluated = parts.evaluatedAt === undefined ? checkpointed : robotMinutes(parts.evaluatedAt, this.rate)
    const checkpointDue = (minutes: number) => minutes - checkpointed >= config.checkpointEveryRobotMinutes
    const { trialsOnTheWay, everyRobotMinutes } = config.evaluation
    const evaluationDue = (minutes: number) =>
      trialsOnTheWay > 0 && Math.floor(minutes / everyRobotMinutes) > Math.floor(evaluated / everyRobotMinutes)
    const over = (steps: number) => steps >= total || course.stopping
    const due = (steps: number) =>
      checkpointDue(robotMinutes(steps, this.rate)) || evaluationDue(robotMinutes(steps, this.rate))
    const goesOn = () => parts.practices.some(({ recorder }) => !over(recorder.robotSteps))
    const evaluateIfDue = async () => {
      const minutes = this.robotMinutes
      if (!evaluationDue(minutes)) return
      evaluated = minutes
      await this.evaluate('on the way', trialsOnTheWay)
    }
    if (goesOn()) await evaluateIfDue() // one that a stop cut short, by the policy that made its first trials
    if (!config.online.lockstep && goesOn()) await control.learnFreely(config.online.publishEvery)
    while (goesOn()) {
      await this.practise((steps) => over(steps) || due(steps))
      if (checkpointDue(this.robotMinutes)) {
        checkpointed = this.robotMinutes
        await this.checkpoint()
      }
      await evaluateIfDue()
    }
    if (!course.stopping) await tempo.settle() // updates that were asked for are made, unless nobody waits for them
    await control.pause()
    await tempo.settle()
    await this.checkpoint()
  }

  async finish(): Promise<void> {
    if (this.parts.course.stopping) return
    await this.evaluate('final', this.config.evaluation.trials)
  }

  report(): Summary {
    const metrics: Metric[] = readMetrics(this.folder.metrics)
    const summary = summarise(metrics, { seed: this.config.seed, rate: this.rate })
    writeWhole(this.folder.summary, `${JSON.stringify(summary, null, 2)}\n`)
    for (const listener of this.events.listeners ?? []) listener.finished?.(this.folder)
    return summary
  }

  /** Hz; the robots of a run are of one kind. */
  private get rate(): number {
    return this.session.robot.spec.rate
  }

  private get robotMinutes(): number {
    return robotMinutes(clockSteps(this.parts.practices), this.rate)
  }

  /** All robots act side by side, each until it has ended an episode with `enough` steps behind it. An error ends it for all. */
  private async practise(enough: (steps: number) => boolean): Promise<void> {
    const { practices, turns, course } = this.parts
    const { failure } = course
    const shifts = practices.map(async (practice) => {
      await turns.take()
      try {
        while (!failure.failed && !enough(practice.recorder.robotSteps)) await this.episode(practice)
      } catch (error) {
        failure.fail(error)
      } finally {
        turns.give()
      }
    })
    await Promise.all(shifts)
    failure.check()
  }

  private async episode(practice: Practice): Promise<void> {
    const { parts, config } = this
    const practised = await practice.episode()
    const { task, length, operatorSteps, commands, ending } = practised
    const { cell } = practice.rig
    const clock = { time: parts.clock.seconds, robotSteps: clockSteps(parts.practices) }
    if (length === 0) return // a person ended it before it began
    parts.metrics.write(episodeMetric(practised, { ...clock, robot: cell }, config))
    const { condition } = practice.rig
    if (condition) parts.metrics.write({ kind: 'condition', ...clock, robot: cell, parts: condition() })
    const where = parts.practices.length > 1 ? `${cell}, ` : ''
    const told = commands ? ` (${commands} ${commands === 1 ? 'command' : 'commands'})` : ''
    const note = `${where}${task}: ${ending}${operatorSteps ? ` (operator ${operatorSteps} of ${length} steps)` : ''}${told}`
    const total = config.online.robotMinutes
    this.events.onProgress?.({ stage: 'online [robot min]', done: this.robotMinutes, total, note })
  }

  /** Nothing is noted of an evaluation that a stop cut short: the resumed run begins it again. */
  private async evaluate(stage: EvaluationStage, trials: number): Promise<void> {
    const { config, parts } = this
    const { control } = parts.learner
    try {
      if (!config.online.lockstep) {
        await control.pause()
        parts.tempo.takeUp()
      }
      await evaluateRun({ ...this.events, folder: this.folder, config, parts }, stage, trials)
      if (!config.online.lockstep && stage === 'on the way') await control.learnFreely(config.online.publishEvery)
    } catch (error) {
      if (!(error instanceof Stopped)) throw error
    }
  }

  private async checkpoint(): Promise<void> {
    const { practices, tempo, learner, normalisers, metrics, clock } = this.parts
    await tempo.settle()
    const state: RunState = {
      ...this.parts.state,
      onlineUpdatesAsked: tempo.updatesAsked,
      wallSeconds: clock.seconds,
      robotSteps: Object.fromEntries(practices.map(({ rig, recorder }) => [rig.cell, recorder.robotSteps])),
      operators: Object.fromEntries(
        practices.flatMap(({ rig, operator }) => (operator ? [[rig.cell, operator.save()]] : [])),
      ),
    }
    const robotSteps = clockSteps(practices)
    await this.folder.saveCheckpoint(robotSteps, this.config.keepCheckpoints, async (directory) => {
      const { version, labels } = await learner.control.save(basename(directory))
      saveNormalisers(directory, normalisers, this.session.encoder.description)
      writeWhole(join(directory, STATE_FILE), JSON.stringify(state))
      const stamp = { time: clock.seconds, robotSteps }
      metrics.write({ kind: 'labels', ...stamp, counts: labels })
      const updates = version - state.warmUpUpdates
      if (tempo.steps > 0) metrics.write({ kind: 'learning', ...stamp, updates, steps: tempo.steps })
      return version
    })
  }
}
