/** @file Where an episode begins, in words for the person who lays its scene: equal seeds are equal starts. */
import type { TaskSpec } from './robot.ts'

/** Null where the task has no starts in words. */
export function startInWords({ starts = [] }: TaskSpec, seed: number): string | null {
  return starts[((seed % starts.length) + starts.length) % starts.length] ?? null
}
