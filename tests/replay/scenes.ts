/** @file A robot and its episodes for the log's tests: images that differ by kind, so that every codec is used. */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { RandomStream } from '../../src/random/stream.ts'
import type { EpisodeLog, LoggedEpisode } from '../../src/replay/index.ts'
import type { Observation, RobotSpec } from '../../src/robot/robot.ts'

export const aRobot = (size = 16): RobotSpec => ({
  name: 'test arm',
  cameras: { wrist: { width: size, height: size }, front: { width: size, height: size / 2 } },
  rate: 10,
  channels: [
    { name: 'tcp.x', unit: 'm' },
    { name: 'tcp.y', unit: 'm' },
    { name: 'gripper', unit: 'm' },
  ],
  actionFrame: 'base',
  actionScale: { translation: 0.05, rotation: 0.2 },
  tasks: { place: { instruction: 'put the bolt upright', maxSteps: 80 } },
})

/** A moving square over a shade on the front camera, noise on the wrist camera every seventh frame. */
export function observationOf(episode: number, t: number, spec = aRobot()): Observation {
  const images: Observation['images'] = {}
  for (const [camera, { width, height }] of Object.entries(spec.cameras)) {
    const data = new Uint8Array(3 * width * height)
    const noise = camera === 'wrist' && t % 7 === 6
    const random = new RandomStream(1000 * episode + t, camera)
    for (let i = 0; i < data.length; i++) {
      const x = Math.floor(i / 3) % width
      const y = Math.floor(i / 3 / width)
      const inside = Math.abs(x - ((3 * t) % width)) < 3 && Math.abs(y - ((episode * 5) % height)) < 3
      data[i] = noise ? random.bits() & 255 : inside ? 250 - t : 3 * y + episode
    }
    images[camera] = { width, height, data }
  }
  return { images, proprio: Float32Array.of(episode, t, t % 3 ? 0.05 : -1e-40), time: 100 * episode + t / 10 }
}

/** An episode as the log should give it back. */
export function episodeOf(episode: number, steps: number, spec = aRobot()): LoggedEpisode {
  const start = {
    episode,
    task: 'place',
    source: episode % 2 ? 'online' : 'demonstration',
    seed: episode % 3 ? episode : null,
  } as const
  return {
    start,
    observations: Array.from({ length: steps + 1 }, (_, t) => observationOf(episode, t, spec)),
    steps: Array.from({ length: steps }, (_, t) => ({
      id: 1000 * episode + t,
      step: t,
      action: Float32Array.from({ length: 7 }, (_, i) => Math.fround(Math.sin(episode + t + i))),
      reward: t === steps - 1 ? 1 : 0,
      terminated: t === steps - 1,
      truncated: false,
      by: 'robot',
      actor: (['primary', 'refinement', 'operator'] as const)[t % 3]!,
      command: t % 2 ? null : ['move left', '[null]', 'déplace-toi 左へ "{}"'][t % 3]!,
    })),
    end: { ending: 'success' },
  }
}

export function record(log: EpisodeLog, episode: LoggedEpisode, steps = episode.steps.length) {
  log.begin(episode.start, episode.observations[0]!)
  for (let t = 0; t < steps; t++) log.step(episode.steps[t]!, episode.observations[t + 1]!)
  if (steps === episode.steps.length) log.end(episode.end)
}

export const aFolder = () => fs.mkdtempSync(path.join(os.tmpdir(), 'duet-log-'))

/** As the log gives it back when it stopped after `steps` steps. */
export function interrupted(episode: LoggedEpisode, steps: number): LoggedEpisode {
  const kept = episode.steps.slice(0, steps)
  if (steps) kept[steps - 1] = { ...kept[steps - 1]!, truncated: !kept[steps - 1]!.terminated }
  return {
    ...episode,
    steps: kept,
    observations: episode.observations.slice(0, steps + 1),
    end: { ending: 'interrupted' },
  }
}
