/** @file The control table of the Feetech STS3215: where each value lies, in how many bytes, and which bit is its sign. */

/** `sign`: this bit says that the value is negative, the bits below it are its size. `stored`: kept without power, behind a lock. */
export type Register = { address: number; bytes: 1 | 2; sign?: number; stored?: true }

const stored = (address: number, bytes: 1 | 2, sign?: number): Register => ({
  address,
  bytes,
  stored: true,
  ...(sign && { sign }),
})
const live = (address: number, bytes: 1 | 2, sign?: number): Register => ({ address, bytes, ...(sign && { sign }) })

export const REGISTERS = {
  firmwareMajor: stored(0, 1),
  firmwareMinor: stored(1, 1),
  model: stored(3, 2),
  id: stored(5, 1),
  returnDelay: stored(7, 1), // 2 µs each
  minPosition: stored(9, 2),
  maxPosition: stored(11, 2),
  maxTemperature: stored(13, 1), // °C
  maxTorque: stored(16, 2), // ‰
  phase: stored(18, 1),
  proportional: stored(21, 1),
  derivative: stored(22, 1),
  integral: stored(23, 1),
  protectionCurrent: stored(28, 2), // 6.5 mA each
  homingOffset: stored(31, 2, 11),
  mode: stored(33, 1), // 0: goes to a position
  overloadTorque: stored(36, 1), // %
  torqueEnable: live(40, 1),
  acceleration: live(41, 1), // 100 steps/s² each; 0: as fast as it can
  goalPosition: live(42, 2, 15),
  goalTime: live(44, 2),
  goalSpeed: live(46, 2, 15), // steps/s; 0: as fast as it can
  torqueLimit: live(48, 2), // ‰
  lock: live(55, 1), // 1: what is stored cannot be written
  presentPosition: live(56, 2, 15),
  presentSpeed: live(58, 2, 15), // steps/s
  presentLoad: live(60, 2, 10), // ‰ of the motor's duty
  presentVoltage: live(62, 1), // 0.1 V each
  presentTemperature: live(63, 1), // °C
  status: live(65, 1), // as the code of a reply
  moving: live(66, 1),
  presentCurrent: live(69, 2, 15), // 6.5 mA each
} as const satisfies Record<string, Register>

export type RegisterName = keyof typeof REGISTERS

/** What is read in one go, and where: all that a servo tells of its motion, from presentPosition to presentCurrent. */
export const FEEDBACK = { address: 56, bytes: 15 } as const

/** Written in one go where motion is commanded: goal position, goal time, goal speed. */
export const MOTION = { address: 42, bytes: 6 } as const

export const MODEL_STS3215 = 777
export const STEPS = 4096 // positions of a turn
export const CURRENT_UNIT = 0.0065 // A

/** Bits of the code of a reply, and of the register `status`, in words. */
export const TROUBLES = [
  [0x01, 'its voltage is out of range'],
  [0x02, 'its position sensor fails'],
  [0x04, 'it is too hot'],
  [0x08, 'its current is too high'],
  [0x20, 'it is overloaded, and has let go'],
] as const
export const OVERLOADED = 0x20

export const troubleIn = (status: number): string[] =>
  TROUBLES.filter(([bit]) => (status & bit) !== 0).map(([, words]) => words)

/** Little endian, sign and magnitude. A size that does not fit is cut to the largest. */
export function encodeValue({ bytes, sign }: Register, value: number): number[] {
  const most = sign === undefined ? 2 ** (8 * bytes) - 1 : 2 ** sign - 1
  const size = Math.min(most, Math.round(Math.abs(value)))
  const raw = sign !== undefined && value < 0 && size > 0 ? size | (1 << sign) : value < 0 ? 0 : size
  return bytes === 1 ? [raw] : [raw & 0xff, raw >> 8]
}

export function decodeValue({ bytes, sign }: Register, data: ArrayLike<number>, at = 0): number {
  const raw = bytes === 1 ? data[at]! : data[at]! | (data[at + 1]! << 8)
  if (sign === undefined) return raw
  const size = raw & (2 ** sign - 1)
  return raw & (1 << sign) ? -size : size
}
