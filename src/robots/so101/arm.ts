/**
 * @file Six servos as one arm: set up at connect, read and commanded in joint units. Torque is never taken off but by `relax`: an arm
 * without it falls.
 */
import { InputError } from '../../errors.ts'
import { type ArmCalibration, fromSteps, rangeOf, toSteps } from './calibration.ts'
import { BUILT_RANGES } from './chain.ts'
import { type BusOptions, ServoBus } from './feetech/bus.ts'
import type { Line } from './feetech/line.ts'
import {
  CURRENT_UNIT,
  decodeValue,
  encodeValue,
  FEEDBACK,
  MOTION,
  REGISTERS,
  type Register,
  type RegisterName,
  STEPS,
} from './feetech/registers.ts'
import { expectWholeArm, nameOfServo } from './handshake.ts'
import { ARM_JOINTS, JOINTS, type JointVector } from './joints.ts'

/** What a servo tells of itself. */
export type JointReading = {
  position: number // rad; the gripper: 0 closed, 1 open
  speed: number // rad/s; the gripper: of its whole way, 1/s
  load: number // -1 to 1, of the motor's duty
  current: number // A
  voltage: number // V
  temperature: number // °C
  status: number // bits of TROUBLES
}

/** What the servos keep without power, as LeRobot sets it; the gripper's limits keep it from burning out on what it holds. */
const STORED: readonly (readonly [RegisterName, number])[] = [
  ['returnDelay', 0],
  ['mode', 0],
  ['proportional', 16],
  ['integral', 0],
  ['derivative', 32],
]
const STORED_GRIPPER: readonly (readonly [RegisterName, number])[] = [
  ['maxTorque', 500],
  ['protectionCurrent', 250],
  ['overloadTorque', 25],
]
const MULTI_TURN = 0x10 // bit of `phase`: positions beyond one turn, which no joint of this arm has

export type ServoStrength = {
  torque: number // 0 to 1, of what a servo can; of the joints before the gripper
  gripperTorque: number
  acceleration: number // rad/s²
}

export class Arm {
  private readonly ids: number[]

  private constructor(
    private readonly line: Line,
    private readonly bus: ServoBus,
    readonly calibration: ArmCalibration,
  ) {
    this.ids = JOINTS.map((joint) => calibration[joint].id)
  }

  /** Moves nothing, and changes nothing in the servos. @throws InputError naming what is wrong with the arm; the line is closed then */
  static async connect(line: Line, calibration: ArmCalibration, options?: BusOptions): Promise<Arm> {
    const bus = new ServoBus(line, options)
    try {
      await expectWholeArm(bus, line.name, calibration)
      return new Arm(line, bus, calibration)
    } catch (error) {
      await bus.close()
      throw error
    }
  }

  get open(): boolean {
    return this.bus.open
  }

  /** Requests that had to be sent again, so far. */
  get retried(): number {
    return this.bus.retried
  }

  close(): Promise<void> {
    return this.bus.close()
  }

  /** Of each joint: between what it may go, by the calibration and as the arm is built. */
  get ranges(): [low: number, high: number][] {
    return JOINTS.map((joint, j) => {
      const [low, high] = rangeOf(j, this.calibration[joint])
      const built = BUILT_RANGES[j]
      return built ? [Math.max(low, built[0]), Math.min(high, built[1])] : [low, high]
    })
  }

  /** @throws BusError if a servo does not answer */
  async read(): Promise<JointReading[]> {
    const replies = await this.bus.syncRead(this.ids, FEEDBACK)
    return JOINTS.map((joint, j) => {
      const { data } = replies.get(this.ids[j]!)!
      const value = (name: RegisterName) => {
        const register: Register = REGISTERS[name]
        return decodeValue(register, data, register.address - FEEDBACK.address)
      }
      const position = fromSteps(j, this.calibration[joint], value('presentPosition'))
      const { range_min, range_max } = this.calibration[joint]
      return {
        position,
        speed: value('presentSpeed') / (j < ARM_JOINTS ? STEPS / (2 * Math.PI) : range_max - range_min),
        load: value('presentLoad') / 1000,
        current: Math.abs(value('presentCurrent')) * CURRENT_UNIT,
        voltage: value('presentVoltage') / 10,
        temperature: value('presentTemperature'),
        status: value('status'),
      }
    })
  }

  /**
   * [6] Where the joints are to go, at up to `speed` rad/s each, 0: as fast as they can. @throws BusError if the line is closed
   */
  async send(goals: JointVector, speed = 0): Promise<void> {
    await this.bus.syncWrite(MOTION.address, this.motion(goals, speed))
  }

  /** The same at once, and again in turn: how a stop is sent. */
  async sendNow(goals: JointVector): Promise<void> {
    const motion = this.motion(goals, 0)
    this.bus.writeNow(MOTION.address, motion)
    await this.bus.syncWrite(MOTION.address, motion)
  }

  /** Whether each joint is driven. */
  async driven(): Promise<boolean[]> {
    const driven: boolean[] = []
    for (const id of this.ids) driven.push((await this.bus.read(id, 'torqueEnable')) === 1)
    return driven
  }

  /**
   * Sets the servos up, and drives them where they stand: nothing moves. What they keep without power is written only where it
   * differs. @throws InputError where that is needed and the arm holds itself up: writing it would drop the arm
   */
  async drive({ torque, gripperTorque, acceleration }: ServoStrength): Promise<void> {
    const driven = await this.driven()
    for (const [j, joint] of JOINTS.entries()) {
      const id = this.ids[j]!
      const phase = await this.bus.read(id, 'phase')
      const wanted = [
        ...STORED,
        ...(j < ARM_JOINTS ? [] : STORED_GRIPPER),
        ['phase', phase & ~MULTI_TURN] as const,
      ] as const
      for (const [name, value] of wanted) await this.store(j, name, value, driven[j]!)
      await this.bus.write(id, 'torqueLimit', 1000 * (j < ARM_JOINTS ? torque : gripperTorque))
      await this.bus.write(id, 'acceleration', Math.max(1, Math.min(254, (acceleration * STEPS) / (2 * Math.PI * 100))))
      if (driven[j]) continue
      await this.bus.write(id, 'goalPosition', await this.bus.read(id, 'presentPosition'))
      await this.bus.write(id, 'torqueEnable', 1)
      await this.bus.write(id, 'lock', 1)
      if ((await this.bus.read(id, 'torqueEnable')) !== 1)
        throw new InputError(this.line.name, `${nameOfServo(joint, this.calibration[joint])} takes no torque`, SWITCH)
    }
  }

  /** The arm goes limp, and falls where nobody holds it. */
  async relax(): Promise<void> {
    for (const id of this.ids) await this.bus.write(id, 'torqueEnable', 0)
  }

  private async store(j: number, name: RegisterName, value: number, driven: boolean): Promise<void> {
    const id = this.ids[j]!
    if ((await this.bus.read(id, name)) === value) return
    const servo = nameOfServo(JOINTS[j]!, this.calibration[JOINTS[j]!])
    if (driven)
      throw new InputError(
        this.line.name,
        `${servo} needs ${name} ${value}, which is only written without torque`,
        'Hold the arm, take its torque off with `duet so101 relax`, and start again',
      )
    await this.bus.write(id, 'lock', 0)
    await this.bus.write(id, name, value)
    await this.bus.write(id, 'lock', 1)
    if ((await this.bus.read(id, name)) !== value)
      throw new InputError(this.line.name, `${servo} does not keep ${name} ${value}`, SWITCH)
  }

  private motion(goals: JointVector, speed: number): Map<number, number[]> {
    const steps = Math.round((speed * STEPS) / (2 * Math.PI))
    return new Map(
      JOINTS.map((joint, j) => [
        this.ids[j]!,
        [
          ...encodeValue(REGISTERS.goalPosition, toSteps(j, this.calibration[joint], goals[j]!)),
          ...encodeValue(REGISTERS.goalTime, 0),
          ...encodeValue(REGISTERS.goalSpeed, steps),
        ],
      ]),
    )
  }
}

const SWITCH = "Switch the arm's power off and on; where that does not help, the servo is broken"
