/**
 * @file Simulated servos on one bus: they take bytes and give bytes, as the wire would carry them. Faults are put in by hand: bytes
 * lost or turned over, a servo that is silent, two that answer as one.
 */
import { BROADCAST, encodePacket, INSTRUCTIONS, type Packet, PacketReader } from '../feetech/packet.ts'
import { REGISTERS } from '../feetech/registers.ts'
import type { SimulatedServo } from './servo.ts'

/** `now`: s, never going back; the servos move as it goes on. */
export class SimulatedBus {
  private readonly reader = new PacketReader()
  private at: number
  readonly silent = new Set<number>() // ids that do not answer
  /** Of the bytes on their way back: what becomes of each; undefined: it is lost. */
  damage: ((byte: number) => number | undefined) | null = null
  /** Goals that were written, and when. */
  onGoal: (id: number, at: number) => void = () => {}

  constructor(
    readonly servos: readonly SimulatedServo[],
    private readonly now: () => number,
  ) {
    this.at = now()
  }

  /** What comes back on the wire. */
  receive(bytes: Uint8Array): Uint8Array {
    this.advance()
    const replies = this.reader.push(bytes).flatMap((packet) => this.answer(packet))
    const whole = Buffer.concat(replies)
    return this.damage ? Uint8Array.from([...whole].flatMap((byte) => this.damage!(byte) ?? [])) : whole
  }

  /** The servos move until now. */
  advance(): void {
    const seconds = this.now() - this.at
    this.at += seconds
    for (const servo of this.servos) servo.advance(seconds)
  }

  private answer({ id, code, data }: Packet): Uint8Array[] {
    switch (code) {
      case INSTRUCTIONS.ping:
        return this.of(id).map((servo) => this.reply(servo))
      case INSTRUCTIONS.read:
        return this.of(id).map((servo) => this.reply(servo, servo.read(data[0]!, data[1]!)))
      case INSTRUCTIONS.write:
        return this.of(id).flatMap((servo) => {
          this.write(servo, data[0]!, data.subarray(1))
          return id === BROADCAST ? [] : this.reply(servo)
        })
      case INSTRUCTIONS.syncRead:
        return [...data.subarray(2)].flatMap((one) =>
          this.of(one).map((servo) => this.reply(servo, servo.read(data[0]!, data[1]!))),
        )
      case INSTRUCTIONS.syncWrite: {
        const width = data[1]! + 1
        for (let at = 2; at + width <= data.length; at += width)
          for (const servo of this.of(data[at]!)) this.write(servo, data[0]!, data.subarray(at + 1, at + width))
        return []
      }
      default:
        return []
    }
  }

  private write(servo: SimulatedServo, address: number, bytes: Uint8Array): void {
    servo.write(address, bytes)
    const { goalPosition } = REGISTERS
    if (address <= goalPosition.address && address + bytes.length > goalPosition.address)
      this.onGoal(servo.get('id'), this.at)
  }

  private of(id: number): SimulatedServo[] {
    return this.servos.filter((servo) => {
      const own = servo.get('id')
      return (id === BROADCAST || id === own) && !this.silent.has(own)
    })
  }

  private reply(servo: SimulatedServo, data: Uint8Array = new Uint8Array()): Uint8Array {
    return encodePacket(servo.get('id'), servo.trouble, data)
  }
}
