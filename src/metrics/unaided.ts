/** @file Whether the operator left the policy to itself. */
import type { MetricOf } from './metrics.ts'

/** Neither by hand nor by word. Metrics of runs in which nobody could speak tell of no commands. */
export const unaided = ({
  operatorSteps,
  commands = 0,
}: Pick<MetricOf<'episode'>, 'operatorSteps' | 'commands'>): boolean => operatorSteps === 0 && commands === 0
