/** @file The published experiments by name. A new one is one file that exports `experiment`, and one line here. */
import { experiment as ablation } from './ablation.ts'
import { experiment as regimes } from './across-regimes.ts'
import { experiment as climb } from './climb.ts'
import { experiment as correctionComplexity } from './correction-complexity.ts'
import { experiment as criticCalibration } from './critic-calibration.ts'
import { experiment as curves } from './curves.ts'
import { experiment as distances } from './distances.ts'
import type { Experiment } from './experiment.ts'
import { experiment as fourthTask } from './fourth-task.ts'
import { experiment as labelAudit } from './label-audit.ts'
import { experiment as longHorizon } from './long-horizon.ts'
import { experiment as refinement } from './refinement.ts'
import { experiment as twoRobots } from './two-robots.ts'

export const experiments: readonly Experiment[] = [
  regimes,
  climb,
  curves,
  ablation,
  longHorizon,
  twoRobots,
  fourthTask,
  labelAudit,
  correctionComplexity,
  criticCalibration,
  refinement,
  distances,
]
