/** @file Golden cases of the networks: schedule, head, critic, refinement actor, pooling. */
import { add, mean, mul, reshape, slice, squeeze, type Tensor, transpose } from '../../../src/graph/index.ts'
import {
  block,
  bounded,
  type ConsistencySchedule,
  consistencySchedule,
  critic,
  denoiseInSteps,
  denoiser,
  largestLevel,
  levelsOf,
  meanOfMembers,
  minOfMembers,
  policyOf,
  pooledFeatures,
  poolPrefix,
  refinedNoise,
  scaledTime,
  spatialEmbedding,
  unboundedMean,
  unclippedDenoiser,
} from '../../../src/nets/index.ts'
import type { GoldenCase } from './set.ts'
import { type CaseFile, type Leaves, oneTask, type Results, traced } from './trace.ts'

/** The schedule of the case; the width of the time features is the head's. */
export function scheduleOf(config: GoldenCase['config'], { tensors }: CaseFile): ConsistencySchedule {
  return consistencySchedule({
    numScales: config.num_scales,
    sigmaMin: config.sigma_min,
    sigmaMax: config.sigma_max,
    rho: config.rho,
    sigmaData: config.sigma_data,
    timeWidth: config.time_width ?? tensors['param/head.time.0.kernel']!.shape[0],
  })
}

/** Sum of the means of probe · output over all pairs. */
const probed = (...pairs: [probe: Tensor, output: Tensor][]): Tensor =>
  pairs.map(([probe, output]) => mean(mul(probe, reshape(output, probe.shape)))).reduce(add)

const blockCase = traced((leaves, config, { normEpsilon }) => {
  const y = block(named('net', leaves), 'net', leaves.leaf('in/x'), config.norm_eps ?? normEpsilon)
  return { 'out/y': y, 'out/loss': probed([leaves.leaf('in/probe'), y]) }
})

/** The network's tensors with its own name in front, as one layer of a larger network. */
const named = (net: string, leaves: Leaves) =>
  Object.fromEntries(Object.entries(leaves.network(net)).map(([field, tensor]) => [`${net}.${field}`, tensor]))

const scheduleCase = traced((_, config, file) => {
  const schedule = scheduleOf(config, file)
  const level = levelsOf(schedule, schedule.sigmas)
  return {
    'out/sigmas': mul(level.sigma, 1),
    'out/c_skip': mul(level.skip, 1),
    'out/c_out': mul(level.out, 1),
    'out/c_in': mul(level.in, 1),
    'out/bc_weight': mul(level.weight, 1),
    'out/time_features': mul(level.timeFeatures, 1),
    'out/time_scaled': Array.from(schedule.sigmas, scaledTime),
  }
})

const oneStepCase = traced((leaves, config, file) => {
  const head = leaves.network('head')
  const schedule = scheduleOf(config, file)
  const h = leaves.leaf('in/h')
  const w = mul(config.K, leaves.leaf('noise/xi'))
  const action = policyOf(denoiser(head), schedule)(w, h)
  return {
    'mid/w': w,
    'mid/before_clip': unclippedDenoiser(head)(w, largestLevel(schedule), h),
    'out/action': action,
    'out/loss': probed([leaves.leaf('in/probe'), action]),
  }
})

const anySigmaCase = traced((leaves, config, file) => {
  const head = leaves.network('head')
  const schedule = scheduleOf(config, file)
  const level = levelsOf(schedule, file.tensors['in/sigma']!.data as Float32Array)
  const [x, h] = [leaves.leaf('in/x_t'), leaves.leaf('in/h')]
  const f = denoiser(head)(x, level, h)
  return {
    'mid/c_skip': mul(level.skip, 1),
    'mid/c_out': mul(level.out, 1),
    'mid/c_in': mul(level.in, 1),
    'mid/time_features': mul(level.timeFeatures, 1),
    'mid/before_clip': unclippedDenoiser(head)(x, level, h),
    'out/f': f,
    'out/loss': probed([leaves.leaf('in/probe'), f]),
  }
})

const severalStepsCase = traced((leaves, config, file) => {
  const z = leaves.leaf('noise/z')
  const noises = Array.from({ length: config.steps }, (_, k) => squeeze(slice(z, 0, k, k + 1), 0))
  const f = denoiser(leaves.network('head'))
  const { sigmas, noisy, actions } = denoiseInSteps(f, scheduleOf(config, file), config.K, leaves.leaf('in/h'), noises)
  const checkpoints = actions.flatMap((action, k) => [
    [`mid/x_${k}`, noisy[k]!] as const,
    [`mid/action_${k}`, action] as const,
  ])
  return {
    ...Object.fromEntries(checkpoints.filter(([name]) => leaves.names.includes(name))),
    'mid/sigmas': sigmas,
    'out/action': actions.at(-1)!,
    'out/loss': probed([leaves.leaf('in/probe'), actions.at(-1)!]),
  }
})

const criticCase = traced((leaves) => {
  const parameters = leaves.ensemble('critic')
  const state = { features: oneTask(leaves.leaf('in/features')), proprio: oneTask(leaves.leaf('in/proprio')) }
  const q = critic(parameters, state, oneTask(leaves.leaf('in/actions')))
  const many = critic(parameters, state, oneTask(leaves.leaf('in/many_actions')))
  return {
    'out/q': q,
    'out/q_many': many,
    'out/q_mean': meanOfMembers(q),
    'out/q_min': minOfMembers(q),
    'out/loss': probed([leaves.leaf('in/probe'), q], [leaves.leaf('in/probe_many'), many]),
  }
})

const refinementCase = traced((leaves, config, file) => {
  const u = unboundedMean(leaves.network('refine'), leaves.leaf('in/features'), leaves.leaf('in/text'))
  const m = bounded(u, config.bound)
  const w = refinedNoise(config.K, m, leaves.leaf('noise/xi'))
  const action = policyOf(denoiser(leaves.network('head')), scheduleOf(config, file))(w, leaves.leaf('in/h'))
  return {
    'mid/u': u,
    'out/m': m,
    'mid/w': w,
    'out/action': action,
    'out/loss': probed([leaves.leaf('in/probe'), action]),
  }
})

/** The file's [height, width, channel] order to ours: one camera, channel first, then space. */
const spatialCase = traced((leaves) => {
  const [map, kernel] = [leaves.leaf('in/map'), leaves.leaf('param/spatial.kernel')]
  const [batch, height, width, channels] = map.shape as [number, number, number, number]
  const space = height * width
  const maps = reshape(transpose(reshape(map, [batch, space, channels]), [0, 2, 1]), [batch, 1, channels, space])
  const byChannel = transpose(reshape(kernel, [space, channels, -1]), [1, 0, 2])
  const parameters = {
    ...named('spatial', leaves),
    'spatial.kernel': reshape(byChannel, [1, ...byChannel.shape]),
  }
  const features = pooledFeatures(parameters, maps)
  return {
    'mid/embedding': spatialEmbedding(parameters, maps),
    'out/features': features,
    'out/loss': probed([leaves.leaf('in/probe'), features]),
  }
})

async function prefixCase({ tensors }: CaseFile): Promise<Results> {
  const [keys, values, mask] = ['keys', 'values', 'mask'].map((name) => tensors[`in/${name}`]!)
  const batch = mask!.shape[0]!
  return {
    'out/h': poolPrefix(keys!.data as Float32Array, values!.data as Float32Array, mask!.data as Float32Array, batch),
  }
}

export const networkCases = {
  block: blockCase,
  schedule: scheduleCase,
  'head-one-step': oneStepCase,
  'head-any-sigma': anySigmaCase,
  'head-': severalStepsCase,
  'critic-forward': criticCase,
  'refine-forward': refinementCase,
  'pool-spatial': spatialCase,
  'pool-prefix': prefixCase,
}
