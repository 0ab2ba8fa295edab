/** @file The features of a set: which columns a robot's episodes have, in LeRobot's words where it has some. */
import { InputError } from '../../../errors.ts'
import { nameOf } from '../../../robot/channels.ts'
import type { RobotSpec } from '../../../robot/robot.ts'

export type FeatureType = 'float32' | 'int64' | 'bool' | 'string' | 'image' | 'video' | 'language'

/** As info.json has it. `shape`: of images height, width, channels. */
export type WrittenFeature = {
  dtype: FeatureType
  shape: readonly number[]
  names: readonly string[] | null
  info?: Record<string, string | number | boolean>
}
export type Features = Record<string, WrittenFeature>

export const ACTION_NAMES = ['dx', 'dy', 'dz', 'droll', 'dpitch', 'dyaw', 'gripper'] as const

export const cameraKey = (camera: string) => `observation.images.${camera}`

/** Of which a set's features depend, beside the size of its pictures. */
export type Recorded = Pick<RobotSpec, 'rate' | 'channels'>

const scalar = (dtype: FeatureType, names: readonly string[] | null = null): WrittenFeature => ({
  dtype,
  shape: [1],
  names,
})

/** What every LeRobotDataset has. */
const INDICES: Features = {
  timestamp: scalar('float32'),
  frame_index: scalar('int64'),
  episode_index: scalar('int64'),
  index: scalar('int64'),
  task_index: scalar('int64'),
}

/**
 * All that begins with "observation" a policy of LeRobot takes as state, and all that begins with "action" as its output: what
 * is neither has another name. `sizes`: of each camera's pictures. @throws InputError where a set cannot hold such a robot
 */
export function featuresOf(
  { rate, channels }: Recorded,
  sizes: Readonly<Record<string, { width: number; height: number }>>,
  video: boolean,
): Features {
  if (!Number.isInteger(rate))
    throw new InputError('robot rate', `is ${rate} Hz`, 'A LeRobot dataset has a whole number of frames a second')
  return {
    'observation.state': { dtype: 'float32', shape: [channels.length], names: channels.map(nameOf) },
    ...Object.fromEntries(
      Object.keys(sizes)
        .sort()
        .map((camera) => [cameraKey(camera), picture(camera, sizes[camera]!, rate, video)]),
    ),
    action: { dtype: 'float32', shape: [ACTION_NAMES.length], names: ACTION_NAMES },
    'next.reward': scalar('float32'),
    'next.done': scalar('bool'),
    'next.truncated': scalar('bool'),
    'next.success': scalar('bool'),
    intervention: scalar('bool'),
    'complementary_info.is_intervention': scalar('bool', ['is_intervention']),
    policy_plan: { dtype: 'float32', shape: [ACTION_NAMES.length], names: ACTION_NAMES },
    policy_planned: scalar('bool'),
    actor: scalar('string'),
    judge: scalar('string'),
    command: scalar('string'),
    language_persistent: scalar('language'),
    language_events: scalar('language'),
    ...INDICES,
  }
}

function picture(camera: string, { width, height }: { width: number; height: number }, rate: number, video: boolean) {
  if (camera.includes('/'))
    throw new InputError(`camera "${camera}"`, 'has a slash in its name', 'LeRobot takes none: rename the camera')
  const shape = [height, width, 3]
  const names = ['height', 'width', 'channels']
  if (!video) return { dtype: 'image', shape, names } as const
  if (width % 2 || height % 2)
    throw new InputError(
      `camera ${camera}`,
      `has pictures of ${width} × ${height} pixels, and a video takes even numbers`,
      'Export images: leave --video out',
    )
  const info = {
    'video.height': height,
    'video.width': width,
    'video.codec': 'h264',
    'video.pix_fmt': 'yuv420p',
    'video.fps': rate,
    'video.channels': 3,
    has_audio: false,
    is_depth_map: false,
  }
  return { dtype: 'video', shape, names, info } as const
}
