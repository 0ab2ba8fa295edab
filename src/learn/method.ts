/** @file What the learner asks of a method of training: its parameters, its programs, and what one update does with them. */
import type { ParameterStore, Program } from '../graph/index.ts'
import type { Figure } from '../metrics/figure.ts'
import type { Layout } from '../nets/index.ts'
import type { CommandEncoder } from '../talk/embedding.ts'
import type { Translator } from '../talk/translator.ts'
import type { ActorSizes } from './actors.ts'
import type { LearnerConfig } from './config.ts'
import type { HeadsInTurn } from './heads-in-turn.ts'
import type { ActorWeights } from './losses/index.ts'
import type { UpdateReadings } from './measure.ts'
import type { Phase } from './phase.ts'
import type { Renewal } from './renewal.ts'
import type { Steps } from './steps.ts'

/** Everything that a method's programs are compiled from. A batch holds `tasks` times `batchPerTask` rows. */
export type StepSettings = {
  sizes: ActorSizes
  tasks: number
  batchPerTask: number
  learner: LearnerConfig
  threads?: number
}

/** Updates of the warm-up, the heads that are cloned in turn in it, and the cloning steps of each beside those of the updates. */
export type WarmUp = { updates: number; heads: number; cloningSteps: number }

export type MethodSettings = StepSettings & {
  warmUp: WarmUp
  lambda: Record<Phase, ActorWeights>
  commands: CommandEncoder
  translator: Translator
}

/**
 * Parameters that are trained together, or set together where `trained` is false. `targetRate`: a copy follows them at
 * this rate, once a step of theirs.
 */
export type ParameterGroup = { layout: Layout; trained?: boolean; targetRate?: number }

/** Whether a group acts as it learns, or its average does. */
export const actingKind = ({ targetRate }: ParameterGroup): 'value' | 'target' =>
  targetRate === undefined ? 'value' : 'target'

/** A method whose programs are compiled. */
export type Training = {
  programs: readonly Program[] // beside that of the renewal
  /** One joint update: as many steps of each group as the method takes. @throws InputError if it diverged */
  update(phase: Phase, steps: Steps): Promise<UpdateReadings>
  /** What takes programs of its own to know, now and then, online. Draws from streams of its own, and trains nothing. */
  measure?(steps: Steps): Promise<UpdateReadings>
  headsInTurn: HeadsInTurn
  /** Absent where the heads are frozen online, or never renewed. */
  renewal?: Pick<Renewal, 'program' | 'after'>
}

export type Method = {
  /** Everything that its updates may measure. */
  figures: readonly Figure[]
  /** The groups beside those that act (actors.ts): who judges the actors while they learn, and who succeeds the head. */
  besides(settings: StepSettings): Record<string, ParameterGroup>
  compile(store: ParameterStore, settings: MethodSettings): Promise<Training>
}
