/** @file An episode of a log as the messages of an MCAP file: what was seen, where the tool was, who did what, what was said. */

import type { LoggedRobot } from '../../replay/log-header.ts'
import type { LoggedEpisode } from '../../replay/log-reader.ts'
import { jpegOf } from '../../robot/cameras/jpeg.ts'
import type { Observation } from '../../robot/robot.ts'
import { multiply, type Pose, type Quat } from '../../robot/rotation.ts'
import { toolPose } from '../../robot/tool-pose.ts'
import { COMPRESSED_IMAGE, compressedImage } from './compressed-image.ts'
import type { McapMessage, McapSchema } from './file.ts'
import {
  ACTION_ENTRIES,
  EPISODE,
  FRAME_TRANSFORM,
  fieldOf,
  INFO,
  LOG,
  POSE_IN_FRAME,
  proprioSchema,
  STEP,
} from './json-schemas.ts'

const BASE = 'base'
const TOOL = 'tool'
/** Our cameras look along their -z with +y up, Foxglove's along +z with +y down: half a turn about x. */
const HALF_TURN: Quat = [0, 1, 0, 0]

/** `delay`: seconds that are added to the robot's own clock. In the order of their times. */
export async function* messagesOf(
  { start, steps, observations, end }: LoggedEpisode,
  robot: LoggedRobot,
  delay: number,
): AsyncGenerator<McapMessage> {
  const { episode, task, source, seed } = start
  const proprioception = proprioSchema(robot.channels)
  const pose = toolPose(robot)
  for (const [t, observation] of observations.entries()) {
    const seconds = delay + observation.time
    const timestamp = stamp(seconds)
    const json = (topic: string, schema: McapSchema, value: object): McapMessage => ({
      topic,
      schema,
      seconds,
      data: Buffer.from(JSON.stringify(value)),
    })
    const transform = (parent: string, child: string, { position, rotation }: Pose) =>
      json('/tf', FRAME_TRANSFORM, {
        timestamp,
        parent_frame_id: parent,
        child_frame_id: child,
        translation: named(position),
        rotation: quaternion(rotation),
      })
    if (t === 0) {
      const told = { ending: end.ending, why: end.why ?? null }
      yield json('/episode', EPISODE, { episode, task, source, seed, steps: steps.length, ...told })
      for (const [camera, { mount }] of Object.entries(robot.cameras))
        if (mount) yield transform(mount.mount, frameOf(camera), { ...mount, rotation: optical(mount.rotation) })
    }
    for (const [camera, image] of Object.entries(observation.images)) {
      const data = compressedImage(await jpegOf(image), frameOf(camera), timestamp)
      yield { topic: `/camera/${camera}`, schema: COMPRESSED_IMAGE, seconds, data }
    }
    yield json('/proprio', proprioception, readings(observation, robot))
    if (pose) {
      const tool = pose(observation.proprio)
      const { position, rotation } = tool
      const there = { position: named(position), orientation: quaternion(rotation) }
      yield transform(BASE, TOOL, tool)
      yield json('/tool', POSE_IN_FRAME, { timestamp, frame_id: BASE, pose: there })
    }
    const step = steps[t]
    if (!step) continue // the final observation
    const { command, confidence = null } = step
    if (command !== null && command !== (steps[t - 1]?.command ?? null))
      yield json('/words', LOG, { timestamp, level: INFO, message: command, name: 'operator', file: '', line: 0 })
    const action = Object.fromEntries(ACTION_ENTRIES.map((entry, i) => [entry, step.action[i]]))
    const { actor, reward, terminated, truncated, by } = step
    const intervention = source === 'online' && actor === 'operator'
    const judged = { reward, terminated, truncated, by, confidence }
    yield json('/step', STEP, { episode, step: step.step, task, actor, intervention, command, action, ...judged })
  }
}

const frameOf = (camera: string) => `camera/${camera}`

const optical = (rotation: Quat) => multiply(rotation, HALF_TURN)

const named = ([x, y, z]: readonly number[]) => ({ x, y, z })
const quaternion = ([w, x, y, z]: Quat) => ({ x, y, z, w })

function readings({ proprio }: Observation, { channels }: LoggedRobot) {
  return Object.fromEntries(channels.map(({ name }, i) => [fieldOf(name), proprio[i]]))
}

function stamp(seconds: number): { sec: number; nsec: number } {
  const nanoseconds = Math.round(seconds * 1e9)
  const sec = Math.floor(nanoseconds / 1e9)
  return { sec, nsec: nanoseconds - sec * 1e9 }
}
