/** @file An episode as it is told: its start, its steps, its end. The log, the buffers and the link share these words. */
import type { Source, Transition } from './transition.ts'

export type EpisodeStart = {
  episode: number // unique in the run, increasing
  task: string
  source: Source
  seed: number | null // of the reset; null where the robot has none
}

/** What one step adds to its episode, beside the observation that it led to. */
export type Step = Omit<Transition, 'observation' | 'episode' | 'task' | 'source'>

/** "interrupted": the process died, the log was cut, or the robot stopped by a fault; the steps that it holds are whole. */
export const ENDINGS = ['success', 'failure', 'timeout', 'abort', 'interrupted'] as const
export type Ending = (typeof ENDINGS)[number]

export type EpisodeEnd = {
  ending: Ending
  /** Corrects the last step, where a person's verdict came after it was recorded. */
  verdict?: { reward: number; terminated: boolean }
  why?: string // of an interruption, where it is known
}

/** The last step with the verdict applied. An episode that did not terminate was truncated: it bootstraps. */
export function settle<S extends Pick<Step, 'reward' | 'terminated' | 'truncated' | 'by'>>(
  last: S,
  end: EpisodeEnd,
): S {
  const { reward, terminated } = end.verdict ?? last
  const by = end.verdict ? 'person' : end.ending === 'timeout' ? 'clock' : last.by
  return { ...last, reward, terminated, truncated: last.truncated || !terminated, by }
}
