/** @file HIL-ConRFT: one flat critic on the pooled batch of all tasks, no task weights (docs/method.md §9, §12). */
import { actorCriticGroups, compileActorCritic } from '../actor-critic.ts'
import type { Method, StepSettings } from '../method.ts'

/** The rows of all tasks are one batch of one task, whose weight is 1. */
export function pooled<S extends StepSettings>(settings: S): S {
  const { tasks, batchPerTask, learner } = settings
  const taskWeight = { ...learner.taskWeight, min: 1, max: 1 }
  return { ...settings, tasks: 1, batchPerTask: tasks * batchPerTask, learner: { ...learner, taskWeight } }
}

export const hilConrft: Method = {
  besides: (settings) => actorCriticGroups(pooled(settings)),
  async compile(store, settings) {
    const { programs, renewal, update } = await compileActorCritic(store, pooled(settings))
    return {
      programs,
      renewal,
      async update(phase, steps) {
        const { meanQ: _pooled, weight: _one, ...figures } = await update(phase, steps)
        return figures
      },
    }
  },
}
