/** @file Golden cases of the baselines: HG-DAgger, flat HIL-ConRFT, DSRL. */
import { add, cast, constant, equal } from '../../../src/graph/index.ts'
import {
  actorTerms,
  cloningTerm,
  maskedMean,
  noiseActorLoss,
  noiseAliasLoss,
  noisePolicyAction,
  primaryActorLoss,
  sampleNoise,
  temperatureLoss,
} from '../../../src/learn/losses/index.ts'
import { critic, denoiser, policyOf } from '../../../src/nets/index.ts'
import { reconstructionParts, stateOf, tdCase, temporalDifference } from './losses.ts'
import { scheduleOf } from './networks.ts'
import type { GoldenCase } from './set.ts'
import { oneTask, traced } from './trace.ts'

const hgDaggerCase = traced((leaves, config, file) => {
  const source = leaves.leaf('in/source')
  const of = (code: number) => cast(equal(source, constant(Int32Array.of(code))), 'f32')
  const kept = add(of(config.sources.demo), of(config.sources.intervention))
  const [h, actions, epsilon] = [leaves.leaf('in/h'), leaves.leaf('in/actions'), leaves.leaf('noise/eps')]
  const { reconstructed, perSample } = cloningTerm(
    denoiser(leaves.network('head')),
    { h, actions, xi: epsilon, bcMask: kept },
    actions, // the policy's action, which the reconstruction does not look at
    {
      schedule: scheduleOf(config, file),
      noise: { epsilon, sigmaIndex: leaves.leaf('noise/sigma_index') },
      noiseGain: 0,
    },
  )
  return { ...reconstructionParts(reconstructed!), 'mid/kept': kept, 'out/loss': maskedMean(perSample, kept) }
})

/** As the method does it: all rows are one task, all of them cloned, its weight clipped to 1. */
const flatActorCase = traced((leaves, config, file) => {
  const schedule = scheduleOf(config, file)
  const f = denoiser(leaves.network('head'))
  const parameters = leaves.ensemble('critic')
  const actions = leaves.leaf('in/actions')
  const result = actorTerms(
    f,
    policyOf(f, schedule),
    config.K,
    {
      h: oneTask(leaves.leaf('in/h')),
      actions: oneTask(actions),
      xi: oneTask(leaves.leaf('noise/xi')),
      bcMask: constant(new Float32Array(actions.shape[0]!).fill(1), [1, actions.shape[0]!]),
    },
    (action) => critic(parameters, stateOf(leaves), action),
    {
      schedule,
      noise: { epsilon: oneTask(leaves.leaf('noise/eps')), sigmaIndex: oneTask(leaves.leaf('noise/sigma_index')) },
      noiseGain: 0,
    },
  )
  const lambda = { bc: config.lambda_bc, q: config.lambda_q }
  const { bc, q, loss } = primaryActorLoss(result.bcPerTask, result.qPerTask, lambda, { c: 0.1, min: 1, max: 1 })
  return {
    ...reconstructionParts(result.reconstructed!),
    'mid/action': result.action,
    'mid/q': result.q,
    'out/bc': bc,
    'out/q': q,
    'out/loss': loss,
  }
})

const noiseSettings = (config: GoldenCase['config']) => ({
  noiseBound: config.noise_bound,
  logStdMin: config.log_std_min,
  logStdMax: config.log_std_max,
})

const dsrlCriticCase = traced((leaves, config, file) => {
  const policy = policyOf(denoiser(leaves.network('head')), scheduleOf(config, file))
  const [features, proprio] = [leaves.leaf('in/features_next'), leaves.leaf('in/proprio_next')]
  const actor = leaves.network('noise_actor')
  const { noise } = sampleNoise(actor, features, proprio, leaves.leaf('noise/xi_next'), noiseSettings(config))
  const nextAction = noisePolicyAction(policy, config.K, noise, leaves.leaf('in/h_next'))
  return { 'mid/next_unit_noise': noise, ...temporalDifference(leaves, config, nextAction).parts }
})

const dsrlAliasCase = traced((leaves, config, file) => {
  const policy = policyOf(denoiser(leaves.network('head')), scheduleOf(config, file))
  const n = leaves.leaf('noise/n')
  const action = noisePolicyAction(policy, config.K, n, leaves.leaf('in/h'))
  const noiseQ = critic(leaves.ensemble('noise_critic'), stateOf(leaves), oneTask(n))
  const actionQ = critic(leaves.ensemble('critic'), stateOf(leaves), oneTask(action))
  const { target, loss } = noiseAliasLoss(noiseQ, actionQ)
  return { 'mid/action': action, 'mid/target': target, 'mid/qw_members': noiseQ, 'out/loss': loss }
})

const dsrlActorCase = traced((leaves, config) => {
  const [features, proprio] = [leaves.leaf('in/features'), leaves.leaf('in/proprio')]
  const actor = leaves.network('noise_actor')
  const sample = sampleNoise(actor, features, proprio, leaves.leaf('noise/xi'), noiseSettings(config))
  const noiseQ = critic(leaves.ensemble('noise_critic'), stateOf(leaves), oneTask(sample.noise))
  const { q, loss } = noiseActorLoss(leaves.leaf('param/log_tau'), sample.logProb, noiseQ)
  return {
    'mid/mean': sample.mean,
    'mid/log_std': sample.logStd,
    'mid/u': sample.u,
    'mid/log_prob': sample.logProb,
    'mid/unit_noise': sample.noise,
    'mid/qw': q,
    'out/loss': loss,
  }
})

const dsrlTemperatureCase = traced((leaves, config) => {
  const logProb = leaves.leaf('in/log_prob')
  const { entropy, loss } = temperatureLoss(leaves.leaf('param/log_tau'), logProb, config.target_entropy)
  return { 'mid/entropy': entropy, 'out/loss': loss }
})

export const baselineCases = {
  'baseline-hg-dagger': hgDaggerCase,
  'baseline-flat-actor': flatActorCase,
  'baseline-flat-critic': tdCase,
  'baseline-dsrl-critic': dsrlCriticCase,
  'baseline-dsrl-alias': dsrlAliasCase,
  'baseline-dsrl-actor': dsrlActorCase,
  'baseline-dsrl-temperature': dsrlTemperatureCase,
}
