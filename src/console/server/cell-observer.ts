/** @file Beside one robot of a run: what it does is seen, a person may tend it, and what they do becomes labels. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Attendant, EpisodeSetting } from '../../loop/attendant.ts'
import type { EpisodeSummary } from '../../loop/happening.ts'
import type { Person } from '../../operator/person.ts'
import { Relay } from '../../operator/relay.ts'
import type { Operator, Verdict } from '../../robot/operator.ts'
import type { Rig } from '../../robot/rig.ts'
import type { Observation } from '../../robot/robot.ts'
import type { Vec3 } from '../../robot/rotation.ts'
import { startInWords } from '../../robot/starts.ts'
import { toolPosition } from '../../robot/tool-pose.ts'
import type { WantedDemonstrations } from '../../run/observer.ts'
import type { Translator } from '../../talk/translator.ts'
import type { EpisodeEvent, LabelEvent } from '../protocol.ts'
import { CellView } from './cell-view.ts'
import type { Hold, SceneToLay } from './hold.ts'
import { LabelFeed } from './label-feed.ts'
import { LoopStatistics } from './loop-statistics.ts'
import type { Recording } from './recording.ts'
import { SmoothTending } from './smooth-tending.ts'
import { teleoperate } from './teleop.ts'

const GLANCE_EVERY = 200 // ms, while a scene is laid

export type CellObserverOptions = {
  rig: Pick<Rig, 'cell' | 'robot' | 'reset' | 'leader'>
  person: Person
  hold: Hold
  recording: Recording
  translator: Translator
  now: () => number // ms, never going back
  period: () => number // ms that a step is to take at the present pace
  inFocus: () => boolean // this robot is the one that is shown, and that the person tends
  watched: () => boolean // somebody looks on
  onLook: () => void // there is a newer observation
  onGlance: () => void // there are newer pictures
  onEvent: (event: LabelEvent | EpisodeEvent) => void
}

export class CellObserver {
  readonly view: CellView
  readonly loop = new LoopStatistics()
  private readonly labels: LabelFeed
  private readonly tending: SmoothTending
  private readonly tool: ReturnType<typeof toolPosition>
  private newest: Observation['images'] | null = null

  constructor(private readonly options: CellObserverOptions) {
    this.view = new CellView(options.rig.robot.spec)
    this.tool = toolPosition(options.rig.robot.spec)
    this.labels = new LabelFeed(options.translator, options.onEvent)
    this.tending = new SmoothTending(options.person, options.rig.robot, options.rig.leader)
  }

  get rig(): CellObserverOptions['rig'] {
    return this.options.rig
  }

  /** Whether it tells where its tool is. */
  get tellsTool(): boolean {
    return this.tool !== null
  }

  /** Metres, base frame; undefined for a robot that does not tell. */
  toolAt({ proprio }: Pick<Observation, 'proprio'>): Vec3 | undefined {
    return this.tool?.(proprio)
  }

  /** Of the newest observation; null before the first one. */
  get images(): Observation['images'] | null {
    return this.newest
  }

  /** The person while they are there and this robot is in focus, else the run's own operator. */
  operator(own: Operator | undefined): Operator {
    const { person, inFocus } = this.options
    return new Relay(this.tending, () => person.present && inFocus(), own)
  }

  /** The robot as it stands, until it moves: demonstrations and warm-up take minutes. */
  async firstLook(): Promise<void> {
    const observation = await this.rig.robot.observe().catch(() => undefined) // whoever uses the robot next hears of what is wrong
    if (observation && this.newest === null) this.look(observation)
  }

  attend(setting: EpisodeSetting): Attendant {
    const { labels, view, loop } = this
    const { rig, hold, recording, now, period, inFocus, onEvent } = this.options
    const { cell, reset } = rig
    const { stage, task, episode } = setting
    const wanted = () => stage === 'practice' && inFocus() && recording.wanted && !hold.letGo
    return {
      ready: () => {
        const held = wanted() ? this.teleoperate(wanted) : hold.ready(cell)
        if (held) return held.then(() => hold.goes(cell))
        hold.goes(cell)
        return undefined
      },
      scene: (seed) => (reset === 'person' ? this.scene(task, seed) : undefined),
      begin: (observation) => {
        hold.begin(cell)
        labels.begin()
        view.begin(setting)
        loop.pause()
        this.look(observation)
      },
      between: () => {
        if (wanted()) return Promise.resolve<Verdict>('abort')
        const held = hold.between(cell)
        if (held) loop.pause()
        else loop.step(now(), period())
        return held
      },
      step: (happening, planned, next, latency) => {
        if (latency !== undefined) loop.commanded(latency)
        labels.step(happening, view.firstImage)
        view.act(happening.actor, happening.action, planned)
        this.look(next)
      },
      end: (summary) => {
        hold.end(cell)
        onEvent(endOf(setting, summary))
        if (stage === 'practice' && episode !== null) void labels.end(episode, task)
      },
    }
  }

  /** Resolves when a person has laid the scene, as `Hold.scene` does; meanwhile whoever looks on sees it. */
  private async scene(task: string, seed: number, wanted?: () => boolean): Promise<void> {
    const { rig, hold, inFocus, watched, onGlance } = this.options
    let over = false
    const laid = hold.scene(rig.cell, this.sceneOf(task, seed), wanted).finally(() => {
      over = true
    })
    laid.catch(() => {}) // it is heard below
    while (!over) {
      if (watched() && inFocus() && !hold.stopped) {
        const seen = await rig.robot.glance().catch(() => undefined) // whoever needs it next hears of what is wrong
        if (seen) {
          this.view.glance(seen, true)
          this.newest = seen.images
          onGlance()
        }
      }
      await Promise.race([laid.catch(() => {}), sleep(GLANCE_EVERY, undefined, { ref: false })])
    }
    await laid
  }

  /** What a person is to lay for a start of the task. */
  private sceneOf(task: string, seed: number): SceneToLay {
    const spec = this.rig.robot.spec.tasks[task]!
    return { task, scene: spec.scene ?? null, start: startInWords(spec, seed) }
  }

  /** A person records what the run waits for, one demonstration after the other; resolves when it has them, or is to end. */
  async demonstrate(wanted: WantedDemonstrations): Promise<void> {
    const { hold, recording } = this.options
    await recording.collect(wanted)
    while (!recording.collected && !hold.letGo) {
      const { next } = hold
      if (recording.wanted) await this.teleoperate(() => recording.wanted && !hold.letGo)
      else await next
    }
    await recording.open()
  }

  private teleoperate(asked: () => boolean): Promise<void> {
    const { rig, person, hold, recording } = this.options
    const { reset } = rig
    const { request } = recording
    const wanted = () => asked() && recording.request === request
    const lay = async (task: string, seed: number) => {
      if (reset === 'person') await this.scene(task, seed, wanted)
      return reset === 'person'
    }
    const look = (observation: Observation) => this.look(observation)
    return teleoperate({ rig, person, hold, recording, view: this.view, look, lay, wanted })
  }

  private look(observation: Observation): void {
    const { inFocus, watched, onLook } = this.options
    this.view.look(observation, watched() && inFocus())
    this.newest = observation.images
    if (inFocus()) onLook()
  }
}

function endOf({ cell, stage, task, episode }: EpisodeSetting, summary: EpisodeSummary): EpisodeEvent {
  const { ending, length, operatorSteps, judged } = summary
  const judge = judged ? 'person' : ending === 'timeout' ? 'clock' : 'robot'
  return { kind: 'episode', robot: cell, stage, episode, task, ending, length, operatorSteps, judge }
}
