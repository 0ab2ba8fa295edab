/**
 * @file The ROS messages that a robot is read by, as rosbridge writes them in JSON: what is taken from each, and what is no
 * such message. A NaN arrives as null, which is refused like everything else that is no number.
 */
import { z } from 'zod'
import { type Pose, unit, type Vec3 } from '../../robot/rotation.ts'

/** ROS 1 and ROS 2 write the names of types and the fields of a stamp differently, and neither understands the other. */
export type RosVersion = 1 | 2

/** "geometry_msgs/PoseStamped" as a bridge of that version wants to hear it. */
export const typeName = (type: string, version: RosVersion): string =>
  version === 1 ? type : type.replace('/', '/msg/')

/** What a message says, and when it was measured, in seconds of the clock that stamped it. */
export type Stamped<T> = { value: T; stamp: number }

/** Null: it is not about what is read. @throws Error, with the field in its words, if it is no such message */
export type Reader<T> = (message: unknown, version: RosVersion) => Stamped<T> | null

const STAMPS = {
  1: z.object({ secs: z.int(), nsecs: z.int() }).transform(({ secs, nsecs }) => secs + nsecs / 1e9),
  2: z.object({ sec: z.int(), nanosec: z.int() }).transform(({ sec, nanosec }) => sec + nanosec / 1e9),
}

const HEADERS = {
  1: z.object({ header: z.object({ stamp: STAMPS[1] }) }),
  2: z.object({ header: z.object({ stamp: STAMPS[2] }) }),
}

function parse<T>(schema: z.ZodType<T>, message: unknown): T {
  const result = schema.safeParse(message)
  if (result.success) return result.data
  const { path, message: text } = result.error.issues[0]!
  throw new Error(`${path.join('.') || 'the message'}: ${text}`)
}

function stampOf(message: unknown, version: RosVersion): number {
  const other = version === 1 ? 2 : 1
  if (HEADERS[other].safeParse(message).success)
    throw new Error(`header.stamp is one of ROS ${other}, robot.version says ${version}`)
  const { stamp } = parse(HEADERS[version], message).header
  if (stamp === 0) throw new Error('header.stamp is 0: nobody can tell how old it is')
  return stamp
}

const reader =
  <T>(schema: z.ZodType<T>): Reader<T> =>
  (message, version) => ({ stamp: stampOf(message, version), value: parse(schema, message) })

const Vector = z.object({ x: z.number(), y: z.number(), z: z.number() }).transform(({ x, y, z }): Vec3 => [x, y, z])

const Quaternion = z
  .object({ x: z.number(), y: z.number(), z: z.number(), w: z.number() })
  .refine(({ x, y, z, w }) => Math.abs(Math.hypot(x, y, z, w) - 1) < 0.05, 'is no rotation: its length is not 1')
  .transform(({ x, y, z, w }) => unit([w, x, y, z]))

/** geometry_msgs/PoseStamped */
export const readPose = reader<Pose>(
  z
    .object({ pose: z.object({ position: Vector, orientation: Quaternion }) })
    .transform(({ pose }) => ({ position: pose.position, rotation: pose.orientation })),
)

/** geometry_msgs/TwistStamped */
export const readTwist = reader<{ linear: Vec3; angular: Vec3 }>(
  z.object({ twist: z.object({ linear: Vector, angular: Vector }) }).transform(({ twist }) => twist),
)

/** geometry_msgs/WrenchStamped */
export const readWrench = reader<{ force: Vec3; torque: Vec3 }>(
  z.object({ wrench: z.object({ force: Vector, torque: Vector }) }).transform(({ wrench }) => wrench),
)

const Joints = z.object({ name: z.array(z.string()), position: z.array(z.number().nullable()) })

/**
 * sensor_msgs/JointState: the positions of these joints, found by name; the order of a message means nothing. One that has
 * none of them is another device's on the same topic.
 */
export const readJoints =
  (wanted: readonly string[]): Reader<number[]> =>
  (message, version) => {
    const { name, position } = parse(Joints, message)
    if (!wanted.some((joint) => name.includes(joint))) return null
    const value = wanted.map((joint) => {
      const at = name.indexOf(joint)
      if (at < 0) throw new Error(`has no joint "${joint}", it has: ${name.join(', ') || 'none'}`)
      const reading = position[at]
      if (typeof reading !== 'number') throw new Error(`position of joint "${joint}" reads ${reading}`)
      return reading
    })
    return { stamp: stampOf(message, version), value }
  }

const Picture = z.object({ format: z.string(), data: z.base64() })

/** sensor_msgs/CompressedImage, as the camera or its driver compressed it */
export const readPicture: Reader<Uint8Array> = (message, version) => {
  const { format, data } = parse(Picture, message)
  if (!/jpe?g/i.test(format)) throw new Error(`format is "${format}", only JPEG is read`)
  return { stamp: stampOf(message, version), value: Buffer.from(data, 'base64') }
}
