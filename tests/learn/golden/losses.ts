/** @file Golden cases of the losses: cloning, TD, Cal-QL, returns, task weights, the two actors. */

import { expect } from 'vitest'
import { InputError } from '../../../src/errors.ts'
import {
  add,
  cast,
  concat,
  constant,
  equal,
  greater,
  mean,
  mul,
  type Tensor,
  unsqueeze,
} from '../../../src/graph/index.ts'
import {
  actorTerms,
  batchMean,
  bootstrapMask,
  conservativeTerm,
  directCloning,
  primaryActorLoss,
  reconstruction,
  refinementLoss,
  sampledActions,
  taskWeights,
  tdLoss,
  tdTarget,
  valueOfOwnTask,
} from '../../../src/learn/losses/index.ts'
import { critic, denoiser, policyOf, refinementMean } from '../../../src/nets/index.ts'
import { monteCarloReturns } from '../../../src/replay/returns.ts'
import { scheduleOf } from './networks.ts'
import type { GoldenCase } from './set.ts'
import { type CaseFile, type Leaves, oneTask, type Results, traced } from './trace.ts'

const reconstructionCase = traced((leaves, config, file) => {
  const noise = { epsilon: leaves.leaf('noise/eps'), sigmaIndex: leaves.leaf('noise/sigma_index') }
  const batch = { h: leaves.leaf('in/h'), actions: leaves.leaf('in/actions'), ...noise }
  const result = reconstruction(denoiser(leaves.network('head')), scheduleOf(config, file), batch)
  return { ...reconstructionParts(result), 'out/loss': batchMean(result.perSample) }
})

/** The checkpoints of a reconstruction term under their names in the files. */
export const reconstructionParts = (result: ReturnType<typeof reconstruction>, task = '') => ({
  [`mid/${task}sigma`]: result.level.sigma,
  [`mid/${task}weight`]: result.level.weight,
  [`mid/${task}x_t`]: result.noisy,
  [`mid/${task}denoised`]: result.denoised,
  [`mid/${task}bc_per_sample`]: result.perSample,
})

const directCase = traced((leaves, config, file) => {
  const policy = policyOf(denoiser(leaves.network('head')), scheduleOf(config, file))
  const action = policy(mul(config.K, leaves.leaf('noise/xi')), leaves.leaf('in/h'))
  const perSample = directCloning(action, leaves.leaf('in/actions'))
  return { 'mid/action': action, 'mid/bc_per_sample': perSample, 'out/loss': batchMean(perSample) }
})

/** The state (or with '_next' the next state) of a critic case with one task. */
export const stateOf = (leaves: Leaves, suffix = '') => ({
  features: oneTask(leaves.leaf(`in/features${suffix}`)),
  proprio: oneTask(leaves.leaf(`in/proprio${suffix}`)),
})

/** TD of one critic; `nextAction` [batch, A] comes from the policy of the case. */
export function temporalDifference(leaves: Leaves, config: GoldenCase['config'], nextAction: Tensor) {
  const nextQ = critic(leaves.ensemble('target'), stateOf(leaves, '_next'), oneTask(nextAction))
  const reward = oneTask(leaves.leaf('in/rewards'))
  const terminated = oneTask(leaves.leaf('in/terminated'))
  const target = tdTarget(reward, terminated, nextQ, config.gamma)
  const q = critic(leaves.ensemble('critic'), stateOf(leaves), oneTask(leaves.leaf('in/actions')))
  const loss = tdLoss(q, target)
  const parts = {
    'mid/next_action': nextAction,
    'mid/q_target_members': nextQ,
    'mid/td_target': target,
    'mid/q_members': q,
    'out/loss': loss,
  }
  return { q, loss, parts }
}

const policyAt = (leaves: Leaves, config: GoldenCase['config'], file: CaseFile) =>
  policyOf(denoiser(leaves.network('head')), scheduleOf(config, file))

export const tdCase = traced((leaves, config, file) => {
  const policy = policyAt(leaves, config, file)
  const nextAction = policy(mul(config.K, leaves.leaf('noise/xi_next')), leaves.leaf('in/h_next'))
  const mask = file.golden.tensors['mid/td_mask'] && {
    'mid/td_mask': bootstrapMask(file.tensors['in/terminated']!.data as Float32Array),
  }
  return { ...temporalDifference(leaves, config, nextAction).parts, ...mask }
})

const calibratedCase = traced((leaves, config, file) => {
  const policy = policyAt(leaves, config, file)
  const [h, nextH] = [leaves.leaf('in/h'), leaves.leaf('in/h_next')]
  const nextAction = policy(mul(config.K, leaves.leaf('noise/xi_next')), nextH)
  const td = temporalDifference(leaves, config, nextAction)
  const current = { w: mul(config.K, leaves.leaf('noise/xi_current_samples')), h }
  const next = { w: mul(config.K, leaves.leaf('noise/xi_next_samples')), h: nextH }
  const samples = sampledActions(policy, leaves.leaf('noise/uniform_actions'), current, next)
  const q = critic(leaves.ensemble('critic'), stateOf(leaves), oneTask(samples.all))
  const returns = oneTask(leaves.leaf('in/mc_returns'))
  const conservative = conservativeTerm(td.q, q, returns, {
    temperature: config.temperature,
    includeDataAction: config.include_data_action,
    subtractLogCount: config.subtract_log_count,
  })
  return {
    ...td.parts,
    'mid/current_sample_actions': samples.atState,
    'mid/next_sample_actions': samples.atNext,
    'mid/q_samples': q,
    'mid/q_raised': conservative.raised,
    'mid/bound_rate': mean(cast(greater(unsqueeze(unsqueeze(returns, 1), 3), q), 'f32')),
    'mid/log_sum_exp': conservative.softMaximum,
    'out/td': td.loss,
    'out/conservative': conservative.loss,
    'out/loss': add(td.loss, mul(config.alpha, conservative.loss)),
  }
})

async function returnsCase({ golden, tensors }: CaseFile): Promise<Results> {
  const [rewards, terminated, episode] = ['rewards', 'terminated', 'episode'].map((name) => tensors[`in/${name}`]!.data)
  return {
    'out/mc_returns': monteCarloReturns(rewards as Float32Array, golden.config.gamma, episode as Int32Array),
    'out/td_mask': bootstrapMask(terminated as Float32Array),
  }
}

type WeightRow = { row: string | null; name: string; c: number; eps_min: number; eps_max: number; error?: boolean }

async function taskWeightsCase({ golden, tensors }: CaseFile): Promise<Results> {
  const results: Results = {}
  for (const row of golden.expect.rows as WeightRow[]) {
    const meanQ = row.row ? Array.from(tensors[`in/${row.row}`]!.data as Float32Array) : []
    const weigh = () => taskWeights(meanQ, { c: row.c, min: row.eps_min, max: row.eps_max })
    if (row.error) expect(weigh, row.name).toThrow(InputError)
    else results[`out/${row.row}`] = weigh()
  }
  return results
}

const primaryActorCase = traced((leaves, config, file) => {
  const schedule = scheduleOf(config, file)
  const f = denoiser(leaves.network('head'))
  const terms = Array.from({ length: config.tasks }, (_, i) => {
    const own = (kind: string, name: string) => oneTask(leaves.leaf(`${kind}/task${i}/${name}`))
    const parameters = leaves.ensemble(`critic.task${i}`)
    const state = { features: own('in', 'features'), proprio: own('in', 'proprio') }
    const noise =
      config.bc_term === 'reconstruction'
        ? { epsilon: own('noise', 'eps'), sigmaIndex: own('noise', 'sigma_index') }
        : undefined
    return actorTerms(
      f,
      policyOf(f, schedule),
      config.K,
      { h: own('in', 'h'), actions: own('in', 'actions'), xi: own('noise', 'xi'), bcMask: own('in', 'bc_mask') },
      (action) => critic(parameters, state, action),
      { schedule, noise, noiseGain: 0 },
    )
  })
  const bcPerTask = concat(
    terms.map((term) => term.bcPerTask),
    0,
  )
  const qPerTask = concat(
    terms.map((term) => term.qPerTask),
    0,
  )
  const lambda = { bc: config.lambda_bc, q: config.lambda_q }
  const { epsilon, bc, q, loss } = primaryActorLoss(bcPerTask, qPerTask, lambda, {
    c: config.c,
    min: config.eps_min,
    max: config.eps_max,
  })
  const perTask = terms.map((term, i) => ({
    ...(term.reconstructed && reconstructionParts(term.reconstructed, `task${i}/`)),
    [`mid/task${i}/bc_per_sample`]: term.perSample,
    [`mid/task${i}/action`]: term.action,
    [`mid/task${i}/q`]: term.q,
  }))
  return {
    ...Object.assign({}, ...perTask),
    'mid/q_bar': qPerTask,
    'mid/task_weights': epsilon,
    'mid/bc_per_task': bcPerTask,
    'out/bc': bc,
    'out/q': q,
    'out/loss': loss,
  }
})

const refinementCase = traced((leaves, config, file) => {
  const refine = leaves.network('refine')
  const features = leaves.leaf('in/features')
  const m = refinementMean(refine, features, leaves.leaf('in/text'), config.bound)
  const m0 = refinementMean(refine, features, leaves.leaf('in/text_null'), config.bound)
  const critics = leaves.ensemble(...Array.from({ length: config.tasks }, (_, i) => `critic.task${i}`))
  const state = { features: oneTask(leaves.leaf('in/critic_features')), proprio: oneTask(leaves.leaf('in/proprio')) }
  const taskOfRow = constant(
    Int32Array.from({ length: config.tasks }, (_, i) => i),
    [config.tasks, 1],
  )
  const ownTask = cast(equal(oneTask(leaves.leaf('in/task')), taskOfRow), 'f32')
  const result = refinementLoss(
    policyAt(leaves, config, file),
    config.K,
    {
      h: leaves.leaf('in/h'),
      actions: leaves.leaf('in/actions'),
      xi: leaves.leaf('noise/xi'),
      xiReg: leaves.leaf('noise/xi_reg'),
    },
    { m, m0 },
    (action) => valueOfOwnTask(critic(critics, state, oneTask(action)), ownTask),
    { bc: config.eta_bc, q: config.eta_q, reg: config.eta_reg },
  )
  return {
    'mid/m': m,
    'mid/m_null': m0,
    'mid/action': result.action,
    'mid/action_null': result.actionWithoutCommand,
    'mid/action_primary': result.primaryAction,
    'mid/bc_per_sample': result.bcPerSample,
    'mid/q': result.valuePerSample,
    'mid/reg_per_sample': result.regPerSample,
    'out/bc': result.bc,
    'out/q': result.q,
    'out/reg': result.reg,
    'out/loss': result.loss,
  }
})

export const lossCases = {
  'bc-reconstruction': reconstructionCase,
  'bc-direct': directCase,
  'td-loss': tdCase,
  'calql-loss': calibratedCase,
  'mc-returns': returnsCase,
  'task-weights': taskWeightsCase,
  'actor-': primaryActorCase,
  'refine-loss': refinementCase,
}
