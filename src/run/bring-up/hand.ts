/** @file Moves a robot's tool slowly by small steps through its safety envelope, looking after each where it is. */
import { InputError } from '../../errors.ts'
import { type Pace, paceOf } from '../../loop/pace.ts'
import { vectorOf } from '../../robot/channels.ts'
import { describeFault } from '../../robot/fault.ts'
import { GRIPPER_ENTRY } from '../../robot/gripper.ts'
import { holdAction } from '../../robot/guard.ts'
import type { Rig } from '../../robot/rig.ts'
import type { Action, Observation } from '../../robot/robot.ts'
import { gap, type Vec3 } from '../../robot/rotation.ts'
import type { SafeRobot } from '../../robot/safety.ts'

const SLOWLY = 0.3 // of the longest step
const THERE = 0.0015 // m from where it is to go
const PATIENCE = 6 // s that a way of a few centimetres may take

export class Hand {
  private readonly robot: SafeRobot
  private readonly pace: Pace
  private readonly position: readonly [number, number, number]
  private seen: Observation | null = null

  /** @throws InputError where the robot does not tell where its tool is, or moves along other axes than it tells */
  constructor(rig: Rig) {
    this.robot = rig.robot
    const { spec } = this.robot
    const position = vectorOf(spec.channels, 'position')
    if (!position || spec.actionFrame !== 'base')
      throw new InputError(
        spec.name,
        'does not tell where its tool is, in the frame of its actions',
        'The ladder is for robots that do: give its channels the roles position.x, position.y and position.z',
      )
    this.position = position
    this.pace = paceOf(rig, { online: {} })
  }

  /** Waits for the robot's next period. */
  period(): Promise<void> {
    return this.pace.tick()
  }

  at({ proprio }: Observation): Vec3 {
    const [x, y, z] = this.position
    return [proprio[x]!, proprio[y]!, proprio[z]!]
  }

  async look(): Promise<Vec3> {
    this.seen = await this.robot.observe()
    return this.at(this.seen)
  }

  /** In the robot's next period. @throws InputError if the envelope, or the robot, finds a fault */
  async step(action: Action): Promise<Observation> {
    await this.period()
    return this.act(action)
  }

  /** At once. @throws as `step` does */
  async act(action: Action): Promise<Observation> {
    const { observation } = await this.robot.step(action)
    const { fault, spec } = this.robot
    if (fault) throw new InputError(spec.name, `holds after a fault, ${describeFault(fault)}`, clearing(spec.name))
    this.seen = observation
    return observation
  }

  /** Stands still; the gripper is asked to open (-1), to close (1), or for nothing. */
  async hold(seconds: number, grip: -1 | 0 | 1, each?: (observation: Observation) => void): Promise<void> {
    const action = holdAction()
    action[GRIPPER_ENTRY] = grip
    for (let left = Math.ceil(seconds * this.robot.spec.rate); left > 0; left--) {
      const observation = await this.step(action)
      each?.(observation)
    }
  }

  /**
   * Goes straight to a place nearby; ends there, where `enough` says so, or after a few seconds.
   * @returns where the tool is then, as it reads
   */
  async go(to: Vec3, enough: (at: Vec3) => boolean = () => false): Promise<Vec3> {
    const { rate, actionScale } = this.robot.spec
    let at = this.seen ? this.at(this.seen) : await this.look()
    for (let left = Math.ceil(PATIENCE * rate); left > 0 && gap(at, to) > THERE && !enough(at); left--) {
      const action = holdAction()
      for (let i = 0; i < 3; i++)
        action[i] = Math.max(-SLOWLY, Math.min(SLOWLY, (to[i]! - at[i]!) / actionScale.translation))
      at = this.at(await this.step(action))
    }
    return at
  }
}

export const clearing = (name: string) => `Look at the robot, then \`duet robot clear ${name}\`, and begin again`
