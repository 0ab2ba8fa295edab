/** @file The trials of an evaluation in their order, as those who look on are told of them. Several may be made at a time. */
import type { EpisodeSummary } from '../loop/happening.ts'
import type { Rig } from '../robot/rig.ts'
import { startInWords } from '../robot/starts.ts'
import type { EvaluationProgress } from './observer.ts'

export class EvaluationPlan {
  private readonly trials: EvaluationProgress['trials'][number][]

  constructor(
    private readonly rig: Pick<Rig, 'cell' | 'robot'>,
    private readonly tasks: readonly string[],
    private readonly options: { stage: string; trials: number; firstSeed: number },
  ) {
    const { trials, firstSeed } = options
    const { spec } = rig.robot
    this.trials = tasks.flatMap((task) =>
      Array.from({ length: trials }, (_, k) => ({
        task,
        start: startInWords(spec.tasks[task]!, firstSeed + k),
        outcome: null,
      })),
    )
  }

  /** A trial is over. */
  note({ task, seed, ending, length, by }: EpisodeSummary): void {
    const { trials, firstSeed } = this.options
    const index = this.tasks.indexOf(task) * trials + seed - firstSeed
    const outcome = { success: ending === 'success', length, by: by ?? null }
    this.trials[index] = { ...this.trials[index]!, outcome }
  }

  get progress(): EvaluationProgress {
    const { stage } = this.options
    const { trials, rig } = this
    return { stage, robot: rig.cell, over: trials.every(({ outcome }) => outcome), trials: [...trials] }
  }
}
