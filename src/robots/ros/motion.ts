/**
 * @file How an action becomes motion: an equilibrium pose that a controller pulls the tool to, or a twist that goes on as long
 * as it is said again. Either says nothing that it was not just told, and ends in standing still.
 */
import { performance } from 'node:perf_hooks'
import type { Action, RobotSpec } from '../../robot/robot.ts'
import { distance, moved, type Pose, type Vec3 } from '../../robot/rotation.ts'
import type { CommandConfig } from './config.ts'

export interface Motion {
  readonly type: string // of the message, as ROS 1 writes it
  /** Begins the motion of one step. @throws what `say` throws */
  move(action: Action, tool: Pose): void
  /** Stands still, from this call on. `tool`: where it is; null where nobody knows. Never throws. */
  halt(tool: Pose | null): void
}

/** Sends a command off. @throws RobotFault if it would not go off at once */
export type Say = (message: object) => void

const HALTING = 500 // ms for which a zero twist is said after a motion, in case one is lost on the robot's side
const LASTS = 2 // periods for which a twist goes on without a further step

const part = (action: Action, from: number, scale: number): Vec3 => [
  scale * action[from]!,
  scale * action[from + 1]!,
  scale * action[from + 2]!,
]

const xyz = ([x, y, z]: Vec3) => ({ x, y, z })

/** target = measured pose ⊕ a·scale, once a step. */
export class PoseMotion implements Motion {
  readonly type = 'geometry_msgs/PoseStamped'
  private target: Pose | null = null

  constructor(
    private readonly frame: string,
    private readonly scale: RobotSpec['actionScale'],
    private readonly say: Say,
  ) {}

  /** Told to hold it stays at its target while that is near: a new one at each step would follow a sagging arm down. */
  move(action: Action, tool: Pose): void {
    const { translation } = this.scale
    const still = action.subarray(0, 6).every((value) => value === 0)
    const stays = still && this.target && distance(this.target, tool) <= translation
    this.tell(stays ? this.target! : this.after(action, tool))
  }

  private after(action: Action, tool: Pose): Pose {
    const { translation, rotation } = this.scale
    return moved(tool, [...part(action, 0, translation), ...part(action, 3, rotation)])
  }

  /** At most one step is left of the way to its target; where the tool is unknown that rest is safer than a guess. */
  halt(tool: Pose | null): void {
    this.target = null
    if (tool === null) return
    try {
      this.tell(tool)
      this.target = null
    } catch {} // it stays at its last target
  }

  private tell(target: Pose): void {
    const { position, rotation } = target
    const [w, x, y, z] = rotation
    this.say({
      header: { frame_id: this.frame }, // the bridge adds the stamp, by its own clock
      pose: { position: xyz(position), orientation: { x, y, z, w } },
    })
    this.target = target
  }
}

/** v = a·scale·rate, said again and again: who follows twists halts when none comes. */
export class TwistMotion implements Motion {
  readonly type = 'geometry_msgs/TwistStamped'
  private linear: Vec3 = [0, 0, 0]
  private angular: Vec3 = [0, 0, 0]
  private until = 0 // ms: then it is zero
  private quiet = 0 // ms: then nothing more is said
  private timer: ReturnType<typeof setInterval> | null = null

  constructor(
    private readonly config: { frame: string; repeat: number },
    private readonly spec: Pick<RobotSpec, 'rate' | 'actionScale'>,
    private readonly say: Say,
    private readonly onFailure: (error: unknown) => void, // of a repetition
  ) {}

  move(action: Action): void {
    const { rate, actionScale } = this.spec
    this.linear = part(action, 0, actionScale.translation * rate)
    this.angular = part(action, 3, actionScale.rotation * rate)
    this.until = performance.now() + (LASTS * 1000) / rate
    this.quiet = this.until + HALTING
    this.tell()
    this.timer ??= setInterval(() => this.repeat(), 1000 / this.config.repeat)
  }

  halt(): void {
    const now = performance.now()
    this.until = now
    this.quiet = now + HALTING
    this.timer ??= setInterval(() => this.repeat(), 1000 / this.config.repeat)
    try {
      this.tell()
    } catch {} // whoever follows twists halts for want of them
  }

  private repeat(): void {
    if (performance.now() > this.quiet) {
      clearInterval(this.timer!)
      this.timer = null
      return
    }
    try {
      this.tell()
    } catch (error) {
      if (performance.now() < this.until) this.onFailure(error)
    }
  }

  private tell(): void {
    const over = performance.now() >= this.until
    const linear = xyz(over ? [0, 0, 0] : this.linear)
    const angular = xyz(over ? [0, 0, 0] : this.angular)
    this.say({ header: { frame_id: this.config.frame }, twist: { linear, angular } })
  }
}

export const motionOf = (
  command: CommandConfig,
  spec: RobotSpec,
  say: Say,
  onFailure: (error: unknown) => void,
): Motion =>
  command.mode === 'pose'
    ? new PoseMotion(command.frame, spec.actionScale, say)
    : new TwistMotion(command, spec, say, onFailure)
