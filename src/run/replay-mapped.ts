/** @file Plays an episode of a dataset in a robot that is simulated: what the mapping makes of it, seen. */
import { InputError } from '../errors.ts'
import { sideBySide } from '../formats/images.ts'
import type { Episode } from '../replay/source.ts'
import { vectorOf } from '../robot/channels.ts'
import type { Rig } from '../robot/rig.ts'
import type { Image, Observation } from '../robot/robot.ts'

export type Replayed = {
  task: string
  steps: number
  succeeded: boolean
  /** m: how far the tool's way parts from the recorded one, both from where they began; null where nobody tells it. */
  parted: number | null
  frames: Image[]
}

/** @throws InputError if the robot is real: a stranger's episode is not played on one */
export async function replayMapped({ robot, real }: Rig, episode: Episode, seed: number): Promise<Replayed> {
  if (real)
    throw new InputError(
      robot.spec.name,
      'is real, and an episode of others is not played on it',
      'Choose a simulated robot',
    )
  const { task } = episode.start
  const recorded = episode.observations()[Symbol.asyncIterator]()
  const places = vectorOf(robot.spec.channels, 'position')
  const frames: Image[] = []
  let [parted, reward] = [0, 0]
  let origin: number[] | undefined
  let steps = 0
  const compare = async ({ images, proprio }: Observation) => {
    if (Object.keys(images).length > 0) frames.push(sideBySide(Object.values(images)))
    if (!places || steps === episode.steps.length) return // what came after the last step may stand there twice
    const { value } = await recorded.next()
    const then = (value as Observation | undefined)?.proprio
    if (!then) return
    const apart = places.map((at) => proprio[at]! - then[at]!)
    origin ??= apart
    parted = Math.max(parted, Math.hypot(...apart.map((value, axis) => value - origin![axis]!)))
  }
  try {
    await compare(await robot.reset(task, seed))
    for (const { action } of episode.steps) {
      const outcome = await robot.step(action)
      steps++
      reward = outcome.reward
      await compare(outcome.observation)
      if (outcome.terminated) break
    }
  } finally {
    await recorded.return?.(undefined)
    await robot.stop()
  }
  return { task, steps, succeeded: reward > 0, parted: places ? parted : null, frames }
}
