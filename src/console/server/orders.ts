/** @file What a person at a page asks for, and whether it is done. Everything needs control but a stop, and words that halt. */

import { secondsFor } from '../../talk/distance.ts'
import { type HaltKind, haltIn } from '../../talk/halt-words.ts'
import { understandPhrase } from '../../talk/phrases.ts'
import { type ClientMessage, type ClientName, COMMAND_TIMES, type InputMessage, TIMES } from '../protocol.ts'
import type { CellObserver } from './cell-observer.ts'
import { Freshness, type Pong } from './freshness.ts'
import type { Hold } from './hold.ts'
import type { Journal } from './journal.ts'
import type { PersonInControl } from './person-in-control.ts'
import type { Recording } from './recording.ts'

const SAME_REFUSAL = 1000 // ms in which one is journalled once

type Of<K extends ClientMessage['kind']> = Extract<ClientMessage, { kind: K }>

/** An order with its refusal, in words for the person; undefined where it is done. */
type Answer = string | undefined

/** The robots of a run, as far as people at pages may reach them. */
export interface OperatedRun {
  readonly hold: Hold
  readonly recording: Recording
  readonly inFocus: Pick<CellObserver, 'rig' | 'view' | 'tellsTool'>
  /** Whether the robots are real. */
  readonly realTime: boolean
  chooseSpeed(speed: number): void
  /** @returns whether there is a robot of this name */
  turnTo(cell: string): boolean
}

/** The robots of a fleet, of which a page reaches the weights alone. */
export interface OperatedFleet {
  /** Null: to the newest again. @returns why it is not done, where it is not */
  rollBack(version: number | null, by: string): Answer
}

/** What people at pages reach. */
export interface Operated {
  readonly journal: Pick<Journal, 'write'>
  readonly inControl: PersonInControl
  readonly live: OperatedRun | undefined // before the robots are there
  readonly fleet: OperatedFleet | undefined // where the robots are in other processes
  readonly ended: boolean
  readonly followsCommands: boolean
  now(): number // ms, never going back
}

export class Orders {
  private readonly freshness = new Map<string, Freshness>() // by client
  private readonly refused = new Map<string, { why: string; at: number }>() // the last of each client

  private readonly late = new Map<string, { since: number; told: number }>() // clients whose inputs are too old

  /** `onLate`: a client's hand is on the robot, but its input was `age` ms old when it came. */
  constructor(
    private readonly operated: Operated,
    private readonly onLate: (client: string, age: number) => void,
  ) {}

  /** @returns why it was refused, if it was. Whatever is done or refused goes into the journal, except inputs that are done. */
  handle(who: ClientName, message: ClientMessage): Answer {
    const refusal = this.answer(who, message)
    const { kind, ...details } = message
    if (refusal !== undefined) this.noteRefusal(who, kind, refusal)
    else if (kind !== 'input') this.operated.journal.write({ what: kind, ...details, ...who })
    return refusal
  }

  /** A page has said what time it is there, which tells how old its inputs are. */
  heard(client: string, t: number, pong?: Pong): void {
    this.operated.inControl.heard(client)
    this.freshnessOf(client).heard(t, this.operated.now(), pong)
  }

  gone(client: string): void {
    this.freshness.delete(client)
    this.refused.delete(client)
    this.late.delete(client)
    const { inControl } = this.operated
    inControl.control.gone(client)
    inControl.tellControl()
  }

  rename(client: string, name: string): void {
    const { inControl } = this.operated
    inControl.control.rename(client, name)
    inControl.tellControl()
  }

  private answer(who: ClientName, message: ClientMessage): Answer {
    const { inControl, live, ended } = this.operated
    inControl.heard(who.client)
    if (message.kind === 'roll-back')
      return this.operated.fleet ? this.operated.fleet.rollBack(message.version, who.name) : 'this run is no fleet'
    if (this.operated.fleet) return 'the robots of a fleet are held, tended and stopped where they are'
    if (!live) return 'the robots are not there yet'
    const halt = message.kind === 'stop' ? 'stop' : message.kind === 'command' && haltIn(message.text)?.kind
    if (halt) return void this.halt(who, halt, live)
    if (message.kind === 'control') return this.changeControl(who, message)
    if (!inControl.control.holds(who.client)) return 'this page does not have control'
    if (message.kind === 'input') return this.takeInput(who.client, message)
    return ended ? 'the run is over' : this.obey(who, message, live)
  }

  /** Anybody's, and whatever the robot was told before is over. */
  private halt({ name }: ClientName, kind: HaltKind, { hold }: OperatedRun): void {
    const { inControl } = this.operated
    inControl.silence()
    if (kind === 'stop') hold.stop(`stopped by ${name}`)
    else {
      inControl.person.letGo()
      hold.pause(`paused by ${name}`)
    }
  }

  private obey(who: ClientName, message: ClientMessage, live: OperatedRun): Answer {
    const { inControl } = this.operated
    const { hold, recording, inFocus } = live
    switch (message.kind) {
      case 'command':
        return hold.stopped ? 'the robot is stopped: clear the stop first' : this.say(message)
      case 'silence':
        return void inControl.silence()
      case 'verdict':
        return this.judge(who, message, live)
      case 'undo':
        return hold.undo() ? undefined : 'there is no verdict to take back: it has counted, or its episode is over'
      case 'confirm':
        return hold.verdict ? void hold.confirm() : 'no verdict waits'
      case 'pause':
        return void this.halt(who, 'pause', live)
      case 'ready':
        return hold.stopped
          ? 'the robot is stopped: clear the stop first'
          : hold.sceneIsReady(message.robot ?? inFocus.rig.cell)
            ? undefined
            : 'no scene is waited for'
      case 'resume':
        return hold.stopped ? 'the robot is stopped: clear the stop first' : void hold.resume()
      case 'clear':
        return hold.clear(`cleared by ${who.name}`) ? undefined : 'nothing is stopped, or it is not read back yet'
      case 'speed':
        return live.realTime ? 'a real robot has its own pace' : void live.chooseSpeed(message.speed)
      case 'focus':
        if (inControl.person.holding) return 'the hand is on the robot'
        if (recording.asked) return 'a demonstration is asked for, of the robot that is shown: end or discard it first'
        return live.turnTo(message.robot) ? undefined : `there is no robot "${message.robot}"`
      case 'record':
        return this.record(message, live)
      default:
        return `"${message.kind}" is no order (${inFocus.view.stage})`
    }
  }

  private changeControl({ client, name }: ClientName, message: Of<'control'>): Answer {
    const { inControl } = this.operated
    const { control } = inControl
    let refusal: Answer
    if (message.action === 'grant') {
      if (!control.grant(client, message.to)) refusal = 'only who has control can give it, to one who waits for it'
    } else if (message.action === 'request') control.request({ client, name })
    else control.release(client)
    inControl.tellControl()
    return refusal
  }

  private takeInput(client: string, { seq, t, axes, gripper, hold }: InputMessage): Answer {
    const { inControl, now } = this.operated
    const at = this.freshnessOf(client).received(seq, t, now())
    if (at === null) return `input ${seq} comes after a later one`
    inControl.person.input({ axes, gripper, hold, at })
    const age = now() - at
    if (hold && age > TIMES.inputAge) this.tellLate(client, age)
    else this.late.delete(client)
    return undefined
  }

  /** One that comes late is a hiccup; a page is told when all of them do. */
  private tellLate(client: string, age: number): void {
    const now = this.operated.now()
    const spell = this.late.get(client) ?? { since: now, told: -Infinity }
    this.late.set(client, spell)
    if (now - spell.since < TIMES.lateFor || now - spell.told < TIMES.lateEvery) return
    if (spell.told === -Infinity) this.operated.journal.write({ what: 'late', client, age: Math.round(age) })
    spell.told = now
    this.onLate(client, age)
  }

  private say({ text, source }: Of<'command'>): Answer {
    const { inControl, followsCommands } = this.operated
    const phrase = understandPhrase(text)
    if ('refused' in phrase) return phrase.refused
    if (!('command' in phrase)) return `to ${phrase.understood} is no command`
    if (!followsCommands) return 'this policy has no refinement actor to follow a command'
    const { command, magnitude, distance } = phrase
    if (distance && !this.operated.live?.inFocus.tellsTool)
      return 'this robot does not tell where its tool is: say it without a distance'
    const lasts = distance ? 1000 * secondsFor(distance.metres) : COMMAND_TIMES[magnitude?.size ?? 'usual']
    inControl.say({ text: command, said: text, source, lasts, ...(distance && { distance: distance.metres }) })
    return undefined
  }

  private judge(who: ClientName, { verdict }: Of<'verdict'>, { hold, recording, inFocus }: OperatedRun): Answer {
    const { view } = inFocus
    const { cell } = inFocus.rig
    const judged = view.stage === 'practice' || view.stage === 'evaluation'
    const other = hold.verdict && hold.verdict.cell !== cell ? hold.verdict : null
    if (recording.event.phase === 'recording') recording.say(verdict)
    else if (!judged || !hold.acts(cell)) return 'no episode goes on that could be judged'
    else if (view.step === 0) return 'the episode has no step to judge yet'
    else if (hold.stopped) return 'the robot is stopped: its episode is over'
    else if (other) return `"${other.verdict}" of robot ${other.cell} waits: confirm it or take it back first`
    else hold.judge(verdict, who.name, cell)
    return undefined
  }

  private record(message: Of<'record'>, { hold, recording, inFocus }: OperatedRun): Answer {
    const { robot } = inFocus.rig
    if (message.action === 'start') {
      if (!Object.hasOwn(robot.spec.tasks, message.task)) return `the robot has no task "${message.task}"`
      const refusal = recording.start(message.task)
      if (refusal === undefined) hold.changed()
      return refusal
    }
    if (message.action === 'keep') {
      const refusal = recording.keep(robot.spec)
      if (refusal === undefined) hold.changed()
      return refusal
    }
    if (recording.event.phase === 'recording') recording.say('abort')
    else recording.discard()
    hold.changed() // its scene may be waited for
    return undefined
  }

  private noteRefusal(who: ClientName, order: string, why: string): void {
    const last = this.refused.get(who.client)
    const at = this.operated.now()
    if (last?.why === `${order}: ${why}` && at - last.at < SAME_REFUSAL) return
    this.refused.set(who.client, { why: `${order}: ${why}`, at })
    this.operated.journal.write({ what: 'refused', order, why, ...who })
  }

  private freshnessOf(client: string): Freshness {
    const known = this.freshness.get(client) ?? new Freshness()
    this.freshness.set(client, known)
    return known
  }
}
