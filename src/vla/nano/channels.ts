/** @file Which of a robot's channels stand in for those that the weights were pretrained to read: by what they mean, else by name. */
import { InputError } from '../../errors.ts'
import type { Channel } from '../../robot/channels.ts'
import type { NanoConfig } from './config.ts'

/** What a channel is paired by: on another robot the same thing may have another name, and stand elsewhere. */
export const channelMeaning = ({ name, role }: Pick<Channel, 'name' | 'role'>): string => role ?? name

/** Turns a robot's proprioception into what the weights read; what the robot does not tell is as it was on average in training. */
export type ChannelPairing = { pair(proprio: Float32Array): Float32Array; missing: readonly string[] }

/** Undefined: they read it as it comes. @throws InputError where the weights' own channels are unknown and the robot has another number of them */
export function pairChannels(
  { mean, channels: wanted }: NanoConfig['proprio'],
  robot: readonly Channel[],
): ChannelPairing | undefined {
  if (wanted === undefined) {
    if (robot.length === mean.length) return undefined
    throw new InputError(
      'nano encoder, proprio',
      `has ${robot.length} entries, the weights expect ${mean.length}`,
      'Pretrain an encoder for this robot, or name `proprio.channels` in its config.json',
    )
  }
  const told = robot.map(channelMeaning)
  if (told.join() === wanted.join()) return undefined
  const from = wanted.map((meaning) => told.indexOf(meaning))
  return {
    pair: (proprio) => Float32Array.from(from, (index, i) => (index < 0 ? mean[i]! : proprio[index]!)),
    missing: wanted.filter((_, i) => from[i]! < 0),
  }
}
