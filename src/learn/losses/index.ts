/** @file The losses of the paper, as functions of tensors (and task weights on the host). */
export * from './behaviour-cloning.ts'
export * from './calibrated-q.ts'
export * from './means.ts'
export * from './noise-space.ts'
export * from './primary-actor.ts'
export * from './refinement.ts'
export * from './task-weights.ts'
export * from './temporal-difference.ts'
