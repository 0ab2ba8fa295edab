/** @file The ranking term of the critics, on rows of their own in the same program: states in which an operator acted (docs/method.md §15). */
import { input, mul, type ParameterStore, type Program, stopGradient, type Tensor } from '../graph/index.ts'
import { critic } from '../nets/index.ts'
import { ACTION_WIDTH } from '../robot/robot.ts'
import { normalInput } from './batch.ts'
import { drawCorrected, policyBeside, withoutGrip } from './corrected-states.ts'
import { rankingLoss, rankingMargin } from './losses/index.ts'
import type { StepSettings } from './method.ts'
import type { Steps } from './steps.ts'
import { visualInput } from './visual-input.ts'

const ROWS = 16 // of each task
const PREFIX = 'corrected/'
const COLUMNS = ['h', 'features', 'proprio', 'action'] as const
const COUNTS = `${PREFIX}counts`

/** weight · ranking loss of the critics of `group`, as a term of their loss; undefined where the weight is 0. */
export function rankingTerm(store: ParameterStore, settings: StepSettings): Tensor | undefined {
  const { sizes, tasks, learner } = settings
  const { weight, slope } = learner.ranking
  if (weight === 0) return undefined
  const rows = [tasks, ROWS]
  const column = (name: string, ...width: number[]) => input(`${PREFIX}${name}`, [...rows, ...width])
  const state = {
    h: column('h', sizes.embedding),
    features: column('features', sizes.cameras, sizes.channels, sizes.space),
    proprio: column('proprio', sizes.proprio),
  }
  const done = column('action', ACTION_WIDTH)
  const policy = stopGradient(
    policyBeside(store, settings, state, done, normalInput('ranked', [...rows, ACTION_WIDTH])),
  )
  const parameters = store.tensors('critic')
  const seen = { features: visualInput(sizes, parameters, state), proprio: state.proprio }
  const q = (action: Tensor) => critic(parameters, seen, action)
  const margin = rankingMargin(withoutGrip(done), withoutGrip(policy), slope)
  return mul(weight, rankingLoss(q(done), q(policy), margin, input(COUNTS, rows)))
}

/** The rows of a program that has such a term. */
export function fillRanked(steps: Steps, program: Program): void {
  const inputs = program.inputs as Record<string, Float32Array>
  const counts = inputs[COUNTS]
  if (!counts) return
  const rows = Object.fromEntries(
    COLUMNS.filter((name) => `${PREFIX}${name}` in inputs).map((name) => [name, inputs[`${PREFIX}${name}`]]),
  )
  counts.set(drawCorrected(steps.of('ranking'), rows, counts.length).map(Number))
}
