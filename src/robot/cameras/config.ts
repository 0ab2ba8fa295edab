/** @file The settings of a robot's cameras: where each picture comes from, and what of it the policy sees. */
import { z } from 'zod'
import { InputError } from '../../errors.ts'
import type { CameraSpec } from '../robot.ts'

const LARGEST = 4096 // pixels, each way

const pixels = z.int().min(1).max(LARGEST)
const finite = z.number()

export const CropConfig = z.strictObject({
  left: z.int().min(0).max(LARGEST).describe('pixels of the camera from its left edge'),
  top: z.int().min(0).max(LARGEST).describe('pixels of the camera from its top edge'),
  width: pixels.describe('pixels of the camera'),
  height: pixels.describe('pixels of the camera'),
})

const MountConfig = z.strictObject({
  mount: z.enum(['base', 'tool']).describe('what the camera is fixed to'),
  position: z.tuple([finite, finite, finite]).describe('m, in the frame of that'),
  rotation: z
    .tuple([finite, finite, finite, finite])
    .describe('quaternion w x y z, camera to that frame; the camera looks along its -z, +y is up'),
  fovy: z.number().gt(0).lt(Math.PI).describe('rad: vertical field of view of the picture as the policy sees it'),
})

/** What all cameras have, whatever they are. */
const VIEW = {
  width: pixels.describe('pixels of the picture that the policy sees, after crop and rotation'),
  height: pixels.describe('pixels of the picture that the policy sees, after crop and rotation'),
  capture: z
    .strictObject({ width: pixels, height: pixels, fps: z.number().gt(0).max(240).default(30) })
    .optional()
    .describe('size and rate at which the camera takes its pictures; what it likes where left out'),
  crop: CropConfig.optional().describe(
    'part of the picture, as the camera takes it, that the policy sees; all of it where left out',
  ),
  rotate: z
    .union([z.literal(0), z.literal(90), z.literal(180), z.literal(270)])
    .default(0)
    .describe('degrees clockwise by which the cropped picture is turned'),
  mount: MountConfig.optional().describe('where the camera is, where that is known'),
}

const httpUrl = z.url({ protocol: /^https?$/, error: 'is no http:// or https:// address' })

/** A camera, by where its pictures come from. */
export const CameraConfig = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('usb').describe('a camera at this computer'),
    device: z.string().min(1).describe('its name or path, as `duet cameras` lists it: /dev/video0'),
    ...VIEW,
  }),
  z.strictObject({
    kind: z.literal('mjpeg').describe('JPEG pictures without end over HTTP (multipart/x-mixed-replace)'),
    url: httpUrl.describe('address of the stream'),
    ...VIEW,
  }),
  z.strictObject({
    kind: z.literal('file').describe('a video, or a folder of JPEG files in the order of their names, over and over'),
    path: z.string().min(1).describe('the video or the folder'),
    ...VIEW,
  }),
  z.strictObject({
    kind: z.literal('test').describe('a pattern that moves, made by this program: no hardware'),
    ...VIEW,
  }),
  z.strictObject({
    kind: z.literal('ros').describe('sensor_msgs/CompressedImage of the ROS bridge that the robot is connected to'),
    topic: z.string().min(1).describe('topic of the compressed pictures'),
    ...VIEW,
  }),
])
export type CameraConfig = z.infer<typeof CameraConfig>

/** A robot's cameras by the names under which the policy knows them. */
export const CamerasConfig = z.record(
  z.string().regex(/^\w[\w.-]*$/, 'may hold letters, digits, "_", "-" and "."'),
  CameraConfig,
)
export type CamerasConfig = z.infer<typeof CamerasConfig>

const KINDS = CameraConfig.options.map(({ shape }) => shape.kind.value)

/** Settings from outside; `where` names them. @throws InputError naming camera and field */
export function parseCameras(where: string, settings: unknown): CamerasConfig {
  const { data, error } = CamerasConfig.safeParse(settings)
  if (data) return data
  const { path, message, code } = error.issues[0]!
  const unknownKind = code === 'invalid_union' && path.at(-1) === 'kind'
  throw new InputError(
    [where, ...path].join('.'),
    unknownKind ? 'is no kind of camera' : message,
    unknownKind ? `Choose one of: ${KINDS.join(', ')}` : 'Correct it; docs/cameras.md has the settings',
    { cause: error },
  )
}

/** As a RobotSpec has them. */
export const cameraSpecs = (config: CamerasConfig): Record<string, CameraSpec> =>
  Object.fromEntries(Object.entries(config).map(([name, camera]) => [name, cameraSpec(camera)]))

export function cameraSpec({ width, height, capture, crop, rotate, mount }: CameraConfig): CameraSpec {
  return {
    width,
    height,
    jpeg: true,
    ...(capture && { capture: { width: capture.width, height: capture.height } }),
    ...(crop && { crop }),
    ...(rotate && { rotate }),
    ...(mount && { mount }),
  }
}
