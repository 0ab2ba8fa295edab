/**
 * @file The critics' advice spoils the policy: with λ2 above 0 it succeeds without help less often than it did when practice
 * began.
 */
import type { MetricOf } from '../../metrics/metrics.ts'
import { percent } from '../../metrics/percent.ts'
import { wilsonInterval } from '../../metrics/statistics.ts'
import { unaided } from '../../metrics/unaided.ts'
import type { Finding } from './flat-task.ts'

/**
 * Over all tasks. Practice is compared with practice: an evaluation has other noise and nobody who takes over, so that step 0
 * would look better than the same policy at work. Of its first episodes the policy is that of step 0, or nearly.
 */
const EPISODES = 60

export class FallingPolicy {
  private readonly first: boolean[] = []
  private readonly last: boolean[] = []
  private advised = false

  constructor(private readonly qWeight: number) {}

  hear(episode: MetricOf<'episode'>): void {
    const alone = episode.success && unaided(episode)
    if (this.first.length < EPISODES) this.first.push(alone)
    else this.last.push(alone)
    if (this.last.length > EPISODES) this.last.shift()
  }

  /** A method without a value term in its actor's loss has no λ2, whatever the settings say. */
  weigh({ phase, figures }: MetricOf<'update'>): void {
    if (phase === 'online' && figures['actor.q'] !== undefined) this.advised = true
  }

  /**
   * Where both 95 % intervals part: of two equal rates that happens in one look of some 400, and the sign must hold over ten
   * lines. From 50 % that is a fall to 27 %. It stays until they touch by half: the last ones' upper end above the first rate.
   */
  finding(standing: boolean): Finding | undefined {
    const { first, last, qWeight } = this
    if (last.length < EPISODES || !this.advised || qWeight === 0) return undefined
    const count = (outcomes: readonly boolean[]) => outcomes.filter(Boolean).length
    const [low] = wilsonInterval(count(first), EPISODES)
    const [, high] = wilsonInterval(count(last), EPISODES)
    if (!(high < (standing ? count(first) / EPISODES : low))) return undefined
    return {
      sign: 'critics spoil the policy',
      words:
        'The policy succeeds without help less often than when practice began, while it follows the advice of its critics.',
      figure:
        `without help ${percent(count(first) / EPISODES)} of the first ${EPISODES} episodes, ${percent(count(last) / EPISODES)} of the last` +
        ` (at most ${percent(high)}); λ2 is ${qWeight}`,
      advice: 'Train again with online.qWeight=0, from the same demonstrations, and compare',
    }
  }
}
