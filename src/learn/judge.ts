/** @file The critics of a checkpoint, asked what they think: Q(s, a) by the task's own critics. */
import { InputError } from '../errors.ts'
import { compile, input, ParameterStore, type Program, transpose, unsqueeze } from '../graph/index.ts'
import { critic, meanOfMembers, shapesOf } from '../nets/index.ts'
import type { EncodedObservation } from '../replay/assembler.ts'
import { ACTION_WIDTH, type Action } from '../robot/robot.ts'
import type { ActorSizes, MethodName } from './actors.ts'
import { readGroup } from './checkpoint.ts'
import type { LearnerConfig } from './config.ts'
import { methodGroups } from './learner.ts'
import { visualInput } from './visual-input.ts'

const ROWS = 64 // that one run judges

export type JudgeOptions = { method: MethodName; sizes: ActorSizes; tasks: readonly string[]; learner: LearnerConfig }

/** A state as perception sees it, what was done there, and for which task. */
export type JudgedAction = { seen: EncodedObservation; action: Action; task: string }

export class CriticJudge {
  private constructor(
    private readonly program: Program,
    private readonly tasks: readonly string[],
    private readonly flat: boolean,
  ) {}

  /** `checkpoint` is its directory. @throws InputError if the method trains no critic, or the checkpoint is of other networks */
  static async load(checkpoint: string, { method, sizes, tasks, learner }: JudgeOptions): Promise<CriticJudge> {
    const groups = methodGroups(method, { sizes, tasks: tasks.length, batchPerTask: ROWS, learner })
    if (!groups.critic)
      throw new InputError(`method ${method}`, 'trains no critic', 'Ask the checkpoint of a method that has one')
    const { layout } = groups.critic
    const store = new ParameterStore({ critic: { tensors: shapesOf(layout) } })
    store.flat('critic', 'value').set(await readGroup(checkpoint, 'critic', layout))
    const parameters = store.tensors('critic')
    const maps = transpose(input('features', [ROWS, sizes.cameras, sizes.space, sizes.channels]), [0, 1, 3, 2])
    const h = unsqueeze(input('h', [ROWS, sizes.embedding]), 0)
    const state = {
      features: visualInput(sizes, parameters, { features: unsqueeze(maps, 0), h }),
      proprio: unsqueeze(input('proprio', [ROWS, sizes.proprio]), 0),
    }
    const actions = unsqueeze(input('action', [ROWS, ACTION_WIDTH]), 0)
    const q = meanOfMembers(critic(parameters, state, actions))
    return new CriticJudge(await compile({ name: 'judge', outputs: { q }, threads: 1 }), tasks, q.shape[0] === 1)
  }

  /** Mean of the members' Q for each sample. A flat critic judges every task. @throws InputError on an unknown task */
  async q(samples: readonly JudgedAction[]): Promise<Float32Array> {
    const values = new Float32Array(samples.length)
    const { features, h, proprio, action } = this.program.inputs as Partial<Record<string, Float32Array>>
    for (let first = 0; first < samples.length; first += ROWS) {
      const part = samples.slice(first, first + ROWS)
      for (const [row, sample] of part.entries()) {
        if (features) put(features, row, sample.seen.features[0]!)
        if (h) put(h, row, sample.seen.h)
        put(proprio!, row, sample.seen.proprio)
        put(action!, row, sample.action)
      }
      await this.program.run()
      for (const [row, { task }] of part.entries())
        values[first + row] = this.program.outputs.q![this.owner(task) * ROWS + row]!
    }
    return values
  }

  async release(): Promise<void> {
    await this.program.release()
  }

  private owner(task: string): number {
    const index = this.tasks.indexOf(task)
    if (index < 0) throw new InputError('judge', `"${task}" is not one of its tasks`, `Use ${this.tasks.join(', ')}`)
    return this.flat ? 0 : index
  }
}

function put(column: Float32Array, row: number, values: Float32Array): void {
  column.set(values, row * values.length)
}
