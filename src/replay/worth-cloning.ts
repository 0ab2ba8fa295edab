/** @file Which steps of an episode that succeeded by itself are worth doing again. */
import type { Actor } from './transition.ts'

/**
 * All of them, but for those in which the arm stood still until something was tried (`idle` steps before it, see
 * loop/exploration.ts), and what was tried in vain: all but the last time. A policy that cloned those would stand still, too.
 */
export function worthCloning(steps: readonly { actor: Actor }[], idle: number): boolean[] {
  const worth = steps.map(() => true)
  const tried = steps.map(({ actor }) => actor === 'exploration')
  const last = tried.lastIndexOf(true)
  let began = last
  while (began > 0 && tried[began - 1]) began--
  for (let t = 0; t < began; t++) if (tried[t]) worth[t] = false
  for (let t = 0; t <= last; t++) if (tried[t] && !tried[t - 1]) worth.fill(false, Math.max(0, t - idle), t)
  return worth
}
