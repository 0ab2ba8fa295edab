/** @file States with something said in them: of all tasks, each under a command drawn from those that ask for something. */
import type { Program } from '../graph/index.ts'
import { ACTION_WIDTH } from '../robot/robot.ts'
import type { MethodSettings } from './method.ts'
import type { Steps } from './steps.ts'

/** Rows of such a batch: as many of each task. */
export const toldRows = ({ tasks, learner }: Pick<MethodSettings, 'tasks' | 'learner'>): number =>
  tasks * Math.floor(learner.refinement.batch / tasks)

export class ToldStates {
  /** Every command that asks for something, with its embedding and what it asks for. */
  private readonly sayable: { vector: Float32Array; intent: Float32Array }[]

  constructor({ commands, translator }: Pick<MethodSettings, 'commands' | 'translator'>) {
    this.sayable = translator.commands.all
      .filter((command) => command !== translator.commands.nothing)
      .map((command) => ({ vector: commands.embed(command), intent: translator.intent(command) }))
  }

  /** Into the inputs "said/..." of a program. `shift`: what is asked of the action, from the intent of a command. */
  draw({ replay, sampling }: Steps, program: Program, shift: (intent: Float32Array) => Float32Array): void {
    const { tasks } = replay.options
    const inputs = program.inputs as Record<string, Float32Array>
    const { 'said/h': h, 'said/features': features, 'said/proprio': proprio } = inputs
    const { 'said/command': command, 'said/shift': asked } = inputs
    const count = asked!.length / ACTION_WIDTH
    const share = count / tasks.length
    const rows = { h: h!, proprio: proprio!, ...(features && { features }) }
    for (const [i, task] of tasks.entries())
      replay.sampleTransitions({ task, count: share, offset: i * share }, sampling, rows)
    for (let row = 0; row < count; row++) {
      const { vector, intent } = sampling.pick(this.sayable)
      command!.set(vector, row * vector.length)
      asked!.set(shift(intent), row * ACTION_WIDTH)
    }
  }
}
