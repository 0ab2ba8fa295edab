/**
 * @file Several learner steps as one launch: their batches go in at once, parameters, moments and targets go in and come
 * out once, and nothing returns to the host between. For devices on which a launch and what it carries cost more than a step.
 */
import ort from 'onnxruntime-node'
import { concat, gradients, input, type ParameterStore, reshape, slice, type Tensor } from '../src/graph/index.ts'
import { leaves } from '../src/graph/leaves.ts'
import { optimise, prepare } from '../src/graph/passes/optimise.ts'
import { createSession, encode } from '../src/graph/program.ts'
import { sizeOf } from '../src/graph/tensor.ts'
import { rebuild, withOperands } from '../src/graph/topology.ts'
import { NO_RESULT, runUncopied } from '../src/graph/uncopied.ts'
import { columnsOf, type StepLosses, type StepOptions, tracedLearner } from './learner.ts'
import type { BenchBatch, BenchSizes } from './problem.ts'
import { coefficientsOf, type TracedRun, tracedAdam } from './traced-adam.ts'

/** What is carried from step to step. */
const CARRIED = {
  critic: ['value', 'moment1', 'moment2', 'target'],
  head: ['value', 'moment1', 'moment2'],
} as const
type Group = keyof typeof CARRIED
const GROUPS = Object.keys(CARRIED) as Group[]
type Kind = keyof TracedRun

const COEFFICIENTS = ['step', 'secondScale'] as const

/** As many production steps a launch as `steps` says, from the same parameters as `ourLearner`. */
export async function launchedLearner(s: BenchSizes, steps: number, options: StepOptions = {}) {
  const { store, learner, traced } = tracedLearner(s, options)
  const template = templateOf(traced)
  const columns = new Map<string, Tensor>() // of all steps, by the name of a step's input
  const column = (leaf: Tensor, k: number) => {
    const { name } = leaf.attributes as { name: string }
    if (!columns.has(name)) columns.set(name, input(name, [steps, ...leaf.shape], leaf.dtype))
    return reshape(slice(columns.get(name)!, 0, k, k + 1), leaf.shape)
  }
  const coefficients = Object.fromEntries(COEFFICIENTS.map((name) => [name, input(`adam ${name}`, [steps])]))
  const begin = (group: Group) =>
    Object.fromEntries(CARRIED[group].map((kind) => [kind, input(`${group} ${kind}`, [store.flat(group).length])]))
  let carried = Object.fromEntries(GROUPS.map((group) => [group, begin(group)])) as Record<Group, TracedRun>
  const losses: Tensor[] = []
  for (let k = 0; k < steps; k++) {
    const taken = parametersIn(store, carried)
    const { loss, gradient } = template((leaf) => taken.get(leaf) ?? column(leaf, k))
    const of = Object.fromEntries(
      COEFFICIENTS.map((name) => [name, reshape(slice(coefficients[name]!, 0, k, k + 1), [])]),
    )
    losses.push(...loss)
    carried = Object.fromEntries(
      GROUPS.map((group) => [
        group,
        tracedAdam(carried[group], gradient[group], of as Parameters<typeof tracedAdam>[2], {
          maxNorm: learner.maxGradientNorm,
          targetRate: learner.targetRate,
        }),
      ]),
    ) as Record<Group, TracedRun>
  }

  const outputs: Record<string, Tensor> = {
    losses: concat(
      losses.map((loss) => reshape(loss, [1])),
      0,
    ),
  }
  for (const group of GROUPS)
    for (const kind of CARRIED[group]) outputs[`next ${group} ${kind}`] = carried[group][kind]!
  const optimised = optimise(Object.values(outputs))
  const named = Object.fromEntries(Object.keys(outputs).map((name, i) => [name, optimised[i]!]))
  const { onnx } = encode(`${steps} learner steps`, named, undefined, NO_RESULT)
  const session = await createSession(onnx, options)
  return run(session, { s, steps, store, columns, learningRate: learner.learningRate })
}

/** Losses and gradients of one step, once: every step is a copy of them with other leaves. */
function templateOf({ gradients: wanted }: ReturnType<typeof tracedLearner>['traced']) {
  const losses = prepare(wanted.map(({ loss }) => loss))
  const parts = wanted.map(({ store, group }, i) => gradients(losses[i]!, Object.values(store.tensors(group))))
  return (leafFor: (leaf: Tensor) => Tensor) => {
    const isOther = ({ operation }: Tensor) => operation === leaves.input || operation === leaves.parameter
    const copy = rebuild([...losses, ...parts.flat()], (node, operands) =>
      isOther(node) ? leafFor(node) : withOperands(node, operands),
    )
    const loss = copy.splice(0, losses.length)
    const flat = wanted.map(({ group }, i) => {
      const tensors = copy.splice(0, parts[i]!.length)
      return [
        group,
        concat(
          tensors.map((tensor) => reshape(tensor, [-1])),
          0,
        ),
      ] // one long tensor: a few large kernels, not many small ones
    })
    return { loss, gradient: Object.fromEntries(flat) as Record<Group, Tensor> }
  }
}

/** The tensors that stand for the store's in a step: pieces of what the step before made. */
function parametersIn(store: ParameterStore, carried: Record<Group, TracedRun>): Map<Tensor, Tensor> {
  const pieces = new Map<Tensor, Tensor>()
  for (const group of GROUPS)
    for (const kind of ['value', 'target'] as const) {
      const run = carried[group][kind]
      if (!run) continue
      let offset = 0
      for (const [name, leaf] of Object.entries(store.tensors(group, kind))) {
        const size = sizeOf(store.shapes(group)[name]!)
        pieces.set(leaf, reshape(slice(run, 0, offset, (offset += size)), leaf.shape))
      }
    }
  return pieces
}

type Launched = {
  s: BenchSizes
  steps: number
  store: ParameterStore
  columns: ReadonlyMap<string, Tensor>
  learningRate: number
}

/** A launch reads one half of two buffers and writes the other. */
function run(session: ort.InferenceSession, { s, steps, store, columns, learningRate }: Launched) {
  const buffers = Object.fromEntries(
    [...columns].map(([name, { dtype, size }]) => [
      name,
      dtype === 'i32' ? new Int32Array(size) : new Float32Array(size),
    ]),
  )
  const feeds: Record<string, ort.Tensor> = {}
  for (const [name, { shape }] of columns) feeds[name] = new ort.Tensor(buffers[name]! as Float32Array, shape)
  const coefficients = Object.fromEntries(COEFFICIENTS.map((name) => [name, new Float32Array(steps)]))
  for (const name of COEFFICIENTS) feeds[`adam ${name}`] = new ort.Tensor(coefficients[name]!, [steps])
  const places = GROUPS.flatMap((group) => CARRIED[group].map((kind) => ({ name: `${group} ${kind}`, group, kind })))
  const halves = [0, 1].map(() =>
    Object.fromEntries(places.map(({ name, group, kind }) => [name, store.flat(group, kind).slice()])),
  ) as [Record<string, Float32Array>, Record<string, Float32Array>]
  const losses = new Float32Array(2 * steps)
  let taken = 0
  const flat = (values: Float32Array) => new ort.Tensor(values, [values.length])
  return {
    /** The batch of a launch's step `k`. */
    show(k: number, batch: BenchBatch): void {
      const shown = columnsOf(batch, s)
      for (const [name, buffer] of Object.entries(buffers)) buffer.set(shown[name]!, k * shown[name]!.length)
    },
    /** Takes the steps; losses step by step. */
    async launch(): Promise<StepLosses[]> {
      for (let k = 0; k < steps; k++) {
        const now = coefficientsOf(++taken, learningRate)
        for (const name of COEFFICIENTS) coefficients[name]![k] = now[name]
      }
      const [before, after] = halves
      for (const { name } of places) feeds[name] = flat(before[name]!)
      const fetches = Object.fromEntries(places.map(({ name }) => [`next ${name}`, flat(after[name]!)]))
      await runUncopied(session, feeds, { losses: flat(losses), ...fetches })
      halves.reverse()
      return Array.from({ length: steps }, (_, k) => ({ td: losses[2 * k]!, actor: losses[2 * k + 1]! }))
    },
    /** What is carried, as it is now. */
    flat: (group: Group, kind: Kind): Float32Array => halves[0][`${group} ${kind}`]!,
    release: () => session.release(),
  }
}
