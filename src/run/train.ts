/** @file A whole run: demonstrations, warm-up, evaluation at step 0, online, final evaluation, report. Every part resumes. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { recordDemonstrations } from '../data/demonstrations.ts'
import { actorSizes } from '../learn/actors.ts'
import type { UpdateFigures } from '../learn/phase.ts'
import { type ActorParameters, Policy } from '../learn/policy.ts'
import { SimulatedOperator, type SimulatedOperatorState } from '../operator/simulated/operator.ts'
import { DEFAULT_OPERATOR, WEAK_OPERATOR } from '../operator/simulated/options.ts'
import { RandomStream } from '../random/stream.ts'
import { EpisodeLog } from '../replay/log.ts'
import { ACTION_WIDTH } from '../robot/robot.ts'
import { LABEL_DEFAULTS } from '../talk/labels.ts'
import type { RunConfig } from './config.ts'
import { type Crew, type EpisodeSummary, runEpisode } from './episode.ts'
import { evaluate, evaluationNoise } from './evaluate.ts'
import { FilmRecorder } from './filmRecorder.ts'
import { type RunFolder, writeWhole } from './folder.ts'
import { LearnerClient } from './learnerClient.ts'
import { type Metric, MetricsWriter, readMetrics, type TaskScore } from './metrics.ts'
import { OnlineRecorder } from './onlineRecorder.ts'
import { CONTROL_RATE, Pace, robotMinutes } from './pace.ts'
import { type Copies, Perception } from './perception.ts'
import {
  encodeDemonstrations,
  fitNormalisers,
  type Normalisers,
  replayLog,
  saveNormalisers,
  tellEpisode,
} from './preparation.ts'
import { writeReport } from './report/index.ts'
import { openSession, type Session } from './session.ts'
import { type Summary, summarise } from './summary.ts'

const WARM_UP_CHUNK = 250 // updates between two checkpoints of the warm-up
const FIGURES_EVERY = 10 // updates between two lines of the metrics log
const STATE_FILE = 'run.json'

/** What the run tells whoever shows it. `done` and `total` are in the unit that the stage names. */
export type Progress = { stage: string; done: number; total: number; note?: string }

export type TrainEvents = {
  onProgress?: (progress: Progress) => void
  /** Asked between episodes; true ends the online phase early, with a checkpoint and a report. */
  stopping?: () => boolean
}

/** The run's own part of a checkpoint; the learner's lies beside it. */
type RunState = {
  warmUpUpdates: number
  onlineUpdatesAsked: number
  step0?: Record<string, TaskScore>
  wallSeconds: number
  operator?: SimulatedOperatorState
}

/** Trains in `folder`, continuing from its newest checkpoint if it has one. @throws InputError on unusable settings or files */
export async function train(
  folder: RunFolder,
  config: RunConfig,
  events: TrainEvents = {},
  open: typeof openSession = openSession,
): Promise<Summary> {
  const session = await open(config)
  const run = await Run.open(folder, config, session, events)
  try {
    await run.warmUp()
    await run.evaluateStep0()
    await run.goOnline()
    await run.finish()
    return run.report()
  } finally {
    await run.close()
    await session.close()
  }
}

class Run {
  private readonly startedAt = performance.now()
  private readonly noise: RandomStream
  private readonly pace: Pace
  private lastProgressEpisode?: EpisodeSummary

  private constructor(
    private readonly folder: RunFolder,
    private readonly config: RunConfig,
    private readonly session: Session,
    private readonly events: TrainEvents,
    private readonly parts: {
      policy: Policy
      perception: Perception
      normalisers: Normalisers
      learner: LearnerClient
      operator?: SimulatedOperator
      metrics: MetricsWriter
      recorder: OnlineRecorder
      log: EpisodeLog
    },
    private readonly state: RunState,
    private update: { count: number },
  ) {
    this.noise = new RandomStream(config.seed, `noise/${parts.recorder.robotSteps}`)
    this.pace = new Pace(config.online.pace)
  }

  static async open(folder: RunFolder, config: RunConfig, session: Session, events: TrainEvents): Promise<Run> {
    const progress = (stage: string, total: number) => (done: number) => events.onProgress?.({ stage, done, total })
    const copies: Copies = { count: config.replay.shiftedCopies, pixels: config.replay.shift, seed: config.seed }
    const demonstrations = await ensureDemonstrations(folder, config, session, events)
    const encoded = await encodeDemonstrations(session, demonstrations, config, copies, (done, total) =>
      events.onProgress?.({ stage: 'encoding demonstrations', done, total }),
    )
    const normalisers = fitNormalisers(encoded)
    const perception = new Perception(session.encoder, session.instructions, normalisers)
    const checkpoint = folder.latestCheckpoint()
    const state: RunState = checkpoint
      ? (JSON.parse(readFileSync(join(checkpoint, STATE_FILE), 'utf8')) as RunState)
      : { warmUpUpdates: 0, onlineUpdatesAsked: 0, wallSeconds: 0 }
    const past = existsSync(folder.metrics) ? readMetrics(folder.metrics) : []
    state.wallSeconds = Math.max(state.wallSeconds, ...past.map(({ time }) => time))
    const metrics = MetricsWriter.open(folder.metrics)
    const update = { count: 0 }
    const sizes = actorSizes(
      config.networks,
      session.encoder.description,
      session.robot.spec.proprio.length,
      session.commands.width,
    )
    const policy = await Policy.create(sizes, session.commands)
    const clock = { at: () => 0, robotSteps: () => 0 }
    const learner = await LearnerClient.start(learnerSetup(config, session, sizes, copies, checkpoint), {
      onParameters: (values) => config.online.lockstep || policy.setParameters(values),
      onFigures: (figures: UpdateFigures) => {
        update.count = figures.update
        metrics.write({ kind: 'update', time: clock.at(), robotSteps: clock.robotSteps(), ...figures })
      },
      onLabels: (counts) => metrics.write({ kind: 'labels', time: clock.at(), robotSteps: clock.robotSteps(), counts }),
    })
    for (const { episode, sights } of encoded)
      tellEpisode(
        learner,
        episode,
        sights.map((sight) => perception.normalise(sight)),
      )
    const log = EpisodeLog.open(folder.log, session.robot.spec)
    log.nextEpisode = Math.max(log.nextEpisode, encoded.length)
    const told = await replayLog(session, perception, learner, folder.log, copies, progress('reading the log', 0))
    const lockStep = config.online.lockstep ? { ...config.online, updatesAsked: state.onlineUpdatesAsked } : undefined
    const apply = (values: ActorParameters) => policy.setParameters(values)
    const recorder = new OnlineRecorder(log, learner, copies, told.robotSteps, lockStep, apply)
    const operator = simulatedOperator(config, session)
    if (operator && state.operator) operator.restore(state.operator)
    const run = new Run(
      folder,
      config,
      session,
      events,
      { policy, perception, normalisers, learner, operator, metrics, recorder, log },
      state,
      update,
    )
    clock.at = () => run.wallSeconds
    clock.robotSteps = () => recorder.robotSteps
    policy.setParameters(await learner.learn('warm-up', 0))
    return run
  }

  async warmUp(): Promise<void> {
    const { updates } = this.config.warmUp
    while (this.state.warmUpUpdates < updates) {
      const chunk = Math.min(WARM_UP_CHUNK, updates - this.state.warmUpUpdates)
      this.parts.policy.setParameters(await this.parts.learner.learn('warm-up', chunk))
      this.state.warmUpUpdates += chunk
      this.events.onProgress?.({ stage: 'warm-up', done: this.state.warmUpUpdates, total: updates })
      await this.checkpoint()
    }
  }

  async evaluateStep0(): Promise<void> {
    if (this.state.step0) return
    this.state.step0 = await this.evaluateNow('evaluation at step 0', this.config.evaluation.trials)
    await this.checkpoint()
  }

  async goOnline(): Promise<void> {
    const { config, parts } = this
    const { recorder, learner } = parts
    const total = Math.round(config.online.robotMinutes * 60 * CONTROL_RATE)
    let checkpointed = robotMinutes(recorder.robotSteps)
    let evaluated = checkpointed
    if (!config.online.lockstep) learner.learnFreely(config.online.publishEvery)
    while (recorder.robotSteps < total && !this.events.stopping?.()) {
      await this.practise()
      const minutes = robotMinutes(recorder.robotSteps)
      if (minutes - checkpointed >= config.checkpointEveryRobotMinutes) {
        checkpointed = minutes
        await this.checkpoint()
      }
      if (config.evaluation.trialsOnTheWay > 0 && minutes - evaluated >= config.evaluation.everyRobotMinutes) {
        evaluated = minutes
        await this.evaluateNow('evaluation', config.evaluation.trialsOnTheWay)
      }
    }
    await recorder.settle()
    await learner.pause()
    parts.policy.setParameters(await learner.learn('online', 0))
    await this.checkpoint()
  }

  async finish(): Promise<void> {
    if (this.events.stopping?.()) return
    await this.evaluateNow('final evaluation', this.config.evaluation.trials, 'final')
  }

  report(): Summary {
    const metrics: Metric[] = readMetrics(this.folder.metrics)
    const summary = summarise(metrics, this.config)
    writeWhole(this.folder.summary, `${JSON.stringify(summary, null, 2)}\n`)
    writeReport(this.folder.path)
    return summary
  }

  async close(): Promise<void> {
    const { learner, metrics, log, policy } = this.parts
    log.close()
    await learner.close()
    metrics.close()
    await policy.release()
  }

  private get wallSeconds(): number {
    return this.state.wallSeconds + (performance.now() - this.startedAt) / 1000
  }

  /** One episode of the next task in turn. The episode's number fixes its start state. */
  private async practise(): Promise<void> {
    const { recorder, log, operator, metrics } = this.parts
    const { tasks, seed } = this.config
    const episode = log.nextEpisode
    const task = tasks[episode % tasks.length]!
    const start = new RandomStream(seed, `environment/${episode}`).integer(this.config.evaluation.firstSeed)
    const noise = () => this.noise.fillNormal(new Float32Array(ACTION_WIDTH))
    const summary = await runEpisode({ ...this.crew(noise), operator, recorder, pace: this.pace }, task, start)
    const { length, operatorSteps, ending } = summary
    const success = ending === 'success'
    const clock = { time: this.wallSeconds, robotSteps: recorder.robotSteps }
    metrics.write({ kind: 'episode', ...clock, episode, task, success, length, operatorSteps, seed: start })
    this.lastProgressEpisode = summary
    const total = this.config.online.robotMinutes
    const note = `${task}: ${this.lastProgressEpisode.ending}${operatorSteps ? ` (operator ${operatorSteps} of ${length} steps)` : ''}`
    this.events.onProgress?.({ stage: 'online [robot min]', done: robotMinutes(recorder.robotSteps), total, note })
  }

  private async evaluateNow(stage: string, trials: number, film?: string): Promise<Record<string, TaskScore>> {
    const { config, parts, folder } = this
    const { firstSeed } = config.evaluation
    if (!config.online.lockstep) await parts.learner.pause()
    const total = trials * config.tasks.length
    let done = 0
    const scores = await evaluate(this.crew(evaluationNoise(config)), config.tasks, {
      trials,
      firstSeed,
      recorder: (task, trial) => (film && trial === 0 ? new FilmRecorder(folder.frames, `${film}-${task}`) : undefined),
      onEpisode: ({ task, ending }) =>
        this.events.onProgress?.({ stage, done: ++done, total, note: `${task}: ${ending}` }),
    })
    const clock = { time: this.wallSeconds, robotSteps: parts.recorder.robotSteps }
    parts.metrics.write({ kind: 'evaluation', ...clock, update: this.update.count, tasks: scores })
    if (!config.online.lockstep) parts.learner.learnFreely(config.online.publishEvery)
    return scores
  }

  private crew(noise: () => Float32Array): Crew {
    const { perception, policy } = this.parts
    return { robot: this.session.robot, perception, policy, noise }
  }

  private async checkpoint(): Promise<void> {
    const { recorder, learner, operator, normalisers } = this.parts
    await recorder.settle()
    const state: RunState = {
      ...this.state,
      onlineUpdatesAsked: recorder.updatesAsked,
      wallSeconds: this.wallSeconds,
      operator: operator?.save(),
    }
    const updates = this.state.warmUpUpdates + recorder.updatesAsked
    await this.folder.saveCheckpoint(recorder.robotSteps, updates, async (directory) => {
      await learner.save(directory)
      saveNormalisers(directory, normalisers)
      writeWhole(join(directory, STATE_FILE), JSON.stringify(state))
    })
  }
}

function simulatedOperator(config: RunConfig, { workcell }: Session): SimulatedOperator | undefined {
  if (config.operator.kind === 'none') return undefined
  const options = config.operator.strength === 'weak' ? WEAK_OPERATOR : DEFAULT_OPERATOR
  return new SimulatedOperator(() => workcell.truth(), config.seed, options)
}

async function ensureDemonstrations(
  folder: RunFolder,
  config: RunConfig,
  session: Session,
  events: TrainEvents,
): Promise<string> {
  const { path, perTask, noise } = config.demonstrations
  if (path) return path
  await recordDemonstrations(folder.demonstrations, {
    robot: session.robot,
    truth: () => session.workcell.truth(),
    tasks: config.tasks,
    perTask,
    noise,
    seed: config.seed,
    onEpisode: (done, total) => events.onProgress?.({ stage: 'recording demonstrations', done, total }),
  })
  return folder.demonstrations
}

function learnerSetup(
  config: RunConfig,
  session: Session,
  sizes: ReturnType<typeof actorSizes>,
  copies: Copies,
  checkpoint: string | undefined,
) {
  const { warmUp, online, learner, tasks, replay } = config
  const { featureShape } = session.encoder.description
  return {
    checkpoint,
    figuresEvery: FIGURES_EVERY,
    learner: {
      tasks,
      sizes,
      learner,
      seed: config.seed,
      onlineAfter: online.startAfter,
      lambda: {
        'warm-up': { bc: warmUp.bcWeight, q: warmUp.qWeight },
        online: { bc: online.bcWeight, q: online.qWeight },
      },
    },
    replay: {
      tasks,
      embeddingWidth: sizes.embedding,
      proprioWidth: sizes.proprio,
      featureShape,
      copies: copies.count,
      discount: learner.discount,
      labels: {
        ...LABEL_DEFAULTS,
        window: config.talk.window,
        threshold: config.talk.threshold,
        metresPerUnit: session.robot.spec.actionScale.translation,
      },
      demonstrationCapacity: replay.capacity,
      onlineCapacity: replay.capacity,
    },
  }
}
