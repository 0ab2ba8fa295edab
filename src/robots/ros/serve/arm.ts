/** @file An arm of this process as ROS would have it: its readings as topics, its motion by pose or twist, its services. */
import { z } from 'zod'
import { cameraClock, type Frame } from '../../../robot/cameras/camera.ts'
import { jpegOf, stamped } from '../../../robot/cameras/jpeg.ts'
import type { Image } from '../../../robot/robot.ts'
import { type Pose, type Quat, unit, type Vec3 } from '../../../robot/rotation.ts'
import type { RosVersion } from '../messages.ts'
import { type Served, StandInBridge } from './server.ts'

/** What stands behind a stand-in bridge. */
export interface ServedArm {
  readonly cameras: readonly string[]
  state(): { pose: Pose; linear: Vec3; angular: Vec3; force: Vec3; opening: number /* 0 closed, 1 open */ }
  /** The newest of each camera; one whose `received` is another is published. */
  pictures(): Promise<Record<string, Frame>>
  /** Where the tool is to be. */
  aim(pose: Pose): void
  /** How fast it is to go, m/s and rad/s. */
  drive(linear: Vec3, angular: Vec3): void
  grip(closed: boolean): void
  /** `seconds`: since it was told so last. */
  advance(seconds: number): void
  /** To a start state. @throws Error, in words, if it refuses */
  reset(): void
  /** Clears what it latched itself. */
  recover(): void
  /** Whether its emergency stop is pressed. */
  readonly estopped: boolean
}

export type StandInOptions = {
  host?: string
  port?: number
  version?: RosVersion
  period?: number // s between two advances of the arm
  readings?: number // s between two messages of each reading
  pictures?: number // s between two pictures of each camera
  clock?: () => number // s, what stamps are taken from
  handle?: Served['handle'] // what else is asked of its port
}

export const SERVED = {
  pose: '/tool_pose',
  velocity: '/tool_twist',
  wrench: '/wrench',
  joints: '/joint_states', // of the gripper's finger
  picture: (camera: string) => `/${camera}/image/compressed`,
  target: '/target_pose',
  twist: '/twist_command',
  gripper: '/gripper/command', // 0 closed, 1 open
  reset: '/reset',
  recover: '/recover',
  estop: '/estop',
} as const
export const FINGER = 'finger'

const PATIENCE = 250 // ms without a twist, and the arm stands still

const Xyz = z.object({ x: z.number(), y: z.number(), z: z.number() }).transform(({ x, y, z }): Vec3 => [x, y, z])
const Rotation = z
  .object({ x: z.number(), y: z.number(), z: z.number(), w: z.number() })
  .transform(({ x, y, z, w }): Quat => unit([w, x, y, z]))
const Aim = z.object({ pose: z.object({ position: Xyz, orientation: Rotation }) })
const Drive = z.object({ twist: z.object({ linear: Xyz, angular: Xyz }) })
const Grip = z.object({ data: z.number() })
const Press = z.object({ data: z.boolean() })

const xyz = ([x, y, z]: Vec3) => ({ x, y, z })

export type ServedRobot = { address: string; bridge: StandInBridge; close(): Promise<void> }

/** Serves it until closed; it advances in real time. @throws InputError if the port is taken */
export async function serveArm(arm: ServedArm, options: StandInOptions = {}): Promise<ServedRobot> {
  const {
    host = '127.0.0.1',
    port = 9090,
    version = 2,
    period = 0.02,
    readings = 0.02,
    pictures = 0.1,
    clock = () => Date.now() / 1000,
    handle,
  } = options
  let driven = Number.NEGATIVE_INFINITY // ms, when the newest twist came
  let pressed = false // by somebody on the topic of the emergency stop
  const bridge = await StandInBridge.open(
    {
      version,
      handle,
      publishes: {
        [SERVED.pose]: 'geometry_msgs/PoseStamped',
        [SERVED.velocity]: 'geometry_msgs/TwistStamped',
        [SERVED.wrench]: 'geometry_msgs/WrenchStamped',
        [SERVED.joints]: 'sensor_msgs/JointState',
        [SERVED.estop]: 'std_msgs/Bool',
        ...Object.fromEntries(arm.cameras.map((name) => [SERVED.picture(name), 'sensor_msgs/CompressedImage'])),
      },
      hears: {
        [SERVED.target]: {
          type: 'geometry_msgs/PoseStamped',
          hear(message) {
            const { position, orientation } = Aim.parse(message).pose
            if (!pressed) arm.aim({ position, rotation: orientation })
          },
        },
        [SERVED.twist]: {
          type: 'geometry_msgs/TwistStamped',
          hear(message) {
            const { linear, angular } = Drive.parse(message).twist
            driven = performance.now()
            if (!pressed) arm.drive(linear, angular)
          },
        },
        [SERVED.estop]: {
          type: 'std_msgs/Bool',
          hear(message) {
            pressed = Press.parse(message).data
            if (pressed) arm.drive([0, 0, 0], [0, 0, 0])
          },
        },
        [SERVED.gripper]: { type: 'std_msgs/Float64', hear: (message) => arm.grip(Grip.parse(message).data < 0.5) },
      },
      services: {
        [SERVED.reset]: () => trigger(() => arm.reset()),
        [SERVED.recover]: () => trigger(() => arm.recover()),
      },
    },
    host,
    port,
  )
  let advanced = performance.now()
  const advancing = setInterval(() => {
    const now = performance.now()
    if (driven > 0 && now - driven > PATIENCE) {
      driven = Number.NEGATIVE_INFINITY
      arm.drive([0, 0, 0], [0, 0, 0])
    }
    arm.advance((now - advanced) / 1000)
    advanced = now
  }, 1000 * period)
  const shown = new Map<string, number>() // when the newest one of each camera was taken
  let drawing = false
  const showing = setInterval(async () => {
    if (drawing) return // a machine that is late shows fewer
    drawing = true
    const fresh = Object.entries(await arm.pictures()).filter(([name, { received }]) => received !== shown.get(name))
    for (const [name, { received }] of fresh) shown.set(name, received)
    const taken = ({ received }: Frame) => headerOf(version, clock() - (cameraClock() - received))
    await Promise.all(fresh.map(([name, frame]) => show(bridge, taken(frame), name, frame.image)))
    drawing = false
  }, 1000 * pictures)
  const telling = setInterval(() => tell(bridge, headerOf(version, clock()), arm, pressed), 1000 * readings)
  return {
    address: bridge.address,
    bridge,
    async close() {
      clearInterval(advancing)
      clearInterval(telling)
      clearInterval(showing)
      await bridge.close()
    },
  }
}

/** As a service of type std_srvs/Trigger answers. */
function trigger(work: () => void): { success: boolean; message: string } {
  try {
    work()
    return { success: true, message: '' }
  } catch (error) {
    return { success: false, message: (error as Error).message }
  }
}

type Header = { stamp: object; frame_id: string }

function headerOf(version: RosVersion, now: number): Header {
  const seconds = Math.floor(now)
  const nanoseconds = Math.floor((now - seconds) * 1e9)
  const stamp = version === 1 ? { secs: seconds, nsecs: nanoseconds } : { sec: seconds, nanosec: nanoseconds }
  return { stamp, frame_id: 'base' }
}

function tell(bridge: StandInBridge, header: Header, arm: ServedArm, pressed: boolean): void {
  const { pose, linear, angular, force, opening } = arm.state()
  const [w, x, y, z] = pose.rotation
  bridge.publish(SERVED.pose, { header, pose: { position: xyz(pose.position), orientation: { x, y, z, w } } })
  bridge.publish(SERVED.velocity, { header, twist: { linear: xyz(linear), angular: xyz(angular) } })
  bridge.publish(SERVED.wrench, { header, wrench: { force: xyz(force), torque: xyz([0, 0, 0]) } })
  bridge.publish(SERVED.joints, { header, name: [FINGER], position: [opening], velocity: [], effort: [] })
  bridge.publish(SERVED.estop, { data: arm.estopped || pressed })
}

const encoded = new WeakMap<Image, Uint8Array>() // a camera that has frozen sends what it sent

async function show(bridge: StandInBridge, header: Header, name: string, image: Image): Promise<void> {
  const jpeg = image.jpeg ?? encoded.get(image) ?? stamped(await jpegOf(image), performance.now() / 1000)
  encoded.set(image, jpeg)
  bridge.publish(SERVED.picture(name), { header, format: 'jpeg', data: Buffer.from(jpeg).toString('base64') })
}
