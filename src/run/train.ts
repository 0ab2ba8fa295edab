/** @file A whole run: warm-up, evaluation at step 0, online, final evaluation, report. Every part resumes. */
import { join } from 'node:path'
import { RandomStream } from '../random/stream.ts'
import { ACTION_WIDTH } from '../robot/robot.ts'
import type { RunConfig } from './config.ts'
import { type Crew, runEpisode } from './episode.ts'
import { evaluate, evaluationNoise } from './evaluate.ts'
import { FilmRecorder } from './filmRecorder.ts'
import { type RunFolder, writeWhole } from './folder.ts'
import { type Metric, readMetrics } from './metrics.ts'
import { type OnProgress, openRun, type RunParts, type RunState, STATE_FILE } from './opening.ts'
import { CONTROL_RATE, Pace, robotMinutes } from './pace.ts'
import { saveNormalisers } from './preparation.ts'
import { writeReport } from './report/index.ts'
import { openSession, type Session } from './session.ts'
import { type Summary, summarise } from './summary.ts'

const WARM_UP_CHUNK = 250 // updates between two checkpoints of the warm-up

export type TrainEvents = {
  onProgress?: OnProgress
  /** Asked between episodes; true ends the online phase early, with a checkpoint and a report. */
  stopping?: () => boolean
}

/** Trains in `folder`, continuing from its newest checkpoint if it has one. @throws InputError on unusable settings or files */
export async function train(
  folder: RunFolder,
  config: RunConfig,
  events: TrainEvents = {},
  open: typeof openSession = openSession,
): Promise<Summary> {
  const session = await open(config)
  const parts = await openRun(folder, config, session, events.onProgress ?? (() => {}))
  const run = new Run(folder, config, session, events, parts)
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
  private readonly noise: RandomStream
  private readonly pace: Pace

  constructor(
    private readonly folder: RunFolder,
    private readonly config: RunConfig,
    private readonly session: Session,
    private readonly events: TrainEvents,
    private readonly parts: RunParts,
  ) {
    this.noise = new RandomStream(config.seed, `noise/${parts.recorder.robotSteps}`)
    this.pace = new Pace(config.online.pace)
  }

  async warmUp(): Promise<void> {
    const { updates } = this.config.warmUp
    while (this.parts.state.warmUpUpdates < updates && !this.events.stopping?.()) {
      const chunk = Math.min(WARM_UP_CHUNK, updates - this.parts.state.warmUpUpdates)
      this.parts.policy.setParameters(await this.parts.learner.learn('warm-up', chunk))
      this.parts.state.warmUpUpdates += chunk
      this.events.onProgress?.({ stage: 'warm-up', done: this.parts.state.warmUpUpdates, total: updates })
      await this.checkpoint()
    }
  }

  async evaluateStep0(): Promise<void> {
    if (this.parts.evaluated || this.events.stopping?.()) return
    await this.evaluateNow('evaluation at step 0', this.config.evaluation.trials)
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
    const clock = { time: this.parts.clock.seconds, robotSteps: recorder.robotSteps }
    metrics.write({ kind: 'episode', ...clock, episode, task, success, length, operatorSteps, seed: start })
    const total = this.config.online.robotMinutes
    const note = `${task}: ${ending}${operatorSteps ? ` (operator ${operatorSteps} of ${length} steps)` : ''}`
    this.events.onProgress?.({ stage: 'online [robot min]', done: robotMinutes(recorder.robotSteps), total, note })
  }

  private async evaluateNow(stage: string, trials: number, film?: string): Promise<void> {
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
    const clock = { time: this.parts.clock.seconds, robotSteps: parts.recorder.robotSteps }
    parts.metrics.write({ kind: 'evaluation', ...clock, update: this.parts.clock.update, tasks: scores })
    if (!config.online.lockstep) parts.learner.learnFreely(config.online.publishEvery)
  }

  private crew(noise: () => Float32Array): Crew {
    const { perception, policy } = this.parts
    return { robot: this.session.robot, perception, policy, noise }
  }

  private async checkpoint(): Promise<void> {
    const { recorder, learner, operator, normalisers } = this.parts
    await recorder.settle()
    const state: RunState = {
      ...this.parts.state,
      onlineUpdatesAsked: recorder.updatesAsked,
      wallSeconds: this.parts.clock.seconds,
      operator: operator?.save(),
    }
    const updates = this.parts.state.warmUpUpdates + recorder.updatesAsked
    await this.folder.saveCheckpoint(recorder.robotSteps, updates, async (directory) => {
      await learner.save(directory)
      saveNormalisers(directory, normalisers, this.session.encoder.description)
      writeWhole(join(directory, STATE_FILE), JSON.stringify(state))
    })
  }
}
