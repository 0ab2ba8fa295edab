/** @file The person at the page in control: since when and until when, with their hand on the robot or off, and what they said. */
import { Person, type PersonOptions } from '../../operator/person.ts'
import { type CommandInfo, type ControlEvent, type ServerEvent, TIMES } from '../protocol.ts'
import { type Change, Control } from './control.ts'

export type PersonInControlOptions = Omit<PersonOptions, 'inputAge'> & {
  /** Who tends the robots while no person does. */
  operator: () => ControlEvent['operator']
  tell: (event: ServerEvent) => void
  /** The one in control was heard. */
  onAlive: () => void
  /** Control has another holder, or none. `handOn`: the former one's hand was on the robot. */
  onChange: (change: Change, handOn: boolean) => void
}

export class PersonInControl {
  readonly control: Control
  readonly person: Person
  private told = { command: false, holding: false }

  constructor(private readonly options: PersonInControlOptions) {
    const { now, period, tool } = options
    this.control = new Control(TIMES.lease, now, (change) => this.handOver(change))
    this.person = new Person({ inputAge: TIMES.inputAge, period, now, tool })
  }

  get event(): ControlEvent {
    const { holder, waiting } = this.control
    const operator = holder ? 'person' : this.options.operator()
    return { kind: 'control', holder, holding: this.person.holding, waiting: [...waiting], operator }
  }

  /** What was said last, while it is in force. */
  get command(): CommandInfo | null {
    return (this.person.spoken as CommandInfo | undefined) ?? null
  }

  /** A page said something; that of the person in control keeps the robots going. */
  heard(client: string): void {
    this.control.renew(client)
    if (this.control.holds(client)) this.options.onAlive()
  }

  say(spoken: Omit<CommandInfo, 'left'>): void {
    this.person.say(spoken)
    this.options.tell({ kind: 'command', command: this.command })
  }

  silence(): void {
    if (this.command === null) return
    this.person.silence()
    this.options.tell({ kind: 'command', command: null })
  }

  /** Who has control, and who waits for it. */
  tellControl(): void {
    this.options.tell(this.event)
  }

  /** Takes control from one who has fallen silent, and tells what passed by itself. To be called every now and then. */
  tick(): void {
    this.control.expire()
    const { command } = this
    const { holding } = this.person
    if ((command !== null) !== this.told.command) this.options.tell({ kind: 'command', command })
    if (holding !== this.told.holding) this.tellControl()
    this.told = { command: command !== null, holding }
  }

  private handOver(change: Change): void {
    const handOn = this.person.holding
    this.person.leave()
    if (change.to) this.person.come()
    this.tellControl()
    this.options.onChange(change, handOn)
  }
}
