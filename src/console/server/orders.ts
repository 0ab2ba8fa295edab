/** @file What a person at a page asks for, and whether it is done. Everything needs control but a stop, and words that halt. */
import { type HaltKind, haltIn } from '../../talk/halt-words.ts'
import { understandPhrase } from '../../talk/phrases.ts'
import { type ClientMessage, type ClientName, COMMAND_TIMES, type InputMessage, TIMES } from '../protocol.ts'
import type { Desk, Live } from './desk.ts'
import { Freshness, type Pong } from './freshness.ts'

const SAME_REFUSAL = 1000 // ms in which one is journalled once

type Of<K extends ClientMessage['kind']> = Extract<ClientMessage, { kind: K }>

/** An order with its refusal, in words for the person; undefined where it is done. */
type Answer = string | undefined

export class Orders {
  private readonly freshness = new Map<string, Freshness>() // by client
  private readonly refused = new Map<string, { why: string; at: number }>() // the last of each client

  private readonly late = new Map<string, { since: number; told: number }>() // clients whose inputs are too old

  /** `onLate`: a client's hand is on the robot, but its input was `age` ms old when it came. */
  constructor(
    private readonly desk: Desk,
    private readonly onLate: (client: string, age: number) => void,
  ) {}

  /** @returns why it was refused, if it was. Whatever is done or refused goes into the journal, except inputs that are done. */
  handle(who: ClientName, message: ClientMessage): Answer {
    const refusal = this.answer(who, message)
    const { kind, ...details } = message
    if (refusal !== undefined) this.noteRefusal(who, kind, refusal)
    else if (kind !== 'input') this.desk.journal.write({ what: kind, ...details, ...who })
    return refusal
  }

  /** A page has said what time it is there, which tells how old its inputs are. */
  heard(client: string, t: number, pong?: Pong): void {
    this.desk.heard(client)
    this.freshnessOf(client).heard(t, this.desk.now(), pong)
  }

  gone(client: string): void {
    this.freshness.delete(client)
    this.refused.delete(client)
    this.late.delete(client)
    this.desk.control.gone(client)
    this.desk.tell(this.desk.controlEvent())
  }

  rename(client: string, name: string): void {
    this.desk.control.rename(client, name)
    this.desk.tell(this.desk.controlEvent())
  }

  private answer(who: ClientName, message: ClientMessage): Answer {
    const { desk } = this
    desk.heard(who.client)
    if (!desk.live) return 'the robots are not there yet'
    const halt = message.kind === 'stop' ? 'stop' : message.kind === 'command' && haltIn(message.text)?.kind
    if (halt) return void this.halt(who, halt, desk.live)
    if (message.kind === 'control') return this.changeControl(who, message)
    if (!desk.control.holds(who.client)) return 'this page does not have control'
    if (message.kind === 'input') return this.takeInput(who.client, message)
    return desk.ended ? 'the run is over' : this.obey(who, message, desk.live)
  }

  /** Anybody's, and whatever the robot was told before is over. */
  private halt({ name }: ClientName, kind: HaltKind, { reins }: Live): void {
    this.silence()
    if (kind === 'stop') reins.stop(`stopped by ${name}`)
    else {
      this.desk.person.letGo()
      reins.pause(`paused by ${name}`)
    }
  }

  private silence(): void {
    const { desk } = this
    if (desk.command === null) return
    desk.person.silence()
    desk.tell({ kind: 'command', command: null })
  }

  private obey(who: ClientName, message: ClientMessage, live: Live): Answer {
    const { desk } = this
    const { reins, recording, session, show } = live
    switch (message.kind) {
      case 'command':
        return reins.stopped ? 'the robot is stopped: clear the stop first' : this.say(message)
      case 'silence':
        return void this.silence()
      case 'verdict':
        return this.judge(who, message)
      case 'undo':
        return reins.undo() ? undefined : 'there is no verdict to take back: it has counted, or its episode is over'
      case 'confirm':
        return reins.verdict ? void reins.confirm() : 'no verdict waits'
      case 'pause':
        return void this.halt(who, 'pause', live)
      case 'resume':
        return reins.stopped ? 'the robot is stopped: clear the stop first' : void reins.resume()
      case 'clear':
        return reins.clear(`cleared by ${who.name}`) ? undefined : 'nothing is stopped, or it is not read back yet'
      case 'speed':
        return void desk.chooseSpeed(message.speed)
      case 'focus':
        if (desk.person.holding || recording.event.phase === 'recording') return 'the hand is on the robot'
        if (!session.rigs.some(({ cell }) => cell === message.robot)) return `there is no robot "${message.robot}"`
        return void desk.turnTo(message.robot)
      case 'record':
        return this.record(message, live)
      default:
        return `"${message.kind}" is no order (${show.stage})`
    }
  }

  private changeControl({ client, name }: ClientName, message: Of<'control'>): Answer {
    const { control } = this.desk
    let refusal: Answer
    if (message.action === 'grant') {
      if (!control.grant(client, message.to)) refusal = 'only who has control can give it, to one who waits for it'
    } else if (message.action === 'request') control.request({ client, name })
    else control.release(client)
    this.desk.tell(this.desk.controlEvent())
    return refusal
  }

  private takeInput(client: string, { seq, t, axes, gripper, hold }: InputMessage): Answer {
    const { desk } = this
    const at = this.freshnessOf(client).received(seq, t, desk.now())
    if (at === null) return `input ${seq} comes after a later one`
    desk.person.input({ axes, gripper, hold, at })
    const age = desk.now() - at
    if (hold && age > TIMES.inputAge) this.tellLate(client, age)
    else this.late.delete(client)
    return undefined
  }

  /** One that comes late is a hiccup; a page is told when all of them do. */
  private tellLate(client: string, age: number): void {
    const now = this.desk.now()
    const spell = this.late.get(client) ?? { since: now, told: -Infinity }
    this.late.set(client, spell)
    if (now - spell.since < TIMES.lateFor || now - spell.told < TIMES.lateEvery) return
    if (spell.told === -Infinity) this.desk.journal.write({ what: 'late', client, age: Math.round(age) })
    spell.told = now
    this.onLate(client, age)
  }

  private say({ text, source }: Of<'command'>): Answer {
    const { desk } = this
    const phrase = understandPhrase(text)
    if ('refused' in phrase) return phrase.refused
    if (!('command' in phrase)) return `to ${phrase.understood} is no command`
    if (!desk.followsCommands) return 'this policy has no refinement actor to follow a command'
    const lasts = COMMAND_TIMES[phrase.magnitude?.size ?? 'usual']
    desk.person.say({ text: phrase.command, said: text, source, lasts })
    desk.tell({ kind: 'command', command: desk.command })
    return undefined
  }

  private judge(who: ClientName, { verdict }: Of<'verdict'>): Answer {
    const { desk } = this
    const { reins, recording, show } = desk.live!
    if (recording.event.phase === 'recording') desk.recordingVerdict = verdict
    else if (show.stage !== 'practice') return 'only practice episodes are judged'
    else if (show.step === 0) return 'the episode has no step to judge yet'
    else if (reins.stopped) return 'the robot is stopped: its episode is over'
    else reins.judge(verdict, who.name)
    return undefined
  }

  private record(message: Of<'record'>, { recording, reins, session }: Live): Answer {
    const { robot } = session.rigs.find(({ cell }) => cell === this.desk.focus)!
    if (message.action === 'start') {
      if (!Object.hasOwn(robot.spec.tasks, message.task)) return `the robot has no task "${message.task}"`
      const refusal = recording.start(message.task)
      if (refusal === undefined) reins.changed()
      return refusal
    }
    if (message.action === 'keep') return recording.keep(robot.spec)
    if (recording.event.phase === 'recording') this.desk.recordingVerdict = 'abort'
    else recording.discard()
    return undefined
  }

  private noteRefusal(who: ClientName, order: string, why: string): void {
    const last = this.refused.get(who.client)
    const at = this.desk.now()
    if (last?.why === `${order}: ${why}` && at - last.at < SAME_REFUSAL) return
    this.refused.set(who.client, { why: `${order}: ${why}`, at })
    this.desk.journal.write({ what: 'refused', order, why, ...who })
  }

  private freshnessOf(client: string): Freshness {
    const known = this.freshness.get(client) ?? new Freshness()
    this.freshness.set(client, known)
    return known
  }
}
