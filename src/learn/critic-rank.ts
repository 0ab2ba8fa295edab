/**
 * @file Whether the critics tell good from bad, with nothing but what a run has: in states in which the operator acted, does
 * Q rank what the operator did above what the policy would do there?
 */
import { compile, concat, type ParameterStore, type Program, slice, type Tensor } from '../graph/index.ts'
import type { Figure } from '../metrics/figure.ts'
import { meanOfMembers } from '../nets/index.ts'
import type { TransitionRows } from '../replay/buffer.ts'
import { GRIPPER_ENTRY } from '../robot/gripper.ts'
import { drawCorrected, policyBeside, withoutGrip } from './corrected-states.ts'
import type { UpdateReadings } from './measure.ts'
import type { StepSettings } from './method.ts'
import type { Steps } from './steps.ts'
import { Critics, Update } from './update.ts'

const CHART = { chart: 'Operator’s action above the policy’s, by Q', unit: 'share of corrected states' }
export const RANK = {
  own: { name: 'critic.rank', title: 'where it was done', ...CHART },
  elsewhere: { name: 'critic.rankElsewhere', title: 'the same two actions in another state', ...CHART },
} satisfies Record<string, Figure>

const APART = 0.3 // action units between the two motions: nearer, the policy does what the operator did, and there is nothing to rank
const FEWEST = 20 // rows that make a share

/** Values of pairs of actions, a row each. */
export type Pairs = {
  operator: ArrayLike<number> // Q of the operator's action
  policy: ArrayLike<number> // Q of the policy's
  apart: ArrayLike<number> // distance of the two
}

/**
 * P(Q(operator's) > Q(policy's)) over the rows that count, a tie half; undefined where they are fewer than 20. 0.5 is
 * chance; with the roles exchanged it is one minus that.
 */
export function rankOf({ operator, policy, apart }: Pairs, counts: (row: number) => boolean): number | undefined {
  const rows = Array.from({ length: operator.length }, (_, row) => row).filter(
    (row) => counts(row) && apart[row]! >= APART,
  )
  if (rows.length < FEWEST) return undefined
  return rows.reduce((sum, row) => sum + (Math.sign(operator[row]! - policy[row]!) + 1) / 2, 0) / rows.length
}

/**
 * Control: each pair of actions judged in the state of the row before, too. A share as high there says that the critics like
 * the look of the operator's actions, wherever they are done, and know nothing of the state.
 */
export class CriticRank {
  private constructor(
    readonly program: Program,
    private readonly rowsPerTask: number,
  ) {}

  static async compile(store: ParameterStore, settings: StepSettings): Promise<CriticRank> {
    const update = new Update(store, settings)
    const { batch } = update
    const critics = new Critics(store, update, 'critic')
    const policy = policyBeside(store, settings, batch, batch.action, update.normal('rank'))
    const q = (action: Tensor) => meanOfMembers(critics.judge(action))
    const outputs = {
      operator: q(batch.action),
      policy: q(policy),
      operatorElsewhere: q(nextRow(batch.action)),
      policyElsewhere: q(nextRow(policy)),
      policyMotion: withoutGrip(policy),
      operatorMotion: withoutGrip(batch.action),
    }
    // a flat critic has the rows of all tasks as those of one
    return new CriticRank(
      await compile({ name: 'critic rank', outputs, threads: settings.threads }),
      settings.batchPerTask,
    )
  }

  /** Nothing where too little was corrected, or the policy does by now what it was shown. */
  async measure(steps: Steps): Promise<UpdateReadings> {
    const { program } = this
    const counts = drawCorrected(steps, program.inputs as Partial<TransitionRows>, program.outputs.operator!.length)
    await steps.runFilled(program)
    const corrected = (row: number) => counts[row]!
    const { operator, policy, operatorElsewhere, policyElsewhere } = program.outputs as Record<string, Float32Array>
    const apart = distances(program.outputs.operatorMotion!, program.outputs.policyMotion!)
    const own = rankOf({ operator: operator!, policy: policy!, apart }, corrected)
    const elsewhere = rankOf(
      { operator: operatorElsewhere!, policy: policyElsewhere!, apart: apart.map((_, row) => apart[this.after(row)]!) },
      (row) => corrected(row) && corrected(this.after(row)),
    )
    return {
      ...(own !== undefined && { [RANK.own.name]: own }),
      ...(elsewhere !== undefined && { [RANK.elsewhere.name]: elsewhere }),
    }
  }

  /** The row whose pair of actions is judged in the state of this one. */
  private after(row: number): number {
    const first = row - (row % this.rowsPerTask)
    return first + ((row - first + 1) % this.rowsPerTask)
  }
}

/** [task, batch, A]: each row's is that of the row after it, the last one's that of the first. */
const nextRow = (x: Tensor): Tensor => concat([slice(x, 1, 1, x.shape[1]!), slice(x, 1, 0, 1)], 1)

function distances(a: ArrayLike<number>, b: ArrayLike<number>): number[] {
  return Array.from({ length: a.length / GRIPPER_ENTRY }, (_, row) =>
    Math.hypot(
      ...Array.from(
        { length: GRIPPER_ENTRY },
        (_, axis) => a[row * GRIPPER_ENTRY + axis]! - b[row * GRIPPER_ENTRY + axis]!,
      ),
    ),
  )
}
