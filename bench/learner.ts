/** @file (a) One joint learner step, critics and primary actor, against the same step in jax-js. */

import { drawNoise } from '../src/learn/batch.ts'
import { LearnerConfig, NetworkConfig } from '../src/learn/config.ts'
import { createStore } from '../src/learn/learner.ts'
import { compileJointStep } from '../src/learn/programs.ts'
import { RandomStream } from '../src/random/stream.ts'
import { medianTime, rounded } from './measure.ts'
import { type BenchBatch, randomBatch, SIZES } from './problem.ts'
import { provideWebWorkers } from './web-worker.ts'

const ROUNDS = 15
const JAX_ROUNDS = 7 // several times slower

export type LearnerFigures = {
  stepMs: number // ours: forward, backward, Adam with clip, Polyak
  jaxJsStepMs: number
  ratio: number // jax-js over ours
  parameters: number // of the critics
}

export async function benchLearner(): Promise<LearnerFigures> {
  const batch = randomBatch(SIZES, new RandomStream(0, 'bench'))
  const { stepMs, parameters } = await ourStep(batch)
  const jaxJsStepMs = await jaxJsStep(batch)
  return {
    stepMs: rounded(stepMs),
    jaxJsStepMs: rounded(jaxJsStepMs),
    ratio: rounded(jaxJsStepMs / stepMs),
    parameters,
  }
}

async function ourStep(batch: BenchBatch) {
  const { tasks, batch: batchPerTask, proprio, embedding, cameras, channels } = SIZES
  const network = NetworkConfig.parse({
    hidden: SIZES.hidden,
    proprioWidth: SIZES.projection,
    spatialEmbeddings: SIZES.blocks,
    bottleneck: SIZES.bottleneck,
    members: SIZES.members,
  })
  const space = SIZES.gridHeight * SIZES.gridWidth
  const sizes = { network, embedding, proprio, command: 32, cameras, channels, space }
  const learner = LearnerConfig.parse({ batch: tasks * batchPerTask })
  const names = Array.from({ length: tasks }, (_, i) => `task ${i}`)
  const { store } = createStore({ sizes, tasks: names, seed: 0 })
  const program = await compileJointStep(store, { sizes, tasks, batchPerTask, learner }, 'online', { bc: 0.5, q: 0.5 })
  const { h, nextH, proprio: state, nextProprio, action, reward } = batch
  const columns = { h, nextH, proprio: state, nextProprio, action, reward }
  for (const [name, values] of Object.entries(columns)) program.set(name, values)
  program.set('features', channelMajor(batch.features))
  program.set('nextFeatures', channelMajor(batch.nextFeatures))
  program.set(
    'terminated',
    batch.notTerminated.map((goesOn) => 1 - goesOn),
  )
  program.set('bcMask', new Float32Array(tasks * batchPerTask).fill(1))
  drawNoise(program.inputs, new RandomStream(0, 'bench noise'))
  const { learningRate, maxGradientNorm: maxNorm, targetRate } = learner
  const stepMs = await medianTime(async () => {
    await program.run()
    store.adam('critic', { learningRate, maxNorm, targetRate })
    store.adam('head', { learningRate, maxNorm })
  }, ROUNDS)
  await program.release()
  return { stepMs, parameters: store.flat('critic', 'value').length }
}

/** jax-js runs the same mathematics with its own initial parameters; times do not depend on them. */
async function jaxJsStep(batch: BenchBatch): Promise<number> {
  provideWebWorkers()
  const { blockUntilReady, tree } = await import('@jax-js/jax') // after the workers are there: it looks for them at load
  const { jaxBatch, jaxLearnerStep, jaxState } = await import('./learner-jax-js.ts')
  const stream = new RandomStream(0, 'bench jax-js')
  const inputs = jaxBatch(batch, SIZES, stream)
  const step = jaxLearnerStep(SIZES)
  let state = jaxState(SIZES, stream)
  return medianTime(async () => {
    const result = step(state, tree.ref(inputs))
    await blockUntilReady(result)
    result.tdLoss.dispose()
    result.policyLoss.dispose()
    state = result.state
  }, JAX_ROUNDS)
}

/** [tasks, batch, cameras, space, channels] -> [tasks, batch, cameras, channels, space], the replay's layout. */
function channelMajor(flat: Float32Array): Float32Array {
  const { channels, gridHeight, gridWidth } = SIZES
  const space = gridHeight * gridWidth
  const out = new Float32Array(flat.length)
  for (let from = 0, map = 0; from < flat.length; map += space * channels)
    for (let s = 0; s < space; s++) for (let c = 0; c < channels; c++) out[map + c * space + s] = flat[from++]
  return out
}
