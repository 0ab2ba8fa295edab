/** @file One episode as the columns of its data file, a frame a step: what was seen before the step, and what came of it. */
import type { LoggedEpisode } from '../../../replay/log-reader.ts'
import { ACTION_WIDTH } from '../../../robot/robot.ts'
import type { Label } from '../../../talk/labels.ts'
import { eventsOf, motionsOf } from './language.ts'

/** Where an episode stands in its set. */
export type Standing = {
  episode: number // index in the set
  firstFrame: number // global index
  task: number
  rate: number // Hz
}

export type ScalarColumn = Float32Array | readonly boolean[] | readonly number[]

export type FrameColumns = {
  /** Rows of a fixed width. */
  vectors: Record<string, readonly Float32Array[]>
  scalars: Record<string, ScalarColumn>
  texts: Record<string, readonly string[]>
  objects: Record<string, readonly unknown[]>
}

const NO_PLAN = new Float32Array(ACTION_WIDTH)

/** All but the pictures. The last observation of an episode has no step after it, and no row. */
export function framesOf(
  { start, observations, steps, end }: LoggedEpisode,
  labels: readonly (Label | null)[],
  { episode, firstFrame, task, rate }: Standing,
): FrameColumns {
  const last = steps.length - 1
  const corrected = steps.map(({ actor }) => start.source === 'online' && actor === 'operator')
  const motions = motionsOf(labels, rate)
  return {
    vectors: {
      'observation.state': steps.map((_, t) => observations[t]!.proprio),
      action: steps.map(({ action }) => action),
      policy_plan: steps.map(({ planned }) => planned ?? NO_PLAN),
    },
    scalars: {
      'next.reward': Float32Array.from(steps, ({ reward }) => reward),
      'next.done': steps.map((_, t) => t === last),
      'next.truncated': steps.map(({ terminated }, t) => t === last && !terminated),
      'next.success': steps.map((_, t) => t === last && end.ending === 'success'),
      intervention: corrected,
      'complementary_info.is_intervention': corrected,
      policy_planned: steps.map(({ planned }) => planned !== undefined),
      timestamp: Float32Array.from(steps, (_, t) => t / rate),
      frame_index: steps.map((_, t) => t),
      episode_index: steps.map(() => episode),
      index: steps.map((_, t) => firstFrame + t),
      task_index: steps.map(() => task),
    },
    texts: {
      actor: steps.map(({ actor }) => actor),
      judge: steps.map(({ by }) => by),
      command: steps.map(({ command }) => command ?? ''),
    },
    objects: { language_persistent: steps.map(() => motions), language_events: eventsOf(steps) },
  }
}
