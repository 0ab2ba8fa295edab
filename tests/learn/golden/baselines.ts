/** @file Golden cases of the baselines: HG-DAgger, flat HIL-ConRFT, DSRL. */
import { add, cast, constant, equal } from '../../../src/graph/index.ts'
import {
  noiseActorLoss,
  noiseAliasLoss,
  noisePolicyAction,
  sampleNoise,
  temperatureLoss,
} from '../../../src/learn/baselines/dsrl.ts'
import { flatActorLoss } from '../../../src/learn/baselines/flat-conrft.ts'
import { hgDaggerLoss } from '../../../src/learn/baselines/hg-dagger.ts'
import { critic, denoiser, policyOf } from '../../../src/nets/index.ts'
import { reconstructionParts, stateOf, tdCase, temporalDifference } from './losses.ts'
import { scheduleOf } from './networks.ts'
import type { GoldenCase } from './set.ts'
import { oneTask, traced } from './trace.ts'

const hgDaggerCase = traced((leaves, config, file) => {
  const source = leaves.leaf('in/source')
  const of = (code: number) => cast(equal(source, constant(Int32Array.of(code))), 'f32')
  const kept = add(of(config.sources.demo), of(config.sources.intervention))
  const result = hgDaggerLoss(denoiser(leaves.network('head')), scheduleOf(config, file), {
    h: leaves.leaf('in/h'),
    actions: leaves.leaf('in/actions'),
    kept,
    epsilon: leaves.leaf('noise/eps'),
    sigmaIndex: leaves.leaf('noise/sigma_index'),
  })
  return { ...reconstructionParts(result), 'mid/kept': kept, 'out/loss': result.loss }
})

const flatActorCase = traced((leaves, config, file) => {
  const schedule = scheduleOf(config, file)
  const f = denoiser(leaves.network('head'))
  const parameters = leaves.ensemble('critic')
  const result = flatActorLoss(
    f,
    policyOf(f, schedule),
    schedule,
    config.K,
    {
      h: leaves.leaf('in/h'),
      actions: leaves.leaf('in/actions'),
      xi: leaves.leaf('noise/xi'),
      epsilon: leaves.leaf('noise/eps'),
      sigmaIndex: leaves.leaf('noise/sigma_index'),
    },
    (action) => critic(parameters, stateOf(leaves), oneTask(action)),
    { bc: config.lambda_bc, q: config.lambda_q },
  )
  return {
    ...reconstructionParts(result),
    'mid/action': result.action,
    'mid/q': result.qPerSample,
    'out/bc': result.bc,
    'out/q': result.q,
    'out/loss': result.loss,
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
