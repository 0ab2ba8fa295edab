/** @file A run that goes on, once its robots are there: which of them is in focus, how fast they go, what holds them. */
import { basename } from 'node:path'
import { FASTEST } from '../../loop/pace.ts'
import type { Rig } from '../../robot/rig.ts'
import type { RunConfig } from '../../run/config.ts'
import type { RunFolder } from '../../run/folder.ts'
import { translatorSettings } from '../../run/label-rule.ts'
import type { WantedDemonstrations } from '../../run/observer.ts'
import type { Session } from '../../run/session.ts'
import { openTranslator } from '../../talk/translator.ts'
import { type Hello, type PaceEvent, PROTOCOL_VERSION, TIMES } from '../protocol.ts'
import type { Broadcast } from './broadcast.ts'
import { CellObserver } from './cell-observer.ts'
import { Hold, type SceneToLay } from './hold.ts'
import type { PersonInControl } from './person-in-control.ts'
import { Recording } from './recording.ts'

export type LiveRunParts = {
  folder: RunFolder
  config: RunConfig
  session: Session
}

export type LiveRunOptions = {
  broadcast: Broadcast
  inControl: PersonInControl
  now: () => number // ms, never going back
  /** A line for whoever looks at the terminal. */
  onNotice: (line: string) => void
}

export class LiveRun {
  readonly hold: Hold
  readonly recording: Recording
  private readonly cells: ReadonlyMap<string, CellObserver>
  private focus: CellObserver
  private chosen: number | null = null // speed

  constructor(
    private readonly parts: LiveRunParts,
    private readonly options: LiveRunOptions,
  ) {
    const { folder, config, session } = parts
    const { broadcast, inControl, now, onNotice } = options
    this.hold = new Hold({
      robots: new Map(session.rigs.map(({ cell, robot }) => [cell, robot])),
      undo: TIMES.undo,
      now,
      onStatus: (event) => {
        broadcast.tell(event)
        if (event.status === 'paused' || event.status === 'stopped')
          onNotice(`The robot is ${event.status}: ${event.why}. The console lets it go on.`)
      },
      onVerdict: (waiting) => {
        const { verdict, by } = waiting ?? { verdict: null, by: '' }
        broadcast.tell({ kind: 'verdict', verdict, by, left: waiting ? TIMES.undo : 0 })
      },
      onScene: (robot, scene, waits) => {
        broadcast.tell({ kind: 'scene', waits, robot, ...scene })
        if (waits) onNotice(sceneInWords(robot, scene))
      },
    })
    this.recording = new Recording(folder.path, config, (event) => broadcast.tell(event))
    const translator = openTranslator(translatorSettings(config, session.robot.spec))
    const { hold, recording } = this
    const { person } = inControl
    const observers = session.rigs.map((rig) => {
      const cell: CellObserver = new CellObserver({
        ...{ rig, person, hold, recording, translator, now },
        period: () => this.period / this.speed(this.fastest),
        inFocus: () => this.focus === cell,
        watched: () => broadcast.viewers > 0,
        onLook: () => this.look(),
        onGlance: () => this.picture(),
        onEvent: (event) => broadcast.tell(event),
      })
      return [rig.cell, cell] as const
    })
    this.cells = new Map(observers)
    this.focus = observers[0]![1]
  }

  /** All that a greeting says of the run itself, which nobody has been told yet. */
  open(): void {
    const { broadcast, inControl, onNotice } = this.options
    const events = [this.hello, this.hold.state, inControl.event, this.pace, this.recording.event]
    for (const event of events) broadcast.note(event)
    broadcast.greet()
    void this.focus.firstLook()
    this.recording.open().then(
      () => broadcast.tell(this.recording.event),
      (error: Error) => onNotice(`Earlier recordings are not counted: ${error.message}`),
    )
  }

  get config(): RunConfig {
    return this.parts.config
  }

  get rigs(): readonly Rig[] {
    return this.parts.session.rigs
  }

  /** The robot that is shown, and that the person tends. */
  get inFocus(): CellObserver {
    return this.focus
  }

  /** @throws if there is no such cell */
  cell(name: string): CellObserver {
    const cell = this.cells.get(name)
    if (!cell) throw new Error(`LiveRun.cell: there is no cell ${name}`)
    return cell
  }

  /** Whether the robots are real: nobody chooses how fast their time passes. */
  get realTime(): boolean {
    return this.rigs.some(({ real }) => real)
  }

  /** ms of robot time in one step. */
  get period(): number {
    return 1000 / this.parts.session.robot.spec.rate
  }

  /** Real time while a person is in control, except where they have no say. `own`: as the run's settings ask for. */
  speed(own: number): number {
    const { holder } = this.options.inControl.control
    if (this.realTime) return 1
    return holder && this.focus.view.stage !== 'evaluation' ? 1 : (this.chosen ?? own)
  }

  chooseSpeed(speed: number): void {
    this.chosen = speed
    this.paceChanged()
  }

  /** What was measured of the loop does not speak of the new pace. */
  paceChanged(): void {
    for (const { loop } of this.cells.values()) loop.clear()
    this.options.broadcast.tell(this.pace)
  }

  /** Another robot is shown, and tended. @returns whether there is one of this name */
  turnTo(name: string): boolean {
    const cell = this.cells.get(name)
    if (!cell) return false
    const { broadcast, inControl } = this.options
    if (cell !== this.focus) inControl.silence() // it was said to another
    this.focus = cell
    inControl.person.letGo()
    cell.loop.clear()
    broadcast.note(this.hello) // other cameras
    const state = cell.view.state(inControl.command)
    if (state) broadcast.note(state)
    broadcast.greet()
    return true
  }

  /** A person shows the run what it begins from, with this robot. */
  async demonstrate(name: string, wanted: WantedDemonstrations): Promise<void> {
    this.turnTo(name)
    await this.cell(name).demonstrate(wanted)
  }

  /** The newest pictures of the robot in focus. */
  picture(): void {
    const { images, view } = this.focus
    if (images) this.options.broadcast.picture(view.cameras, images, view.moment(this.hold.stopped, this.hold.paused))
  }

  private look(): void {
    const { broadcast, inControl } = this.options
    if (broadcast.newest('state', () => this.focus.view.state(inControl.command))) this.picture()
  }

  private get pace(): PaceEvent {
    const { fastest } = this
    return { kind: 'pace', chosen: this.chosen ?? fastest, now: this.speed(fastest), fastest }
  }

  private get fastest(): number {
    return this.realTime ? 1 : (this.config.online.pace ?? FASTEST)
  }

  private get hello(): Hello {
    const { folder, config, session } = this.parts
    const { spec } = session.robot
    const tasks = Object.entries(spec.tasks)
    return {
      kind: 'hello',
      protocol: PROTOCOL_VERSION,
      client: '',
      mode: 'live',
      run: basename(folder.path),
      settings: config,
      robots: session.rigs.map(({ cell, robot }) => ({ cell, name: robot.spec.name })),
      cameras: this.focus.view.cameras,
      tasks: tasks.map(([name, task]) => ({ name, ...task, trained: config.tasks.includes(name) })),
      actionScale: spec.actionScale,
      controlRate: spec.rate,
      serverTime: 0,
    }
  }
}

const sceneInWords = (robot: string, { task, scene, start }: SceneToLay) =>
  `Robot ${robot} waits: lay the scene of "${task}"${scene ? `: ${scene}` : ''}${start ? `, ${start}` : ''}. Then press Enter here, or Ready at the console.`

/** Where no run goes on. `run`: the one to begin with. */
export const emptyHello = (
  mode: Hello['mode'],
  {
    run,
    settings = {},
    tasks = [],
    controlRate = 0, // of a run that is over its log tells
  }: Pick<Hello, 'run'> & Partial<Pick<Hello, 'settings' | 'tasks' | 'controlRate'>>,
): Hello => ({
  kind: 'hello',
  protocol: PROTOCOL_VERSION,
  client: '',
  mode,
  run,
  settings,
  robots: [],
  cameras: [],
  tasks,
  actionScale: { translation: 0, rotation: 0 },
  controlRate,
  serverTime: 0,
})
