/** @file The pads that a person has mapped, kept by the browser under the pad's name, and the one that is being mapped. */
import {
  type GamepadLayout,
  GamepadLearner,
  type GamepadState,
  type LearnerPhase,
  layoutFrom,
  type PadControl,
  withSource,
} from '../../devices/index.ts'
import { Store } from '../parts/store.ts'

const KEY = 'gamepads'

export type Drafting = {
  id: string // of the pad
  draft: GamepadLayout
  learning: { control: PadControl; phase: LearnerPhase } | null
}

export class GamepadLayouts {
  /** The pad that is being mapped; it moves nothing meanwhile. */
  readonly drafting = new Store<Drafting | null>(null)
  private readonly kept: Map<string, GamepadLayout>
  private learner = new GamepadLearner()

  constructor(private readonly storage: Pick<Storage, 'getItem' | 'setItem'>) {
    this.kept = load(storage)
  }

  /** What the pad's sticks and buttons mean; null where nobody has said so, or somebody is at it. */
  of(id: string): GamepadLayout | null {
    return this.drafting.get()?.id === id ? null : (this.kept.get(id) ?? null)
  }

  begin(id: string): void {
    this.drafting.set({ id, draft: this.kept.get(id) ?? {}, learning: null })
  }

  /** The next thing that is pushed on the pad is for this. */
  learn(control: PadControl): void {
    this.learner = new GamepadLearner()
    this.change(() => ({ learning: { control, phase: this.learner.phase } }))
  }

  /** Nothing on the pad is for this any more. */
  drop(control: PadControl): void {
    this.change(({ draft: { [control]: _, ...draft } }) => ({ draft, learning: null }))
  }

  /** To be called with every state of a pad that the browser does not know. */
  look(pad: GamepadState, time: number): void {
    const { id, learning } = this.drafting.get() ?? {}
    if (!learning || id !== pad.id) return
    const source = this.learner.look(pad, time)
    const { phase } = this.learner
    if (source) this.change(({ draft }) => ({ draft: withSource(draft, learning.control, source), learning: null }))
    else if (phase !== learning.phase) this.change(() => ({ learning: { ...learning, phase } }))
  }

  /** From now on the pad is read like this. */
  use(): void {
    const now = this.drafting.get()
    if (!now) return
    const layout = layoutFrom(now.draft)
    if (layout) this.kept.set(now.id, layout)
    else this.kept.delete(now.id)
    this.keep()
  }

  /** The pad is as unknown as it was at first. */
  reset(id: string): void {
    this.kept.delete(id)
    this.keep()
  }

  /** What was changed since it began is not kept. */
  leave(): void {
    this.drafting.set(null)
  }

  private keep(): void {
    this.storage.setItem(KEY, JSON.stringify(Object.fromEntries(this.kept)))
    this.leave()
  }

  private change(part: (now: Drafting) => Partial<Drafting>): void {
    this.drafting.update((now) => now && { ...now, ...part(now) })
  }
}

/** What was kept; whatever is no layout is left out. */
function load(storage: Pick<Storage, 'getItem'>): Map<string, GamepadLayout> {
  try {
    const kept: unknown = JSON.parse(storage.getItem(KEY) ?? '{}')
    return new Map(
      Object.entries(kept as object).flatMap(([id, value]) => {
        const layout = layoutFrom(value)
        return layout ? [[id, layout]] : []
      }),
    )
  } catch {
    return new Map()
  }
}
