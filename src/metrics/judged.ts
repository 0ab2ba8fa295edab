/** @file Episodes that came to an end: one that a person took back, or that a stop cut short, tells nothing of the policy. */

/** Metrics of earlier versions do not tell them apart: all of those count. */
export const judgedOnly = <T extends { aborted?: boolean }>(episodes: readonly T[]): T[] =>
  episodes.filter(({ aborted }) => !aborted)
