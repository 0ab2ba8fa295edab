/** @file The trials of an evaluation in the order in which they are made, as those who look on are told of them. */
import type { EpisodeSummary } from '../loop/happening.ts'
import type { Rig } from '../robot/rig.ts'
import { startInWords } from '../robot/starts.ts'
import type { EvaluationProgress } from './observer.ts'

export class EvaluationPlan {
  private readonly trials: EvaluationProgress['trials'][number][]
  private done = 0

  constructor(
    private readonly rig: Pick<Rig, 'cell' | 'robot'>,
    tasks: readonly string[],
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

  /** The next trial is over. */
  note({ ending, length, by }: EpisodeSummary): void {
    const outcome = { success: ending === 'success', length, by: by ?? null }
    this.trials[this.done] = { ...this.trials[this.done]!, outcome }
    this.done++
  }

  get progress(): EvaluationProgress {
    const { stage } = this.options
    const { trials, done, rig } = this
    return { stage, robot: rig.cell, over: done === trials.length, trials: [...trials] }
  }
}
