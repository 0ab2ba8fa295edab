/** @file Opens a robot's cameras, and gives the newest picture of each. */
import { decodeError, InputError } from '../../errors.ts'
import type { Observation } from '../robot.ts'
import { LiveCamera, noPicture } from './camera.ts'
import { type CameraConfig, type CamerasConfig, cameraSpec } from './config.ts'
import { openFile } from './sources/file.ts'
import { openMjpeg } from './sources/mjpeg-client.ts'
import type { PictureSource, Sink } from './sources/source.ts'
import { openTestPattern } from './sources/test-pattern.ts'
import { openUsb } from './sources/usb.ts'

/**
 * Listens to what somebody else receives: pictures of a ROS topic are taken from the robot's own connection. Called once a camera
 * of kind "ros"; whoever it is calls `take` with the JPEG bytes of each message, or `lost` when the bridge is gone.
 */
export type Subscribe = (camera: { name: string; topic: string }, sink: Sink) => Promise<PictureSource> | PictureSource

export type CamerasOptions = {
  patience?: number // s until every camera has to have sent a picture; 5
  subscribe?: Subscribe
}

export type Cameras = {
  readonly cameras: ReadonlyMap<string, LiveCamera>
  /** For an Observation, at once. `taken` is on `cameraClock`, as Observation.time of a robot with cameras is. */
  pictures(): Required<Pick<Observation, 'images' | 'taken'>>
  close(): Promise<void>
}

/** @throws InputError naming the camera that cannot be opened, or has sent no picture in time; none stays open then */
export async function openCameras(config: CamerasConfig, options: CamerasOptions = {}): Promise<Cameras> {
  const { patience = 5 } = options
  const cameras = new Map<string, LiveCamera>()
  const close = async () => void (await Promise.all([...cameras.values()].map((camera) => camera.close())))
  try {
    for (const [name, camera] of Object.entries(config)) cameras.set(name, await openCamera(name, camera, options))
    await Promise.all([...cameras.values()].map((camera) => firstFrame(camera, patience)))
  } catch (error) {
    await close()
    throw error
  }
  return {
    cameras,
    pictures() {
      const frames = [...cameras].map(([name, camera]) => [name, camera.newest()!] as const)
      return {
        images: Object.fromEntries(frames.map(([name, { image }]) => [name, image])),
        taken: Object.fromEntries(frames.map(([name, { received }]) => [name, received])),
      }
    },
    close,
  }
}

/** Its pictures may come later. @throws InputError if the source cannot be there at all */
export async function openCamera(
  name: string,
  config: CameraConfig,
  options: CamerasOptions = {},
): Promise<LiveCamera> {
  let source: PictureSource | undefined
  const noisy = config.kind !== 'file' && config.kind !== 'test'
  const camera = new LiveCamera(name, cameraSpec(config), { release: () => source?.close(), noisy })
  const sink: Sink = { take: (jpeg, received) => camera.take(jpeg, received), lost: (error) => camera.lost(error) }
  source = await openSource(name, config, sink, options)
  return camera
}

function openSource(
  name: string,
  config: CameraConfig,
  sink: Sink,
  { subscribe }: CamerasOptions,
): Promise<PictureSource> | PictureSource {
  const { kind } = config
  if (kind === 'test') return openTestPattern(config.capture ?? { width: 640, height: 480, fps: 30 }, sink)
  if (kind === 'mjpeg') return openMjpeg(`camera ${name}`, config.url, sink)
  if (kind === 'ros') {
    if (subscribe) return subscribe({ name, topic: config.topic }, sink)
    throw new InputError(`cameras.${name}.kind`, 'is "ros", this robot has no ROS bridge', 'Choose mjpeg or usb')
  }
  if (kind === 'file') return openFile(name, config.path, config.capture?.fps ?? 30, sink)
  return openUsb(name, config, sink)
}

/** @throws InputError saying why, as far as it is known */
function firstFrame(camera: LiveCamera, patience: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const check = () => {
      if (!camera.newest()) return
      done()
      resolve()
    }
    const timer = setTimeout(() => {
      done()
      reject(camera.trouble ? decodeError(camera.trouble) : noPicture(camera.name, patience))
    }, 1000 * patience)
    const unwatch = camera.watch(check)
    const done = () => {
      clearTimeout(timer)
      unwatch()
    }
    check()
  })
}
