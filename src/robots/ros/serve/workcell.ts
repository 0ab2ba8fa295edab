/** @file The simulated workcell behind a stand-in rosbridge, so that a whole run can go through ROS without an arm. */
import { moved, type Pose, rotate, type Vec3 } from '../../../robot/rotation.ts'
import { MotionWatch, TestChannel } from '../../../robot/test-channel.ts'
import { Plant, type PlantOptions } from '../../workcell/serve/plant.ts'
import { type ServedArm, type ServedRobot, type StandInOptions, serveArm } from './arm.ts'

/** Served until closed, in real time. @throws InputError if the port is taken, or there is no such task */
export async function serveRosbridge(
  options: PlantOptions & Omit<StandInOptions, 'period' | 'handle'> & { truth?: boolean /* for tests */ },
): Promise<ServedRobot & { plant: Plant }> {
  const plant = await Plant.create(options)
  try {
    const arm = new PlantArm(plant)
    let bridge: ServedRobot['bridge'] | undefined
    const silent = (on: boolean) => {
      if (bridge) bridge.silent = on
    }
    const tests = options.truth
      ? new TestChannel({
          truth: () => plant.truth(),
          lay: (start) => arm.lay(start),
          faults: { ...plant.faults, silent },
        })
      : undefined
    arm.onAim = (moves) => tests?.note(moves)
    const served = await serveArm(arm, { ...options, handle: (...asked) => tests?.handle(...asked) ?? false })
    bridge = served.bridge
    plant.run()
    return {
      plant,
      bridge,
      address: served.address,
      async close() {
        await served.close()
        plant.close()
      },
    }
  } catch (error) {
    plant.close()
    throw error
  }
}

const NEWEST = 0.05 // s between two pictures at least

class PlantArm implements ServedArm {
  readonly cameras: readonly string[]
  readonly estopped = false
  private target: Pose // where a twist leads it
  private linear: Vec3 = [0, 0, 0]
  private angular: Vec3 = [0, 0, 0]
  private readonly watch = new MotionWatch(1e-6)
  /** For tests: it was told where to be, and whether that asks for motion. */
  onAim: (moves: boolean) => void = () => {}

  constructor(private readonly plant: Plant) {
    this.cameras = Object.keys(plant.cell.spec.cameras)
    this.target = plant.state.tool
  }

  state() {
    const { tool, velocity, angularVelocity, force, opening } = this.plant.state
    this.watch.tell(numbersOf(tool))
    return { pose: tool, linear: velocity, angular: angularVelocity, force: rotate(tool.rotation, force), opening }
  }

  pictures() {
    return this.plant.pictures(NEWEST)
  }

  aim(pose: Pose): void {
    this.onAim(this.watch.asksForMotion(numbersOf(pose)))
    this.halt()
    this.plant.moveTo(pose)
  }

  /** It begins where the tool is. */
  drive(linear: Vec3, angular: Vec3): void {
    if (this.still) this.target = this.plant.state.tool
    this.linear = linear
    this.angular = angular
  }

  grip(closed: boolean): void {
    this.plant.grip(closed ? 'close' : 'open')
  }

  advance(seconds: number): void {
    if (this.still) return
    this.target = moved(
      this.target,
      [...this.linear, ...this.angular].map((value) => seconds * value),
    )
    this.plant.moveTo(this.target)
  }

  reset(): void {
    this.halt()
    this.plant.reset()
  }

  lay(start: Parameters<Plant['lay']>[0]): void {
    this.halt()
    this.plant.lay(start)
  }

  recover(): void {
    this.plant.clearError()
  }

  private halt(): void {
    this.linear = this.angular = [0, 0, 0]
  }

  private get still(): boolean {
    return [...this.linear, ...this.angular].every((value) => value === 0)
  }
}

const numbersOf = ({ position, rotation }: Pose) => [...position, ...rotation]
