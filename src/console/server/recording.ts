/**
 * @file Demonstrations by a person: the run waits while they do a task by hand, then look at it and keep it or not. What is
 * kept becomes a log of demonstrations like any other: those that the run begins from, where it waits for them; later, between
 * two episodes, the run's folder `recorded`.
 */

import { join } from 'node:path'
import { InputError } from '../../errors.ts'
import { laidScene } from '../../loop/laid-scene.ts'
import { RandomStream } from '../../random/stream.ts'
import { indexEpisodes } from '../../replay/episode-index.ts'
import { EpisodeLog } from '../../replay/log.ts'
import type { LoggedEpisode } from '../../replay/log-reader.ts'
import { writeEpisode } from '../../replay/source.ts'
import type { Judge } from '../../replay/transition.ts'
import { decide, type Judgement } from '../../reward/reward.ts'
import { rewardSources } from '../../reward/sources.ts'
import type { Verdict } from '../../robot/operator.ts'
import { ownObservation } from '../../robot/own-observation.ts'
import type { Action, Observation, RobotSpec } from '../../robot/robot.ts'
import type { SafeRobot } from '../../robot/safety.ts'
import type { RunConfig } from '../../run/config.ts'
import type { WantedDemonstrations } from '../../run/observer.ts'
import type { RecordingEvent } from '../protocol.ts'

const PATIENCE = 5 // times the steps that the task's clock gives a policy

export const RECORDED = 'recorded'

/** What a demonstration needs of whoever acts in it, once a period. */
export type RecordingHand = {
  /** Resolves when the scene is laid; says whether somebody had to. */
  lay(task: string, seed: number): Promise<boolean>
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
  private kept: Record<string, number> = {}
  private folder: string
  private readonly recorded: string // its folder where the run waits for none
  private due: WantedDemonstrations | null = null
  private requests = 0

  constructor(
    runFolder: string,
    private readonly config: Pick<RunConfig, 'seed' | 'evaluation' | 'reward'>,
    private readonly onChange: (event: RecordingEvent) => void,
  ) {
    this.recorded = join(runFolder, RECORDED)
    this.folder = this.recorded
  }

  /** What is kept from now on goes into the run's folder `recorded`; counts what earlier parts of the run have kept there. */
  open(): Promise<void> {
    return this.turnTo(this.recorded, null)
  }

  /** What is kept from now on is what the run begins from; earlier parts of it may have kept some. */
  async collect(due: WantedDemonstrations): Promise<void> {
    await this.turnTo(due.folder, due)
    this.tellKept()
  }

  /** Whether the run has all the demonstrations that it waits for. */
  get collected(): boolean {
    return this.missing.length === 0
  }

  private get missing(): string[] {
    const { due, kept } = this
    return due ? due.tasks.filter((task) => (kept[task] ?? 0) < due.perTask) : []
  }

  private async turnTo(folder: string, due: WantedDemonstrations | null): Promise<void> {
    const kept: Record<string, number> = {}
    for (const { start } of await indexEpisodes(folder)) kept[start.task] = (kept[start.task] ?? 0) + 1
    Object.assign(this, { folder, due, kept })
    this.onChange(this.event)
  }

  private tellKept(): void {
    const { due, kept } = this
    if (!due) return
    const counted = due.tasks.reduce((sum, task) => sum + Math.min(due.perTask, kept[task] ?? 0), 0)
    due.onKept(counted, due.tasks.length * due.perTask)
  }

  get event(): RecordingEvent {
    const { phase, task, episode, kept, due } = this
    const success = episode?.end.ending === 'success'
    return {
      kind: 'recording',
      phase,
      task,
      steps: episode?.steps.length ?? 0,
      success,
      kept: { ...kept },
      wanted: due?.perTask ?? null,
    }
  }

  /** Which demonstration is asked for: one that is discarded is followed by another. */
  get request(): number {
    return this.requests
  }

  /** Waits for the robot. */
  get wanted(): boolean {
    return this.phase === 'waiting'
  }

  /** It has the robot, is to have it, or is looked at as what that robot did; or the run waits for some. */
  get asked(): boolean {
    return this.phase !== 'off' || this.due !== null
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
    const { request } = this
    const number = Object.values(this.kept).reduce((sum, count) => sum + count, 0)
    const seed = new RandomStream(this.config.seed, `recorded ${number} ${Date.now()}`).integer(
      this.config.evaluation.firstSeed,
    )
    const reset = await robot.reset(task, seed)
    let observation = (await hand.lay(task, seed)) ? await laidScene(robot) : reset
    if (this.request !== request) return // discarded before it began
    const rewards = rewardSources(this.config.reward, robot.spec)
    for (const { begin } of rewards) begin?.(task)
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
      const judged = decide(rewards, outcome, undefined, false)
      take(episode, robot.executed, observation, judged)
      hand.saw(observation, robot.executed, episode.steps.length)
      this.onChange(this.event)
      if (judged.terminated) return this.judge(judged.reward > 0 ? 'success' : 'failure', judged.by)
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
    this.tellKept()
    this.discard()
    return undefined
  }

  discard(): void {
    this.requests++
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

function take({ observations, steps }: LoggedEpisode, action: Action, observation: Observation, judged: Judgement) {
  const step = steps.length
  observations.push(ownObservation(observation))
  steps.push({
    id: step,
    step,
    action,
    ...judged,
    truncated: false,
    actor: 'operator',
    command: null,
  })
}
