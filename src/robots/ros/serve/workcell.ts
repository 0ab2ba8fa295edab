/** @file The simulated workcell behind a stand-in rosbridge, so that a whole run can go through ROS without an arm. */
import { ACTION_WIDTH, type Image, type Observation } from '../../../robot/robot.ts'
import { conjugate, multiply, rotationVector, type Vec3 } from '../../../robot/rotation.ts'
import type { Workcell } from '../../workcell/workcell.ts'
import type { ToolPose } from '../messages.ts'
import { type ServedArm, type ServedRobot, type ServeOptions, serveArm } from './arm.ts'

/** `task`: which one the service that resets begins; each time with the next seed. */
export function serveRosbridge(
  workcell: Workcell,
  { task, ...options }: Omit<ServeOptions, 'period' | 'pictures'> & { task: string },
): Promise<ServedRobot> {
  const period = 1 / workcell.spec.rate
  return serveArm(new WorkcellArm(workcell, task), { ...options, period, pictures: period / 2 })
}

class WorkcellArm implements ServedArm {
  readonly cameras: readonly string[]
  readonly estopped = false
  private seen!: Observation // after the last step: its pictures take time to draw
  private target: ToolPose | null = null
  private linear: Vec3 = [0, 0, 0]
  private angular: Vec3 = [0, 0, 0]
  private grasp: -1 | 0 | 1 = 0
  private seed = 0

  constructor(
    private readonly workcell: Workcell,
    private readonly task: string,
  ) {
    this.cameras = Object.keys(workcell.spec.cameras)
    this.reset()
  }

  state() {
    const { tcp } = this.workcell.truth()
    const { position, rotation, velocity, angularVelocity } = tcp
    const { channels } = this.workcell.spec
    const { proprio } = this.seen
    const read = (role: string) => proprio[channels.findIndex((channel) => channel.role === role)]!
    const force: Vec3 = [read('force.x'), read('force.y'), read('force.z')]
    return { pose: { position, rotation }, linear: velocity, angular: angularVelocity, force, opening: read('opening') }
  }

  pictures(): Record<string, Image> {
    return this.seen.images
  }

  aim(pose: ToolPose): void {
    this.target = pose
  }

  drive(linear: Vec3, angular: Vec3): void {
    this.target = null
    this.linear = linear
    this.angular = angular
  }

  grip(closed: boolean): void {
    this.grasp = closed ? 1 : -1
  }

  /** One step of the workcell, however long it took. */
  advance(): void {
    const seconds = 1 / this.workcell.spec.rate
    const { translation, rotation } = this.workcell.spec.actionScale
    const from = this.workcell.snapshot().target.pose
    const move = this.target
      ? this.target.position.map((value, axis) => value - from.position[axis]!)
      : this.linear.map((value) => value * seconds)
    const turn = this.target
      ? rotationVector(multiply(this.target.rotation, conjugate(from.rotation)))
      : this.angular.map((value) => value * seconds)
    const action = new Float32Array(ACTION_WIDTH)
    action.set([...move.map((value) => value / translation), ...turn.map((value) => value / rotation), this.grasp])
    this.seen = this.workcell.stepSync(action).observation
  }

  reset(): void {
    this.seen = this.workcell.resetSync(this.task, this.seed++)
    this.target = null
    this.linear = this.angular = [0, 0, 0]
    this.grasp = 0
  }

  /** It latches nothing. */
  recover(): void {}
}
