/** @file HIL-ConRFT: one flat critic on the pooled batch of all tasks, no task weights (docs/method.md §9, §12). */
import { ACTOR_CRITIC_FIGURES, actorCriticGroups, compileActorCritic } from '../actor-critic.ts'
import { MEAN_Q, TASK_WEIGHT } from '../losses/index.ts'
import type { Method, StepSettings } from '../method.ts'

/** The rows of all tasks are one batch of one task, whose weight is 1. */
export function asOneTask<S extends StepSettings>(settings: S): S {
  const { tasks, batchPerTask, learner } = settings
  const taskWeight = { ...learner.taskWeight, min: 1, max: 1 }
  return { ...settings, tasks: 1, batchPerTask: tasks * batchPerTask, learner: { ...learner, taskWeight } }
}

export const hilConrft: Method = {
  figures: ACTOR_CRITIC_FIGURES.filter(({ of }) => of !== 'task'),
  besides: (settings) => actorCriticGroups(asOneTask(settings)),
  async compile(store, settings) {
    const { programs, headsInTurn, renewal, update, measure } = await compileActorCritic(store, asOneTask(settings))
    return {
      programs,
      headsInTurn,
      renewal,
      measure,
      async update(phase, steps) {
        const { [MEAN_Q.name]: _pooled, [TASK_WEIGHT.name]: _one, ...measured } = await update(phase, steps)
        return measured
      },
    }
  },
}
