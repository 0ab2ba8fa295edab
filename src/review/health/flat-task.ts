/** @file One task plateaus while others rise (docs/method.md §11): seen in the episodes that succeed without the operator. */
import type { HealthSign, MetricOf } from '../../metrics/metrics.ts'
import { percent } from '../../metrics/percent.ts'
import { unaided } from '../../metrics/unaided.ts'

/** A sign as it is seen now, without its history. */
export type Finding = Omit<HealthSign, 'since'>

type Episode = MetricOf<'episode'>

const EPISODES = 40 // of one task, at its beginning and at its end
const SURE = 2 // standard errors for the sign to appear; half of it to stay

type Progress = { first: boolean[]; last: boolean[]; steps: number }

const rateOf = (outcomes: readonly boolean[]) => outcomes.filter(Boolean).length / outcomes.length

/** How much better the last episodes are than the first, and the standard error of that difference. */
function rise({ first, last }: Progress): { from: number; to: number; error: number } {
  const [from, to] = [rateOf(first), rateOf(last)]
  const both = (from + to) / 2
  return { from, to, error: Math.sqrt((2 * both * (1 - both)) / EPISODES) }
}

export class FlatTask {
  private readonly tasks = new Map<string, Progress>()
  private weight: Record<string, number> = {}

  hear(episode: Episode): void {
    const { task, success, length } = episode
    const progress = this.tasks.get(task) ?? { first: [], last: [], steps: 0 }
    this.tasks.set(task, progress)
    progress.steps += length
    const alone = success && unaided(episode)
    if (progress.first.length < EPISODES) progress.first.push(alone)
    else progress.last.push(alone)
    if (progress.last.length > EPISODES) progress.last.shift()
  }

  /** ε of each task, to be named in the words. */
  weigh(weight: Record<string, number>): void {
    this.weight = weight
  }

  /** A task below 50 % that has not risen, while another has risen beyond chance. */
  findings(standing: (sign: string) => boolean = () => false): Finding[] {
    const measured = [...this.tasks].filter(([, { last }]) => last.length === EPISODES)
    const others = (task: string, sure: number) =>
      measured.filter(([name, progress]) => {
        const { from, to, error } = rise(progress)
        return name !== task && to - from > sure * error
      })
    const allSteps = [...this.tasks.values()].reduce((sum, { steps }) => sum + steps, 0)
    return measured.flatMap(([task, progress]) => {
      const { from, to } = rise(progress)
      const sign = `flat task, ${task}`
      const stays = standing(sign)
      const rising = others(task, stays ? SURE / 2 : SURE).map(([name]) => name)
      if (to >= 0.5 || to > from + (stays ? 0.1 : 0.02) || rising.length === 0) return []
      const weight = this.weight[task]
      return [
        {
          sign,
          words: `${task} does not get better while ${rising.join(' and ')} ${rising.length === 1 ? 'does' : 'do'}.`,
          figure:
            `without help ${percent(from)} in its first ${EPISODES} episodes, ${percent(to)} in the last` +
            `${weight === undefined ? '' : `; ε ${weight.toFixed(2)}`}; ${percent(progress.steps / allSteps)} of the steps`,
          advice: 'Look at ε and the shares of the samples; raise learner.taskWeight.max, or correct this task more',
        },
      ]
    })
  }
}
