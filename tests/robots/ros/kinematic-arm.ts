/** @file An arm without physics behind a stand-in bridge: it goes where it is told, and everything told is kept. */
import { cameraClock, type Frame } from '../../../src/robot/cameras/camera.ts'
import { fromRotationVector, multiply, type Pose, type Vec3 } from '../../../src/robot/rotation.ts'
import type { ServedArm } from '../../../src/robots/ros/serve/arm.ts'

const START: Pose = { position: [0.5, 0, 0.3], rotation: [0, 1, 0, 0] }
const FOLLOWS = 0.01 // s, time constant of its way to a target

/** `from`: where it was when it was told. */
export type Told = { from: Pose; aim?: Pose; linear?: Vec3 }

export class KinematicArm implements ServedArm {
  readonly cameras: readonly string[]
  readonly told: Told[] = []
  readonly grips: boolean[] = []
  resets = 0
  recoveries = 0
  refuses: string | null = null // why it does not reset
  estopped = false
  pose = START
  closed = false
  private target: Pose | null = null
  private linear: Vec3 = [0, 0, 0]
  private angular: Vec3 = [0, 0, 0]

  constructor(cameras: readonly string[] = []) {
    this.cameras = cameras
  }

  state() {
    const opening = this.closed ? 0 : 1
    return { pose: this.pose, linear: this.linear, angular: this.angular, force: [0, 0, -1] as Vec3, opening }
  }

  /** All of one colour, (200, 40, 90). */
  async pictures(): Promise<Record<string, Frame>> {
    const data = () => Uint8Array.from({ length: 3 * 32 * 24 }, (_, i) => [200, 40, 90][i % 3]!)
    const frame = () => ({ image: { width: 32, height: 24, data: data() }, received: cameraClock() })
    return Object.fromEntries(this.cameras.map((name) => [name, frame()]))
  }

  aim(pose: Pose): void {
    this.told.push({ from: this.pose, aim: pose })
    this.target = pose
  }

  drive(linear: Vec3, angular: Vec3): void {
    this.told.push({ from: this.pose, linear })
    this.target = null
    this.linear = linear
    this.angular = angular
  }

  grip(closed: boolean): void {
    this.grips.push(closed)
    this.closed = closed
  }

  advance(seconds: number): void {
    const { position, rotation } = this.pose
    if (this.target) {
      const gap = this.target.position.map((value, i) => value - position[i]!) as Vec3
      const share = Math.hypot(...gap) < 1e-5 ? 1 : 1 - Math.exp(-seconds / FOLLOWS)
      const next = position.map((value, i) => value + share * gap[i]!) as Vec3
      this.pose = { position: next, rotation: this.target.rotation }
    } else {
      const next = position.map((value, i) => value + seconds * this.linear[i]!) as Vec3
      const turn = this.angular.map((value) => value * seconds) as Vec3
      this.pose = { position: next, rotation: multiply(fromRotationVector(turn), rotation) }
    }
  }

  recover(): void {
    this.recoveries++
  }

  reset(): void {
    if (this.refuses !== null) throw new Error(this.refuses)
    this.resets++
    this.pose = START
    this.target = null
    this.linear = this.angular = [0, 0, 0]
    this.closed = false
  }
}
