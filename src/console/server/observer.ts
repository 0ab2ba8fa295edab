/**
 * @file Between a run and the pages that look on: what the run tells goes out to them, what people at them do comes in by
 * `orders.ts`. Only wires the parts that know about it.
 */
import { join } from 'node:path'
import type { Attendant, EpisodeSetting } from '../../loop/attendant.ts'
import type { Metric } from '../../metrics/metrics.ts'
import type { Summary } from '../../metrics/summary.ts'
import { coach } from '../../review/coach.ts'
import type { Operator } from '../../robot/operator.ts'
import type { Observer, WantedDemonstrations } from '../../run/observer.ts'
import type { Progress } from '../../run/progress.ts'
import type { EvaluationEvent, FleetEvent, Hello, ServerEvent } from '../protocol.ts'
import { Broadcast } from './broadcast.ts'
import type { Change } from './control.ts'
import { Journal } from './journal.ts'
import { emptyHello, LiveRun, type LiveRunParts } from './live-run.ts'
import type { Operated, OperatedFleet } from './orders.ts'
import { PersonInControl } from './person-in-control.ts'

/** Whose silence stops a robot that can break, while somebody has control. */
const IN_CONTROL = 'the page in control'

const TICK = 50 // ms
const LOOP_EVERY = 20 // ticks between two events about the loop

export type RunObserverOptions = {
  /** No run goes on: name of one to begin with. */
  replay?: string
  /** The robots are in other processes. */
  fleet?: OperatedFleet & Pick<Hello, 'run' | 'settings' | 'tasks' | 'controlRate'> & { folder: string }
  /** A line for whoever looks at the terminal. */
  onNotice?: (line: string) => void
  now?: () => number // ms, never going back
}

export class RunObserver implements Observer, Operated {
  readonly now: () => number
  readonly journal: Journal
  readonly broadcast: Broadcast
  readonly inControl: PersonInControl
  private run?: LiveRun
  private isOver = false
  private heedsCommands = true
  private readonly timer: ReturnType<typeof setInterval>
  private ticks = 0

  constructor(private readonly options: RunObserverOptions = {}) {
    this.now = options.now ?? (() => performance.now())
    this.journal = new Journal((why) => this.notice(`The console's journal is not written: ${why}`))
    this.broadcast = new Broadcast(this.now)
    this.inControl = new PersonInControl({
      now: this.now,
      period: () => this.run?.period ?? 1000,
      tool: (observation) => this.run?.inFocus.toolAt(observation),
      operator: () => (this.run?.config.operator.kind === 'simulated' ? 'simulated' : 'none'),
      tell: (event) => this.broadcast.tell(event),
      onAlive: () => {
        for (const { robot } of this.run?.rigs ?? []) robot.heartbeat(IN_CONTROL)
      },
      onChange: (change, handOn) => this.handOver(change, handOn),
    })
    const { replay, fleet } = options
    if (replay !== undefined) this.broadcast.note(emptyHello('replay', { run: replay }))
    if (fleet) {
      const { run, settings, tasks, controlRate } = fleet
      this.broadcast.note(emptyHello('fleet', { run, settings, tasks, controlRate }))
      this.journal.open(join(fleet.folder, 'console.jsonl'))
    }
    this.timer = setInterval(() => this.tick(), TICK)
    this.timer.unref()
  }

  // ---------------------------------------------------------------- for the pages

  /** The run that goes on; undefined before its robots are there. */
  get live(): LiveRun | undefined {
    return this.run
  }

  get fleet(): OperatedFleet | undefined {
    return this.options.fleet
  }

  get ended(): boolean {
    return this.isOver
  }

  get followsCommands(): boolean {
    return this.heedsCommands
  }

  /** What a page that opens has to know, in order; nothing before the robots are there. */
  greeting(client: string): ServerEvent[] {
    return this.broadcast.greeting(client)
  }

  /** Somebody without a page says that a scene is laid. @returns whether one was waited for */
  sceneIsReady(by: string): boolean {
    const [cell, ...others] = this.run?.hold.scenes ?? []
    if (others.length > 0) {
      this.notice(`Robots ${[cell, ...others].join(' and ')} wait: say at the console whose scene is laid.`)
      return false
    }
    const ready = cell !== undefined && this.run!.hold.sceneIsReady(cell)
    if (ready) this.journal.write({ what: 'ready', by })
    return ready
  }

  /** The run is to end: whoever is held is let go. */
  dismiss(): void {
    this.run?.hold.dismiss()
  }

  close(): void {
    clearInterval(this.timer)
  }

  // ---------------------------------------------------------------- the run speaks

  opened(parts: LiveRunParts): void {
    const { broadcast, inControl, now } = this
    this.run = new LiveRun(parts, { broadcast, inControl, now, onNotice: (line) => this.notice(line) })
    this.journal.open(join(parts.folder.path, 'console.jsonl'))
    this.advise()
    this.run.open()
  }

  started({ past, followsCommands }: { past: readonly Metric[]; followsCommands: boolean }): void {
    this.heedsCommands = followsCommands
    this.broadcast.tell({ kind: 'metrics', metrics: past })
  }

  metric(metric: Metric): void {
    this.broadcast.tell({ kind: 'metric', metric })
    if (metric.kind === 'episode') this.advise()
  }

  progress({ stage, done, total, note = '' }: Progress): void {
    this.broadcast.tell({ kind: 'progress', stage, done, total, note })
  }

  fleetIs(event: Omit<FleetEvent, 'kind'>): void {
    this.broadcast.tell({ kind: 'fleet', ...event })
  }

  speed(own: number): number {
    return this.run?.speed(own) ?? own
  }

  operator(cell: string, own: Operator | undefined): Operator {
    return this.run!.cell(cell).operator(own)
  }

  attend(setting: EpisodeSetting): Attendant {
    return this.run!.cell(setting.cell).attend(setting)
  }

  ready(cell: string): Promise<void> | undefined {
    return this.run!.hold.ready(cell)
  }

  async demonstrate(cell: string, wanted: WantedDemonstrations): Promise<void> {
    await this.run!.demonstrate(cell, wanted)
  }

  evaluating(evaluation: Omit<EvaluationEvent, 'kind'>): void {
    this.broadcast.tell({ kind: 'evaluation', ...evaluation })
  }

  closed(outcome: { summary: Summary | null } | { error: unknown }): void {
    this.isOver = true
    this.dismiss()
    const summary = 'summary' in outcome ? outcome.summary : null
    const error = 'error' in outcome ? String((outcome.error as Error)?.message ?? outcome.error) : null
    this.broadcast.tell({ kind: 'ended', summary, error })
    this.close()
  }

  // ----------------------------------------------------------------

  private notice(line: string): void {
    this.options.onNotice?.(line)
  }

  private advise(): void {
    this.broadcast.newest('coach', () => ({ kind: 'coach', line: coach(this.broadcast.metrics).line }))
  }

  private handOver({ from, to, cause }: Change, handOn: boolean): void {
    const { run } = this
    for (const { robot } of run?.rigs ?? []) robot.supervise(IN_CONTROL, to !== null)
    this.journal.write({ what: 'control', cause, from: from?.name, to: to?.name, client: to?.client })
    if (handOn && (cause === 'silence' || cause === 'gone'))
      run?.hold.pause(`${from!.name} was lost with the hand on the robot`)
    if (!from !== !to) run?.paceChanged()
  }

  private tick(): void {
    this.ticks++
    this.inControl.tick()
    this.broadcast.flush()
    const { viewers, framesSkipped } = this.broadcast
    if (!this.run || viewers === 0 || this.ticks % LOOP_EVERY !== 0) return
    this.broadcast.tell({ kind: 'loop', ...this.run.inFocus.loop.figures, viewers, framesSkipped })
  }
}
