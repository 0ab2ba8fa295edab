/**
 * @file The learner step in @jax-js/jax, written as one would write it in JAX: one jitted function from parameters and
 * batch to new parameters. It is the yardstick for our own step; the mathematics is docs/method.md §3, §4, §5 and §12.
 */
import { jit, lax, numpy as np, tree, valueAndGrad } from '@jax-js/jax'
import type { ParameterStore } from '../src/graph/index.ts'
import type { BenchBatch, BenchSizes } from './problem.ts'

type Arrays = { [name: string]: np.Array }

const SIGMA_MAX = 80
const SIGMA_MIN = 0.002
const SIGMA_DATA = 0.5
const SCALES = 40
const DISCOUNT = 0.98
const LEARNING_RATE = 3e-4
const TARGET_RATE = 0.005
const NORM_EPSILON = 1e-6

/** jax-js takes only arrays that are not shared between threads; ours never are. */
const array = (data: Float32Array, shape: number[]) => np.array(data as Float32Array<ArrayBuffer>, { shape })

/** Karras schedule, index 0 is sigma_max. */
const SCHEDULE = Array.from({ length: SCALES }, (_, i) => {
  const low = SIGMA_MIN ** (1 / 7)
  const high = SIGMA_MAX ** (1 / 7)
  return (high + (i / (SCALES - 1)) * (low - high)) ** 7
})

/** tanh(layerNorm(x · kernel + bias)), leading axes batched. */
function block(p: Arrays, name: string, x: np.Array): np.Array {
  const y = dense(p, `${name}.dense`, x)
  const centred = y.ref.sub(np.mean(y, -1, { keepdims: true }))
  const variance = np.mean(np.square(centred.ref), -1, { keepdims: true })
  const normed = centred.div(np.sqrt(variance.add(NORM_EPSILON)))
  return np.tanh(normed.mul(p[`${name}.norm.scale`]!.ref).add(p[`${name}.norm.bias`]!.ref))
}

const dense = (p: Arrays, name: string, x: np.Array) =>
  np.matmul(x, p[`${name}.kernel`]!.ref).add(p[`${name}.bias`]!.ref)

/** maps [T, cameras, C, B, space] -> [T, 1, B, bottleneck]. */
function imageFeatures(p: Arrays, maps: np.Array, s: BenchSizes): np.Array {
  const embedded = np.matmul(maps, p['spatial.kernel']!.ref) // [T, cameras, C, B, E]
  const rows = np.transpose(embedded, [0, 3, 1, 2, 4]).reshape([s.tasks, s.batch, s.cameras * s.channels * s.blocks])
  return np.expandDims(block(p, 'spatial.bottleneck', rows), 1)
}

/** features [T, 1, B, F], proprio and action [T, B, ·] -> Q [T, members, B]. */
function members(p: Arrays, features: np.Array, proprio: np.Array, action: np.Array, s: BenchSizes): np.Array {
  const shared = np.broadcastTo(features, [s.tasks, s.members, s.batch, s.bottleneck])
  const own = [block(p, 'proprio', np.expandDims(proprio, 1)), block(p, 'action', np.expandDims(action, 1))]
  const x = block(p, 'trunk.1', block(p, 'trunk.0', np.concatenate([shared, ...own], -1)))
  return dense(p, 'out', x).reshape([s.tasks, s.members, s.batch])
}

/** The head's conditioning: h and the projected proprio. */
const conditioning = (p: Arrays, h: np.Array, proprio: np.Array) =>
  np.concatenate([h, block(p, 'proprio', proprio)], -1)

/** f(x, sigma, h): x [T, B, A], sigma [T, B, 1], time features [T, B, 16] of 250 ln sigma. */
function head(p: Arrays, x: np.Array, sigma: np.Array, time: np.Array, condition: np.Array): np.Array {
  const square = np.square(sigma.ref).add(SIGMA_DATA ** 2)
  const offset = sigma.sub(SIGMA_MIN)
  const skip = np.reciprocal(np.square(offset.ref).add(SIGMA_DATA ** 2)).mul(SIGMA_DATA ** 2)
  const out = offset.mul(SIGMA_DATA).div(np.sqrt(square.ref))
  const embedded = dense(p, 'time.1', np.tanh(dense(p, 'time.0', time)))
  const trunk = np.concatenate([x.ref.div(np.sqrt(square)), embedded, condition], -1)
  const raw = dense(p, 'out', block(p, 'trunk.1', block(p, 'trunk.0', trunk)))
  return np.clip(skip.mul(x).add(out.mul(raw)), -1, 1)
}

function adam(value: np.Array, gradient: np.Array, m1: np.Array, m2: np.Array, step: np.Array) {
  const first = m1.mul(0.9).add(gradient.ref.mul(0.1))
  const second = m2.mul(0.999).add(np.square(gradient).mul(0.001))
  const unbiased1 = first.ref.div(np.subtract(1, np.power(0.9, step.ref)))
  const unbiased2 = second.ref.div(np.subtract(1, np.power(0.999, step)))
  const moved = value.sub(unbiased1.mul(LEARNING_RATE).div(np.sqrt(unbiased2).add(1e-8)))
  return { value: moved, m1: first, m2: second }
}

/** Adam over every tensor of one network. Consumes all of its arguments but `step`. */
function adamAll(values: Arrays, gradients: Arrays, m1: Arrays, m2: Arrays, step: np.Array) {
  const result = { value: {} as Arrays, m1: {} as Arrays, m2: {} as Arrays }
  for (const name of Object.keys(values)) {
    const moved = adam(values[name]!, gradients[name]!, m1[name]!, m2[name]!, step.ref)
    result.value[name] = moved.value
    result.m1[name] = moved.m1
    result.m2[name] = moved.m2
  }
  return result
}

export type JaxState = {
  critic: Arrays
  target: Arrays
  head: Arrays
  criticM1: Arrays
  criticM2: Arrays
  headM1: Arrays
  headM2: Arrays
  step: np.Array
}

export type JaxBatch = Arrays

/** sin and cos of 250 ln(sigma) · 10000^(-k/7), computed in double on the host as the fixtures ask. */
function timeFeatures(sigma: Float32Array): Float32Array {
  const out = new Float32Array(sigma.length * 16)
  for (const [row, s] of sigma.entries()) {
    for (let k = 0; k < 8; k++) {
      const angle = 250 * Math.log(s) * 10000 ** (-k / 7)
      out[row * 16 + k] = Math.sin(angle)
      out[row * 16 + 8 + k] = Math.cos(angle)
    }
  }
  return out
}

/** [tasks, batch, cameras, space, channels] -> [tasks, cameras, channels, batch, space], the fast layout. */
function channelFirst(flat: Float32Array, s: BenchSizes): Float32Array {
  const space = s.gridHeight * s.gridWidth
  const out = new Float32Array(flat.length)
  let from = 0
  for (let t = 0; t < s.tasks; t++)
    for (let b = 0; b < s.batch; b++)
      for (let v = 0; v < s.cameras; v++)
        for (let p = 0; p < space; p++)
          for (let c = 0; c < s.channels; c++)
            out[(((t * s.cameras + v) * s.channels + c) * s.batch + b) * space + p] = flat[from++]!
  return out
}

export function jaxBatch(batch: BenchBatch, s: BenchSizes): JaxBatch {
  const lead = [s.tasks, s.batch]
  const rows = (values: Float32Array, width: number) => array(values, [...lead, width])
  const maps = [s.tasks, s.cameras, s.channels, s.batch, s.gridHeight * s.gridWidth]
  const sigma = Float32Array.from(batch.sigmaIndex, (index) => SCHEDULE[index]!)
  const largest = new Float32Array(s.tasks * s.batch).fill(SIGMA_MAX)
  return {
    h: rows(batch.h, s.embedding),
    nextH: rows(batch.nextH, s.embedding),
    maps: array(channelFirst(batch.features, s), maps),
    nextMaps: array(channelFirst(batch.nextFeatures, s), maps),
    proprio: rows(batch.proprio, s.proprio),
    nextProprio: rows(batch.nextProprio, s.proprio),
    action: rows(batch.action, s.action),
    reward: array(batch.reward, lead),
    notTerminated: array(batch.notTerminated, lead),
    noise: rows(batch.noise, s.action),
    nextNoise: rows(batch.nextNoise, s.action),
    reconstructionNoise: rows(batch.reconstructionNoise, s.action),
    sigma: rows(sigma, 1),
    time: rows(timeFeatures(sigma), 16),
    largestSigma: rows(largest, 1),
    largestTime: rows(timeFeatures(largest), 16),
  }
}

/** Starts from the parameters of our own store; target critics, moments and step count as at the start of a run. */
export function jaxState(store: ParameterStore): JaxState {
  const values = (group: string): Arrays =>
    Object.fromEntries(
      Object.entries(store.shapes(group)).map(([name, shape]) => {
        const isRow = !name.endsWith('kernel') && shape.length > 1 // one row for the whole batch of its owner
        const full = isRow ? [...shape.slice(0, -1), 1, shape[shape.length - 1]!] : [...shape]
        return [name, array(store.view(group, name).slice(), full)]
      }),
    )
  const zeros = (like: Arrays) =>
    Object.fromEntries(Object.entries(like).map(([name, value]) => [name, np.zeros(value.shape)]))
  const [critic, head] = [values('critic'), values('head')]
  return {
    critic,
    target: values('critic'),
    head,
    criticM1: zeros(critic),
    criticM2: zeros(critic),
    headM1: zeros(head),
    headM2: zeros(head),
    step: np.array(1),
  }
}

/** Refers to every array of a group once more, so that the callee may consume its copy. */
const again = (group: Arrays): Arrays => tree.ref(group) as Arrays

/**
 * One joint update (critic TD step and actor step from the same parameters, then Adam and Polyak), jitted as a whole.
 * Consumes state and batch; returns the next state and both losses.
 */
export function jaxLearnerStep(s: BenchSizes) {
  const criticLoss = (critic: Arrays, maps: np.Array, proprio: np.Array, action: np.Array, wanted: np.Array) => {
    const features = imageFeatures(critic, maps, s)
    const q = members(critic, features.ref, proprio, action, s)
    tree.dispose(critic)
    return [np.mean(np.square(q.sub(np.expandDims(wanted, 1)))), features] as [np.Array, np.Array]
  }
  const actorLoss = (policy: Arrays, critic: Arrays, features: np.Array, b: Arrays) => {
    const condition = conditioning(policy, b.h!, b.proprio!.ref)
    const x = b.action!.ref.add(b.sigma!.ref.mul(b.reconstructionNoise!))
    const weight = np.reciprocal(np.square(b.sigma!.ref)).add(1 / SIGMA_DATA ** 2)
    const denoised = head(policy, x, b.sigma!, b.time!, condition.ref)
    const clone = np.mean(weight.mul(np.square(denoised.sub(b.action!))))
    const planned = head(policy, b.noise!.mul(SIGMA_MAX), b.largestSigma!, b.largestTime!, condition)
    const value = np.mean(members(critic, features, b.proprio!, planned, s), [1, 2]) // [T]
    const raised = np.maximum(lax.stopGradient(value.ref), 0)
    const taskWeight = np.clip(np.sum(raised.ref).div(raised.mul(s.tasks).add(s.tasks * 0.1)), 0.8, 1.2)
    tree.dispose(policy)
    tree.dispose(critic)
    return clone.mul(0.5).sub(np.mean(taskWeight.mul(value)).mul(0.5))
  }

  return jit((state: JaxState, b: Arrays) => {
    const nextCondition = conditioning(state.head, b.nextH!, b.nextProprio!.ref)
    const nextAction = head(
      state.head,
      b.nextNoise!.mul(SIGMA_MAX),
      b.largestSigma!.ref,
      b.largestTime!.ref,
      nextCondition,
    )
    const nextQ = members(state.target, imageFeatures(state.target, b.nextMaps!, s), b.nextProprio!, nextAction, s)
    const wanted = lax.stopGradient(b.reward!.add(b.notTerminated!.mul(DISCOUNT).mul(np.min(nextQ, 1)))) // [T, B]

    const [[tdLoss, features], criticGradient] = valueAndGrad(criticLoss, { hasAux: true })(
      again(state.critic),
      b.maps!,
      b.proprio!.ref,
      b.action!.ref,
      wanted,
    )
    const ofHead = [
      'h',
      'proprio',
      'action',
      'sigma',
      'time',
      'largestSigma',
      'largestTime',
      'noise',
      'reconstructionNoise',
    ]
    const [policyLoss, headGradient] = valueAndGrad(actorLoss)(
      again(state.head),
      again(state.critic),
      lax.stopGradient(features as np.Array),
      Object.fromEntries(ofHead.map((name) => [name, b[name]!])),
    )
    const critic = adamAll(state.critic, criticGradient as Arrays, state.criticM1, state.criticM2, state.step)
    const policy = adamAll(state.head, headGradient as Arrays, state.headM1, state.headM2, state.step)
    const target = Object.fromEntries(
      Object.entries(state.target).map(([name, value]) => [
        name,
        value.mul(1 - TARGET_RATE).add(critic.value[name]!.ref.mul(TARGET_RATE)),
      ]),
    )
    const next: JaxState = {
      critic: critic.value,
      target,
      head: policy.value,
      criticM1: critic.m1,
      criticM2: critic.m2,
      headM1: policy.m1,
      headM2: policy.m2,
      step: state.step.add(1),
    }
    return { state: next, tdLoss, policyLoss }
  })
}
