/** @file One episode by whoever knows what to do, under the task's clock: how demonstrations are made and experts are counted. */
import type { Action, Observation, Outcome, Robot } from './robot.ts'
import { SafeRobot } from './safety.ts'

export type EpisodeStep = { action: Action; outcome: Outcome }
export type Attempt = { first: Observation; steps: EpisodeStep[]; success: boolean }

/** `act` is asked once a step; behind a safety envelope what it let through is kept. */
export async function attempt(
  robot: Robot,
  task: string,
  seed: number,
  act: () => Action | Promise<Action>,
): Promise<Attempt> {
  const first = await robot.reset(task, seed)
  const steps: EpisodeStep[] = []
  while (steps.length < robot.spec.tasks[task]!.maxSteps) {
    const action = await act()
    const outcome = await robot.step(action)
    steps.push({ action: robot instanceof SafeRobot ? robot.executed : action, outcome })
    if (outcome.terminated) break
  }
  return { first, steps, success: (steps.at(-1)?.outcome.reward ?? 0) > 0 }
}
