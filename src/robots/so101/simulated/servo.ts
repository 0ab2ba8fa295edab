/**
 * @file One STS3215 as far as a driver can tell: its control table, and a motor that follows its goal under a limit of speed and
 * acceleration, is held up by obstacles, warms up, and lets go when it is overloaded for long.
 */
import {
  CURRENT_UNIT,
  decodeValue,
  encodeValue,
  MODEL_STS3215,
  OVERLOADED,
  REGISTERS,
  type RegisterName,
  STEPS,
} from '../feetech/registers.ts'

const TABLE = 90 // bytes
const FASTEST = 3400 // steps/s
const FOLLOWING = 0.04 // s: time constant of the position loop
const STALL_CURRENT = 2.4 // A at full duty
const DUTY_A_STEP = 0.2 // ‰ of duty for each step that it is away from its goal, for each unit of its proportional gain
const PROTECTION = 2 // s of overload, after which it lets go
const LET_GO = 200 // ‰ of duty that are left then
const AMBIENT = 30 // °C
const HEATING = 1.5 // °C/s at 1 A
const COOLING = 0.02 // of the difference to the ambient, each second

/** Defaults of a servo as it is sold; what is not named is 0. */
const SOLD: readonly (readonly [RegisterName, number])[] = [
  ['firmwareMajor', 3],
  ['firmwareMinor', 10],
  ['model', MODEL_STS3215],
  ['returnDelay', 250],
  ['maxPosition', STEPS - 1],
  ['maxTemperature', 70],
  ['maxTorque', 1000],
  ['proportional', 32],
  ['derivative', 32],
  ['protectionCurrent', 500],
  ['overloadTorque', 80],
  ['torqueLimit', 1000],
  ['lock', 1],
  ['presentVoltage', 120],
]

export class SimulatedServo {
  private readonly table = new Uint8Array(TABLE)
  private position: number // steps of the shaft, before the homing offset
  private speed = 0 // steps/s
  private overloadedFor = 0 // s
  private overloaded = false
  temperature = AMBIENT
  /** Between what the shaft can turn, steps before the homing offset. */
  free: [low: number, high: number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]

  constructor(id: number, position = STEPS / 2) {
    this.position = position
    for (const [name, value] of SOLD) this.set(name, value)
    this.set('id', id)
    this.tell()
  }

  get(name: RegisterName): number {
    return decodeValue(REGISTERS[name], this.table, REGISTERS[name].address)
  }

  /** As if it had been written by somebody before. */
  set(name: RegisterName, value: number): void {
    this.table.set(encodeValue(REGISTERS[name], value), REGISTERS[name].address)
  }

  /** What it finds wrong with itself. */
  get trouble(): number {
    return this.get('status')
  }

  /** Steps as it tells them. */
  get told(): number {
    return this.get('presentPosition')
  }

  /** Something blocks the shaft where it is. */
  hold(): void {
    this.free = [this.position, this.position]
  }

  /** Somebody moves the shaft. */
  turnTo(position: number): void {
    this.position = position + this.get('homingOffset')
    this.speed = 0
    this.tell()
  }

  read(address: number, count: number): Uint8Array {
    return Uint8Array.from({ length: count }, (_, i) => this.table[address + i] ?? 0)
  }

  /** What is stored is only taken without torque and lock; what it measures is not taken at all. */
  write(address: number, bytes: ArrayLike<number>): void {
    const stores = this.get('torqueEnable') === 0 && this.get('lock') === 0
    const wasDriven = this.get('torqueEnable') === 1
    for (let i = 0; i < bytes.length; i++) {
      const at = address + i
      if (at < REGISTERS.id.address || at >= TABLE) continue
      if (at < REGISTERS.torqueEnable.address && !stores) continue
      if (at >= REGISTERS.presentPosition.address && at < REGISTERS.presentCurrent.address + 2) continue
      this.table[at] = bytes[i]!
    }
    if (this.get('torqueEnable') === 1 && !wasDriven) {
      this.overloaded = false
      this.overloadedFor = 0
    }
    // an overload ends when it is told to go where it need not push
    if (Math.abs(this.duty) < Math.min(LET_GO, 10 * this.get('overloadTorque'))) this.overloaded = false
    this.tell()
  }

  advance(seconds: number): void {
    const SLICE = 0.005
    for (let left = seconds; left > 1e-9; left -= SLICE) this.slice(Math.min(SLICE, left))
    this.tell()
  }

  private slice(dt: number): void {
    const current = Math.abs(this.duty) * (STALL_CURRENT / 1000)
    this.temperature += dt * (HEATING * current - COOLING * (this.temperature - AMBIENT))
    if (this.get('torqueEnable') === 0) {
      this.speed = 0
      return
    }
    const overload = Math.abs(this.duty) >= Math.min(this.limit, 10 * this.get('overloadTorque'))
    this.overloadedFor = overload && this.speed === 0 ? this.overloadedFor + dt : 0
    if (this.overloadedFor >= PROTECTION) this.overloaded = true
    if (this.overloaded) {
      this.speed = 0
      return
    }
    const away = this.goal - this.position
    const fastest = Math.min(FASTEST, this.get('goalSpeed') || FASTEST)
    const wanted = Math.max(-fastest, Math.min(fastest, away / FOLLOWING))
    const change = (this.get('acceleration') || 254) * 100 * dt
    this.speed += Math.max(-change, Math.min(change, wanted - this.speed))
    const next = Math.abs(away) < 0.5 ? this.goal : this.position + this.speed * dt
    const [low, high] = this.free
    this.position = Math.max(low, Math.min(high, next))
    if (this.position !== next || next === this.goal) this.speed = 0
  }

  private get goal(): number {
    const within = Math.max(this.get('minPosition'), Math.min(this.get('maxPosition'), this.get('goalPosition')))
    return within + this.get('homingOffset')
  }

  private get limit(): number {
    return Math.min(this.get('torqueLimit'), this.get('maxTorque'))
  }

  /** ‰, signed. */
  private get duty(): number {
    if (this.get('torqueEnable') === 0) return 0
    const most = this.overloaded ? LET_GO : this.limit
    return Math.max(-most, Math.min(most, (this.goal - this.position) * DUTY_A_STEP * this.get('proportional')))
  }

  private tell(): void {
    this.set('presentPosition', this.position - this.get('homingOffset'))
    this.set('presentSpeed', this.speed)
    this.set('presentLoad', this.duty)
    this.set('presentTemperature', this.temperature)
    this.set('presentCurrent', (Math.abs(this.duty) * STALL_CURRENT) / 1000 / CURRENT_UNIT)
    this.set('moving', this.speed === 0 ? 0 : 1)
    this.set('status', this.overloaded ? OVERLOADED : this.temperature > this.get('maxTemperature') ? 0x04 : 0)
  }
}
