/**
 * @file A leader arm as what a person takes over with. It works as a clutch: its motion since the takeover counts, not where it is, so
 * that leader and robot may stand differently, and a person can let go, move the leader back, and go on.
 */

import type { RobotClock } from '../../robot/clock.ts'
import type { Leader } from '../../robot/leader.ts'
import { ACTION_WIDTH, type Action } from '../../robot/robot.ts'
import { moved, type Pose } from '../../robot/rotation.ts'
import type { Arm } from './arm.ts'
import { posture } from './chain.ts'
import type { So101Config } from './config.ts'
import { GRIPPER_JOINT } from './joints.ts'
import { twistBetween } from './kinematics.ts'

const PERIOD = 0.02 // s between two readings
const STALE = 0.2 // s: what is older is no motion
const BACKLOG = 3 // steps that the robot may lag behind the leader; what is further is forgotten, it does not go on for seconds
const SQUEEZED = 0.4 // opening of the leader's handle, below which it asks to close
const RELEASED = 0.6 // above which it asks to open
const PLAY = 0.15 // that the handle must move after the takeover before it asks for anything

export type LeaderSettings = {
  scale: number // metres of the robot for one of the leader
  deadZone: { translation: number; rotation: number } // m and rad: less is a hand at rest
  actionScale: So101Config['actionScale']
}

export class LeaderArm implements Leader {
  private pose: Pose | null = null // newest
  private opening = 0
  private readAt = Number.NEGATIVE_INFINITY // s
  private reference: Pose | null = null // where the leader was when the robot was where it is now
  private handle = 0 // opening at the takeover
  private moved = false // the handle, since then

  constructor(
    private readonly arm: Pick<Arm, 'read' | 'open'>,
    private readonly clock: RobotClock,
    private readonly settings: LeaderSettings,
  ) {}

  /** Reads on until the port is closed. A reading that fails is tried again: until then the leader is stale, and nothing moves. */
  async follow(): Promise<void> {
    while (this.arm.open) {
      await this.look().catch(() => {})
      await this.clock.sleep(PERIOD)
    }
  }

  async look(): Promise<void> {
    const readings = await this.arm.read()
    this.pose = posture(readings.map(({ position }) => position)).tool
    this.opening = readings[GRIPPER_JOINT]!.position
    this.readAt = this.clock.now()
  }

  engage(): void {
    this.reference = null
    if (!this.isStale) this.begin()
  }

  motion(done: Action): Action | null {
    if (this.isStale || !this.pose) {
      this.reference = null // where it is read again its motion begins anew: nobody saw what the hand did meanwhile
      return null
    }
    const { scale, deadZone, actionScale } = this.settings
    const unit = (i: number) => (i < 3 ? actionScale.translation / scale : actionScale.rotation)
    if (this.reference)
      this.reference = moved(
        this.reference,
        done.subarray(0, 6).map((value, i) => value * unit(i)),
      )
    else this.begin()
    const way = twistBetween(this.reference!, this.pose)
    const rests =
      Math.hypot(...way.slice(0, 3)) < deadZone.translation && Math.hypot(...way.slice(3)) < deadZone.rotation
    const action = new Float32Array(ACTION_WIDTH)
    if (!rests) for (const [i, value] of way.entries()) action[i] = value / unit(i)
    this.forget(action, unit)
    shorten(action.subarray(0, 3))
    shorten(action.subarray(3, 6))
    action[ACTION_WIDTH - 1] = this.grip()
    return action
  }

  private get isStale(): boolean {
    return this.clock.now() - this.readAt > STALE
  }

  private begin(): void {
    this.reference = this.pose
    this.handle = this.opening
    this.moved = false
  }

  /** The reference follows what is too far behind; of a rotation, that the robot may be unable to do, all that is not one step. */
  private forget(action: Action, unit: (i: number) => number): void {
    const excess = [...action.subarray(0, 6)].map((value, i) => {
      const most = i < 3 ? BACKLOG : 1
      return (value - Math.max(-most, Math.min(most, value))) * unit(i)
    })
    this.reference = moved(this.reference!, excess)
  }

  private grip(): number {
    if (Math.abs(this.opening - this.handle) > PLAY) this.moved = true
    if (!this.moved) return 0
    return this.opening < SQUEEZED ? 1 : this.opening > RELEASED ? -1 : 0
  }
}

/** To the longest action there is, without another direction. */
function shorten(part: Float32Array): void {
  const most = Math.max(1, ...part.map(Math.abs))
  for (let i = 0; i < part.length; i++) part[i]! /= most
}
