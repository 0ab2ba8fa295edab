/**
 * @file The operator's desk, between a run and the pages that look on. The run knows it as its watcher; what people at the
 * pages do arrives by `orders.ts`.
 */
import { join } from 'node:path'
import type { Attendant, EpisodeSetting } from '../../loop/attendant.ts'
import type { EpisodeSummary } from '../../loop/episode.ts'
import type { Metric } from '../../metrics/metrics.ts'
import type { Summary } from '../../metrics/summary.ts'
import { Person } from '../../operator/person.ts'
import { Relay } from '../../operator/relay.ts'
import { coach } from '../../review/coach.ts'
import type { Operator, Verdict } from '../../robot/operator.ts'
import type { Observation } from '../../robot/robot.ts'
import type { RunConfig } from '../../run/config.ts'
import type { RunFolder } from '../../run/folder.ts'
import { translatorSettings } from '../../run/label-rule.ts'
import type { Progress } from '../../run/opening.ts'
import type { Session } from '../../run/session.ts'
import type { Watcher } from '../../run/watcher.ts'
import { openTranslator } from '../../talk/translator.ts'
import { type CameraFrame, type CommandInfo, encodeFrame, type ServerEvent, TIMES } from '../protocol.ts'
import { type Change, Control } from './control.ts'
import { greetingOf, replayHello, thinned } from './greeting.ts'
import { Journal } from './journal.ts'
import { LabelFeed } from './label-feed.ts'
import { lend } from './lend.ts'
import { LoopStatistics } from './loop-statistics.ts'
import { PictureStream } from './pictures.ts'
import { Recording } from './recording.ts'
import { Reins } from './reins.ts'
import { Show } from './show.ts'
import { SmoothTending } from './smooth-tending.ts'

/** Whose silence stops a robot that can break, while somebody has control. */
const IN_CONTROL = 'the page in control'

const SHOW_EVERY = 50 // ms between two states, and two pictures of a camera, at least
const TICK = 50 // ms
const LOOP_EVERY = 20 // ticks between two events about the loop

/** Whoever looks on. */
export interface Audience {
  readonly viewers: number
  readonly framesSkipped: number
  tell(event: ServerEvent): void
  show(frame: Uint8Array): void
  /** Pages that were open before the robots were there have to be told all. */
  greet(): void
}

const NOBODY: Audience = { viewers: 0, framesSkipped: 0, tell: () => {}, show: () => {}, greet: () => {} }

/** What there is once the robots are. */
export type Live = {
  folder: RunFolder
  config: RunConfig
  session: Session
  reins: Reins
  recording: Recording
  readonly show: Show // of the robot in focus
  beside: ReadonlyMap<string, { labels: LabelFeed; tending: SmoothTending; show: Show }> // by cell
}

export type DeskOptions = {
  /** No run goes on: name of one to begin with. */
  replay?: string
  /** A line for whoever looks at the terminal. */
  onNotice?: (line: string) => void
  now?: () => number // ms, never going back
}

export class Desk implements Watcher {
  readonly journal: Journal
  readonly control: Control
  readonly person: Person
  readonly now: () => number
  live?: Live
  followsCommands = true
  ended = false
  focus = '' // cell that is shown, and that the person tends
  recordingVerdict?: Verdict // on the demonstration that goes on
  private chosenSpeed: number | null = null
  private audience: Audience = NOBODY
  private readonly loop = new LoopStatistics()
  private readonly pictures = new PictureStream<Omit<CameraFrame, 'camera' | 'jpeg'>>((camera, jpeg, moment) =>
    this.audience.show(encodeFrame({ ...moment, camera, jpeg })),
  )
  readonly metrics: Metric[] = []
  lastProgress: Extract<ServerEvent, { kind: 'progress' }> | null = null
  private readonly timer: ReturnType<typeof setInterval>
  private ticks = 0
  private shownAt = -Infinity
  private newest: Observation['images'] | null = null // of the robot in focus
  private unshown = false // a newer state than the one that was told
  private told = { command: false, holding: false }

  constructor(private readonly options: DeskOptions = {}) {
    this.now = options.now ?? (() => performance.now())
    this.journal = new Journal((why) => options.onNotice?.(`The console's journal is not written: ${why}`))
    this.control = new Control(TIMES.lease, this.now, (change) => this.handOver(change))
    this.person = new Person({ inputAge: TIMES.inputAge, period: () => this.period, now: this.now })
    this.timer = setInterval(() => this.tick(), TICK)
    this.timer.unref()
  }

  seat(audience: Audience): void {
    this.audience = audience
  }

  tell(event: ServerEvent): void {
    this.audience.tell(event)
  }

  /** The run is to end: whoever is held is let go. */
  dismiss(): void {
    this.live?.reins.dismiss()
  }

  /** A page said something; that of the person in control keeps the robots going. */
  heard(client: string): void {
    this.control.renew(client)
    if (this.control.holds(client)) for (const { robot } of this.live?.session.rigs ?? []) robot.heartbeat(IN_CONTROL)
  }

  close(): void {
    clearInterval(this.timer)
  }

  // ---------------------------------------------------------------- the run speaks

  opened({ folder, config, session }: { folder: RunFolder; config: RunConfig; session: Session }): void {
    const reins = new Reins({
      robots: new Map(session.rigs.map(({ cell, robot }) => [cell, robot])),
      undo: TIMES.undo,
      now: this.now,
      onStatus: (event) => {
        this.tell(event)
        if (event.status === 'paused' || event.status === 'stopped')
          this.options.onNotice?.(`The robot is ${event.status}: ${event.why}. The console lets it go on.`)
      },
      onVerdict: (waiting) => {
        const { verdict, by } = waiting ?? { verdict: null, by: '' }
        this.tell({ kind: 'verdict', verdict, by, left: waiting ? TIMES.undo : 0 })
      },
    })
    const recording = new Recording(folder.path, config, (event) => this.tell(event))
    const translator = openTranslator(translatorSettings(config, session.robot.spec))
    const besides = session.rigs.map(({ cell, robot }) => {
      const labels = new LabelFeed(translator, (label) => this.tell(label))
      const tending = new SmoothTending(this.person)
      return [cell, { labels, tending, show: new Show(robot.spec) }] as const
    })
    this.focus = session.rigs[0]!.cell
    const beside: Live['beside'] = new Map(besides)
    const inFocus = () => beside.get(this.focus)!.show
    this.live = {
      ...{ folder, config, session, reins, recording, beside },
      get show() {
        return inFocus()
      },
    }
    this.journal.open(join(folder.path, 'console.jsonl'))
    this.audience.greet()
    void this.firstLook(this.focus)
    recording.open().then(
      () => this.tell(recording.event),
      (error: Error) => this.options.onNotice?.(`Earlier recordings are not counted: ${error.message}`),
    )
  }

  started({ past, followsCommands }: { past: readonly Metric[]; followsCommands: boolean }): void {
    this.followsCommands = followsCommands
    this.metrics.push(...past)
    this.tell({ kind: 'metrics', metrics: thinned(this.metrics) })
  }

  metric(metric: Metric): void {
    this.metrics.push(metric)
    this.tell({ kind: 'metric', metric })
    if (metric.kind === 'health') this.tell({ kind: 'health', signs: metric.signs })
    if (metric.kind === 'episode' && this.audience.viewers > 0) this.tell(this.coachEvent())
  }

  progress({ stage, done, total, note = '' }: Progress): void {
    this.lastProgress = { kind: 'progress', stage, done, total, note }
    this.tell(this.lastProgress)
  }

  speed(own: number): number {
    return this.control.holder && this.live?.show.stage !== 'evaluation' ? 1 : (this.chosenSpeed ?? own)
  }

  operator(cell: string, own: Operator | undefined): Operator {
    const { tending } = this.live!.beside.get(cell)!
    return new Relay(tending, () => this.person.present && this.focus === cell, own)
  }

  attend(scene: EpisodeSetting): Attendant {
    const live = this.live!
    const { reins, recording, config } = live
    const { cell, stage, task, episode } = scene
    const { labels, tending, show } = live.beside.get(cell)!
    const inFocus = () => this.focus === cell
    const { reset } = live.session.rigs.find((rig) => rig.cell === cell)!
    const lent = () => stage === 'practice' && inFocus() && recording.wanted && !reins.letGo
    return {
      ready: () => {
        if (reset === 'person') reins.pause(`put the scene of ${cell} back for "${task}", then resume`)
        return lent() ? lend(this, live, cell, lent) : reins.ready(cell)
      },
      begin: (observation) => {
        reins.begin(cell)
        labels.begin()
        show.begin(scene)
        if (inFocus()) this.loop.pause()
        this.look(cell, observation)
      },
      between: () => {
        if (lent()) return Promise.resolve<Verdict>('abort')
        const held = reins.between(cell, stage === 'practice' && inFocus())
        if (held && inFocus()) this.loop.pause()
        else if (inFocus()) this.loop.step(this.now(), this.period / this.speed(config.online.pace))
        return held
      },
      step: (happening, planned, next) => {
        tending.executed(happening.action)
        labels.step(happening, show.firstImage)
        show.act(happening.actor, happening.action, planned)
        this.look(cell, next)
      },
      end: (summary) => {
        reins.end(cell)
        this.tellEnd(scene, summary)
        if (stage === 'practice' && episode !== null) void labels.end(episode, task)
      },
    }
  }

  ready(cell: string): Promise<void> | undefined {
    return this.live!.reins.ready(cell)
  }

  closed(outcome: { summary: Summary } | { error: unknown }): void {
    this.ended = true
    this.dismiss()
    const summary = 'summary' in outcome ? outcome.summary : null
    const error = 'error' in outcome ? String((outcome.error as Error)?.message ?? outcome.error) : null
    this.tell({ kind: 'ended', summary, error })
    this.close()
  }

  // ---------------------------------------------------------------- what pages are told

  /** What a page that opens has to know, in order; nothing before the robots are there. */
  greeting(client: string): ServerEvent[] {
    const { live, options } = this
    if (live) return greetingOf(this, live, client)
    return options.replay === undefined ? [] : [replayHello(client, options.replay)]
  }

  /** ms of robot time in one step. */
  private get period(): number {
    return 1000 / (this.live?.session.robot.spec.rate ?? 1)
  }

  get command(): CommandInfo | null {
    return (this.person.spoken as CommandInfo | undefined) ?? null
  }

  controlEvent(): ServerEvent {
    const { holder, waiting } = this.control
    const simulated = this.live?.config.operator.kind === 'simulated' ? 'simulated' : 'none'
    return {
      kind: 'control',
      holder,
      holding: this.person.holding,
      waiting: [...waiting],
      operator: holder ? 'person' : simulated,
    }
  }

  paceEvent(): ServerEvent {
    const fastest = this.live!.config.online.pace
    return { kind: 'pace', chosen: this.chosenSpeed ?? fastest, now: this.speed(fastest), fastest }
  }

  coachEvent(): ServerEvent {
    return { kind: 'coach', line: coach(this.metrics).line }
  }

  chooseSpeed(speed: number): void {
    this.chosenSpeed = speed
    this.loop.clear()
    this.tell(this.paceEvent())
  }

  /** Another robot is shown, and tended. */
  turnTo(cell: string): void {
    this.focus = cell
    this.newest = null
    this.person.letGo()
    this.loop.clear()
    this.audience.greet() // other cameras
  }

  private handOver({ from, to, cause }: Change): void {
    const handOn = this.person.holding
    this.person.leave()
    if (to) this.person.come()
    for (const { robot } of this.live?.session.rigs ?? []) robot.supervise(IN_CONTROL, to !== null)
    this.journal.write({ what: 'control', cause, from: from?.name, to: to?.name, client: to?.client })
    if (handOn && (cause === 'silence' || cause === 'gone'))
      this.live?.reins.pause(`${from!.name} was lost with the hand on the robot`)
    if (!from !== !to) this.loop.clear()
    this.tell(this.controlEvent())
    if (this.live) this.tell(this.paceEvent())
  }

  /** The robot as it stands, until it moves: demonstrations and warm-up take minutes. */
  private async firstLook(cell: string): Promise<void> {
    const { robot } = this.live!.session.rigs.find((rig) => rig.cell === cell)!
    const observation = await robot.observe().catch(() => undefined) // whoever uses the robot next hears of what is wrong
    if (observation && this.newest === null && this.focus === cell) this.look(cell, observation)
  }

  /** The newest observation goes to the pages, unless they had one just now: then with the next tick. */
  look(cell: string, observation: Observation): void {
    const { show } = this.live!.beside.get(cell)!
    const watched = this.audience.viewers > 0 && this.focus === cell
    show.look(observation, watched)
    if (this.focus === cell) this.newest = observation.images
    if (!watched) return
    this.unshown = true
    if (this.now() - this.shownAt < SHOW_EVERY) return
    this.picture()
    this.tellState()
  }

  /** The newest pictures of the robot in focus; a page that opens while it waits would have none. */
  picture(): void {
    if (!this.live || !this.newest) return
    const { show, reins } = this.live
    const moment = show.moment(reins.stopped, reins.paused)
    for (const [camera, { name }] of show.cameras.entries()) {
      const image = this.newest[name]
      if (image) this.pictures.offer(camera, image, moment)
    }
  }

  private tellState(): void {
    const state = this.live!.show.state(this.command)
    if (state) this.tell(state)
    this.shownAt = this.now()
    this.unshown = false
  }

  private tellEnd({ cell, stage, task, episode }: EpisodeSetting, summary: EpisodeSummary): void {
    const { ending, length, operatorSteps, judged } = summary
    const judge = judged ? 'person' : ending === 'timeout' ? 'clock' : 'robot'
    this.tell({ kind: 'episode', robot: cell, stage, episode, task, ending, length, operatorSteps, judge })
  }

  private tick(): void {
    this.control.expire()
    this.ticks++
    const { command } = this
    if ((command !== null) !== this.told.command) this.tell({ kind: 'command', command })
    if (this.person.holding !== this.told.holding) this.tell(this.controlEvent())
    this.told = { command: command !== null, holding: this.person.holding }
    const { viewers, framesSkipped } = this.audience
    if (viewers === 0 || !this.live) return
    if (this.unshown && this.now() - this.shownAt >= SHOW_EVERY) this.tellState()
    if (this.ticks % LOOP_EVERY === 0) this.tell({ kind: 'loop', ...this.loop.figures, viewers, framesSkipped })
  }
}
