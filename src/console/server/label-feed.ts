/** @file Follows an episode and says, at its end, what each tweak in it became: the label of every window, with a picture. */

import type { Happening } from '../../loop/happening.ts'
import type { Image } from '../../robot/robot.ts'
import type { Translator } from '../../talk/translator.ts'
import type { LabelEvent } from '../protocol.ts'
import { thumbnail } from './pictures.ts'

export class LabelFeed {
  private steps: { action: Float32Array; intervened: boolean }[] = []
  private pictures = new Map<number, Promise<string | null>>() // by step
  private sinceWindow = 0 // steps of the run of intervention that goes on

  constructor(
    private readonly translator: Translator,
    private readonly onLabel: (label: LabelEvent) => void,
  ) {}

  begin(): void {
    this.steps = []
    this.pictures = new Map()
    this.sinceWindow = 0
  }

  /** `image`: what the first camera saw before the step; null where nobody looks on. */
  step({ action, actor }: Happening, image: Image | null): void {
    const intervened = actor === 'operator'
    if (intervened && this.sinceWindow % this.translator.window === 0 && image)
      this.pictures.set(
        this.steps.length,
        thumbnail(image).catch(() => null),
      )
    this.sinceWindow = intervened ? this.sinceWindow + 1 : 0
    this.steps.push({ action, intervened })
  }

  /** The same labels as the replay gives, of which one a window is told. */
  async end(episode: number, task: string): Promise<void> {
    const { steps, pictures, translator } = this
    const labels = translator.label(steps)
    let sinceStart = 0
    for (const [step, label] of labels.entries()) {
      if (label && sinceStart % translator.window === 0) {
        const { command, delta, window } = label
        this.onLabel({
          kind: 'label',
          episode,
          step,
          task,
          command,
          delta,
          window,
          thumbnail: (await pictures.get(step)) ?? null,
        })
      }
      sinceStart = label ? sinceStart + 1 : 0
    }
  }
}
