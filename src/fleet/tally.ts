/** @file What an episode came to, counted from what its robot told of it. */
import type { EpisodeEnd, EpisodeStart, Step } from '../replay/episode.ts'
import { settle } from '../replay/episode.ts'

/** The figures of an episode's line in the metrics. */
export type Tallied = ReturnType<EpisodeTally['ended']>

export class EpisodeTally {
  private length = 0
  private operatorSteps = 0
  private spokenSteps = 0
  private commands = 0
  private readonly segments: { from: number; steps: number }[] = []
  private last: Step | undefined

  constructor(private readonly start: EpisodeStart) {}

  step(step: Step): void {
    if (step.actor === 'operator') {
      this.operatorSteps++
      const open = this.segments.at(-1)
      if (open && open.from + open.steps === step.step) open.steps++
      else this.segments.push({ from: step.step, steps: 1 })
    }
    if (step.command !== null) {
      this.spokenSteps++
      if (step.command !== this.last?.command) this.commands++
    }
    this.last = step
    this.length++
  }

  ended(end: EpisodeEnd) {
    const { episode, task, seed } = this.start
    const { length, operatorSteps, spokenSteps, commands, segments } = this
    const by = this.last && settle(this.last, end).by
    const counts = { length, operatorSteps, spokenSteps, commands, segments }
    const { ending } = end
    const aborted = (ending === 'abort' || ending === 'interrupted') && { aborted: true }
    return { episode, task, seed: seed ?? 0, success: ending === 'success', ...aborted, ...counts, by }
  }
}
