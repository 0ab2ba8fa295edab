/** @file A learner small enough for a test, of the same shape as the large one. */
import type { BenchSizes } from '../../bench/problem.ts'

export const SMALL: BenchSizes = {
  tasks: 2,
  batch: 5,
  cameras: 2,
  gridHeight: 2,
  gridWidth: 2,
  channels: 6,
  blocks: 3,
  bottleneck: 8,
  members: 2,
  hidden: 16,
  projection: 4,
  embedding: 7,
  proprio: 5,
  action: 7,
}
