/**
 * @file Demonstrations by a person: the run waits between two episodes while they do a task by hand, then look at it and
 * keep it or not. What is kept goes into the run's folder `recorded`, a log of demonstrations like any other.
 */

import { join } from 'node:path'
import { InputError } from '../../errors.ts'
import { RandomStream } from '../../random/stream.ts'
import { indexEpisodes } from '../../replay/episode-index.ts'
import { EpisodeLog } from '../../replay/log.ts'
import type { LoggedEpisode } from '../../replay/log-reader.ts'
import { writeEpisode } from '../../replay/source.ts'
import type { Judge } from '../../replay/transition.ts'
import type { Verdict } from '../../robot/operator.ts'
import { ownObservation } from '../../robot/own-observation.ts'
import type { Action, Observation, Outcome, RobotSpec } from '../../robot/robot.ts'
import type { SafeRobot } from '../../robot/safety.ts'
import type { RunConfig } from '../../run/config.ts'
import type { RecordingEvent } from '../protocol.ts'

const PATIENCE = 5 // times the steps that the task's clock gives a policy

export const RECORDED = 'recorded'

/** What a demonstration needs of whoever acts in it, once a period. */
export type RecordingHand = {
  /** The next period; the reason why nobody can go on, if there is one. */
  period(): Promise<'stopped' | 'gone' | undefined>
  /** What the person does now; null while the hand is off: the robot waits. */
  act(observation: Observation): Action | null
  saw(observation: Observation, action: Action | null, step: number): void
}

export class Recording {
  private phase: RecordingEvent['phase'] = 'off'
  private task: string | null = null
  private episode: LoggedEpisode | null = null
  private said?: Verdict // on the demonstration that goes on
  private readonly kept: Record<string, number> = {}
  private readonly folder: string

  constructor(
    runFolder: string,
    private readonly config: Pick<RunConfig, 'seed' | 'evaluation'>,
    private readonly onChange: (event: RecordingEvent) => void,
  ) {
    this.folder = join(runFolder, RECORDED)
  }

  /** Counts what earlier parts of the run have kept. */
  async open(): Promise<void> {
    for (const { start } of await indexEpisodes(this.folder)) this.count(start.task)
  }

  get event(): RecordingEvent {
    const { phase, task, episode, kept } = this
    const success = episode?.end.ending === 'success'
    return { kind: 'recording', phase, task, steps: episode?.steps.length ?? 0, success, kept: { ...kept } }
  }

  /** Waits for the robot. */
  get wanted(): boolean {
    return this.phase === 'waiting'
  }

  /** In review. */
  get finished(): LoggedEpisode | null {
    return this.phase === 'review' ? this.episode : null
  }

  /** @returns why not, where it cannot be */
  start(task: string): string | undefined {
    if (this.phase === 'review') return 'keep or discard the last demonstration first'
    if (this.phase !== 'off') return 'a demonstration is being recorded already'
    this.task = task
    this.turn('waiting')
    return undefined
  }

  /** A person's word on the demonstration that goes on: it is over. */
  say(verdict: Verdict): void {
    this.said = verdict
  }

  /** Records with a robot whose run waits, from a fresh start state, until success, a verdict, or the clock. */
  async record(robot: SafeRobot, hand: RecordingHand): Promise<void> {
    const task = this.task!
    const number = Object.values(this.kept).reduce((sum, count) => sum + count, 0)
    const seed = new RandomStream(this.config.seed, `recorded ${number} ${Date.now()}`).integer(
      this.config.evaluation.firstSeed,
    )
    let observation = await robot.reset(task, seed)
    const start = { episode: 0, task, source: 'demonstration', seed } as const
    const episode: LoggedEpisode = {
      start,
      observations: [ownObservation(observation)],
      steps: [],
      end: { ending: 'interrupted' },
    }
    this.episode = episode
    this.said = undefined
    this.turn('recording')
    hand.saw(observation, null, 0)
    for (;;) {
      const over = await hand.period()
      if (over === 'stopped' || over === 'gone') return this.discard()
      if (this.said) return this.judge(this.said, 'person')
      const action = hand.act(observation)
      if (!action) {
        await robot.rest()
        continue
      }
      const outcome = await robot.step(action).catch((error: unknown) => {
        this.discard()
        throw error
      })
      if (robot.fault) return this.discard()
      observation = outcome.observation
      take(episode, robot.executed, outcome)
      hand.saw(observation, robot.executed, episode.steps.length)
      this.onChange(this.event)
      if (outcome.terminated) return this.judge(outcome.reward > 0 ? 'success' : 'failure', 'robot')
      if (episode.steps.length >= PATIENCE * robot.spec.tasks[task]!.maxSteps) return this.judge('failure', 'clock')
    }
  }

  /** @returns why not, where it cannot be: it can be tried again */
  keep(spec: RobotSpec): string | undefined {
    const episode = this.finished
    if (!episode) return 'there is no demonstration to keep'
    if (episode.end.ending !== 'success') return 'only a success can be kept as a demonstration'
    try {
      this.write(episode, spec)
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      return error.message
    }
    this.count(episode.start.task)
    this.discard()
    return undefined
  }

  discard(): void {
    this.episode = null
    this.task = null
    this.turn('off')
  }

  /** @throws InputError if the disk refuses */
  private write(episode: LoggedEpisode, spec: RobotSpec): void {
    const log = EpisodeLog.open(this.folder, spec)
    try {
      writeEpisode(log, episode.start, episode.observations, episode.steps, episode.end)
    } finally {
      log.close()
    }
  }

  private judge(verdict: Verdict, by: Judge): void {
    const last = this.episode!.steps.at(-1)
    if (verdict === 'abort' || !last) {
      this.discard()
      return
    }
    last.terminated = true
    last.reward = verdict === 'success' ? 1 : 0
    last.by = by
    this.episode!.end = { ending: verdict }
    this.turn('review')
  }

  private count(task: string): void {
    this.kept[task] = (this.kept[task] ?? 0) + 1
  }

  private turn(phase: RecordingEvent['phase']): void {
    this.phase = phase
    this.onChange(this.event)
  }
}

function take({ observations, steps }: LoggedEpisode, action: Action, { observation, reward, terminated }: Outcome) {
  const step = steps.length
  observations.push(ownObservation(observation))
  steps.push({
    id: step,
    step,
    action,
    reward,
    terminated,
    truncated: false,
    by: 'robot',
    actor: 'operator',
    command: null,
  })
}
