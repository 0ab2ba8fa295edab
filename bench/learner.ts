/** @file (a) One joint learner step, critics and primary actor, against the same step in jax-js. */

import { compile, type ParameterStore, type Runtime } from '../src/graph/index.ts'
import { traceJointStep } from '../src/learn/actor-critic.ts'
import { LearnerConfig, NetworkConfig } from '../src/learn/config.ts'
import { createStore, methodGroups } from '../src/learn/learner.ts'
import { ACTOR_LOSS, TD } from '../src/learn/losses/index.ts'
import { RandomStream } from '../src/random/stream.ts'
import { medianTime, rounded } from './measure.ts'
import { type BenchBatch, type BenchSizes, randomBatch, SIZES } from './problem.ts'
import { provideWebWorkers } from './web-worker.ts'

const ROUNDS = 20
const JAX_ROUNDS = 8 // several times slower
const AGREEMENT = 1e-3 // relative; both sides compute in float32

export type LearnerFigures = {
  stepMs: number // ours: forward, backward, Adam with clip, Polyak
  jaxJsStepMs: number
  ratio: number // jax-js over ours
  parameters: number // of the critics
}

/** Times both on the same batch from the same parameters. @throws Error if their first losses disagree */
export async function benchLearner(): Promise<LearnerFigures> {
  const batch = randomBatch(SIZES, new RandomStream(0, 'bench'))
  const ours = await ourLearner(SIZES, batch)
  const theirs = await jaxJsLearner(SIZES, batch, ours.store)
  expectAgreement(await ours.step(), await theirs.step())
  const stepMs = await medianTime(ours.step, ROUNDS)
  const jaxJsStepMs = await medianTime(theirs.step, JAX_ROUNDS)
  await ours.release()
  const parameters = ours.store.flat('critic', 'value').length
  return {
    stepMs: rounded(stepMs),
    jaxJsStepMs: rounded(jaxJsStepMs),
    ratio: rounded(jaxJsStepMs / stepMs),
    parameters,
  }
}

/** Of the online phase. */
export const LAMBDA = { bc: 0.5, q: 0.5 }

export type StepLosses = { td: number; actor: number }

/** `maxNorm` is the clip's, by default the learner's; `threads` all cores by default. */
export type StepOptions = Runtime & { maxNorm?: number }

/** The production step as it is traced, and the store of its parameters as they begin. */
export function tracedLearner(s: BenchSizes, { maxNorm, threads }: StepOptions = {}) {
  const network = NetworkConfig.parse({
    hidden: s.hidden,
    proprioWidth: s.projection,
    spatialEmbeddings: s.blocks,
    bottleneck: s.bottleneck,
    members: s.members,
  })
  const { embedding, proprio, cameras, channels, tasks, batch: batchPerTask } = s
  const sizes = { network, embedding, proprio, command: 32, cameras, channels, space: s.gridHeight * s.gridWidth }
  const learner = LearnerConfig.parse({ batch: tasks * batchPerTask, ...(maxNorm && { maxGradientNorm: maxNorm }) })
  const settings = { sizes, tasks, batchPerTask, learner, threads }
  const store = createStore(methodGroups('single', settings), 0)
  return { store, learner, traced: traceJointStep(store, settings, 'online', LAMBDA) }
}

/** The step's inputs by name. */
export function columnsOf(batch: BenchBatch, s: BenchSizes): Record<string, Float32Array | Int32Array> {
  const rows = s.tasks * s.batch
  return {
    h: batch.h,
    nextH: batch.nextH,
    features: channelMajor(batch.features, s),
    nextFeatures: channelMajor(batch.nextFeatures, s),
    proprio: batch.proprio,
    nextProprio: batch.nextProprio,
    action: batch.action,
    reward: batch.reward,
    terminated: batch.notTerminated.map((goesOn) => 1 - goesOn),
    discount: new Float32Array(rows).fill(LearnerConfig.parse({}).discount),
    bcMask: new Float32Array(rows).fill(1),
    'xi/actor': batch.noise,
    'xi/next': batch.nextNoise,
    'xi/epsilon': batch.reconstructionNoise,
    'index/sigma': batch.sigmaIndex,
  }
}

/** The production step on a batch. */
export async function ourLearner(s: BenchSizes, batch: BenchBatch, options: StepOptions = {}) {
  const { store, learner, traced } = tracedLearner(s, options)
  const program = await compile({ ...traced, device: options.device })
  const show = (shown: BenchBatch) => {
    for (const [name, values] of Object.entries(columnsOf(shown, s))) program.set(name, values)
  }
  show(batch)
  const { learningRate, maxGradientNorm, targetRate } = learner
  return {
    store,
    /** Another batch from now on. */
    show,
    async step(): Promise<StepLosses> {
      await program.run()
      store.adam('critic', { learningRate, maxNorm: maxGradientNorm, targetRate })
      store.adam('head', { learningRate, maxNorm: maxGradientNorm })
      return { td: program.outputs[TD.name]![0]!, actor: program.outputs[ACTOR_LOSS.name]![0]! }
    },
    release: () => program.release(),
  }
}

/** The same step in jax-js, from the store's present parameters. It does not clip gradients, which spares it one pass. */
export async function jaxJsLearner(s: BenchSizes, batch: BenchBatch, store: ParameterStore) {
  provideWebWorkers() // before jax-js is loaded: it looks for them once
  const { blockUntilReady, tree } = await import('@jax-js/jax')
  const { jaxBatch, jaxLearnerStep, jaxState } = await import('./learner-jax-js.ts')
  const inputs = jaxBatch(batch, s)
  const step = jaxLearnerStep(s)
  let state = jaxState(store)
  return {
    async step(): Promise<StepLosses> {
      const result = step(state, tree.ref(inputs))
      await blockUntilReady(result)
      state = result.state
      const [td, actor] = [await result.tdLoss.data(), await result.policyLoss.data()]
      return { td: td[0]!, actor: actor[0]! }
    },
  }
}

function expectAgreement(ours: StepLosses, theirs: StepLosses): void {
  for (const loss of ['td', 'actor'] as const)
    if (!(Math.abs(ours[loss] - theirs[loss]) <= AGREEMENT * Math.abs(theirs[loss])))
      throw new Error(
        `bench learner: ${loss} loss is ${ours[loss]} here and ${theirs[loss]} in jax-js; compare the steps`,
      )
}

/** [tasks, batch, cameras, space, channels] -> [tasks, batch, cameras, channels, space], the replay's layout. */
function channelMajor(flat: Float32Array, { channels, gridHeight, gridWidth }: BenchSizes): Float32Array {
  const space = gridHeight * gridWidth
  const out = new Float32Array(flat.length)
  for (let from = 0, map = 0; from < flat.length; map += space * channels)
    for (let s = 0; s < space; s++) for (let c = 0; c < channels; c++) out[map + c * space + s] = flat[from++]!
  return out
}
