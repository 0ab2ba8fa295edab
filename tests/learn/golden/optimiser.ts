/** @file Golden cases of the parameter store: global-norm clipping, Adam, Polyak; and of the talk-and-tweak labels. */
import { expect } from 'vitest'
import { ParameterStore } from '../../../src/graph/index.ts'
import { labelInterventions } from '../../../src/talk/labels.ts'
import type { CaseFile, Results } from './trace.ts'

type Values = Record<string, { shape: readonly number[]; data: Float32Array }>

/** Tensors of the file under a prefix, by the rest of their names. */
const under = ({ tensors }: CaseFile, prefix: string): Values =>
  Object.fromEntries(
    Object.entries(tensors)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [name.slice(prefix.length), tensor as Values[string]]),
  )

const GROUP = 'golden'

function storeOf(values: Values, options: { trained?: boolean; target?: boolean }): ParameterStore {
  const shapes = Object.fromEntries(Object.entries(values).map(([name, { shape }]) => [name, [...shape]]))
  const store = new ParameterStore({ [GROUP]: { tensors: shapes, ...options } })
  fill(store, values, 'value')
  return store
}

const fill = (store: ParameterStore, values: Values, kind: 'value' | 'gradient' | 'target') => {
  for (const [name, { data }] of Object.entries(values)) store.view(GROUP, name, kind).set(data)
}

const copy = (store: ParameterStore, name: string, kind: 'value' | 'moment1' | 'moment2' | 'target') =>
  Float32Array.from(store.view(GROUP, name, kind))

/** With beta1 = 0 the first moment after a step is the clipped gradient itself. */
async function clipCase(file: CaseFile): Promise<Results> {
  const results: Results = {}
  const sets = new Set(Object.keys(under(file, 'in/')).map((name) => name.split('/')[0]!))
  for (const set of sets) {
    const values = under(file, `in/${set}/`)
    const store = storeOf(values, { trained: true })
    fill(store, values, 'gradient')
    const settings = { learningRate: 0, beta1: 0, maxNorm: file.golden.config.max_norm }
    results[`out/${set}/norm`] = [store.adam(GROUP, settings).gradientNorm]
    for (const name of Object.keys(values)) results[`out/${set}/${name}`] = copy(store, name, 'moment1')
  }
  return results
}

async function adamCase(file: CaseFile): Promise<Results> {
  const { lr, beta1, beta2, eps, max_norm } = file.golden.config
  const results: Results = {}
  const store = storeOf(under(file, 'param/'), { trained: true })
  for (let step = 0; Object.keys(under(file, `in/step${step}/`)).length; step++) {
    const gradients = under(file, `in/step${step}/`)
    fill(store, gradients, 'gradient')
    const settings = { learningRate: lr, beta1, beta2, epsilon: eps, maxNorm: max_norm ?? undefined }
    const { gradientNorm } = store.adam(GROUP, settings)
    if (`mid/step${step}/norm` in file.tensors) results[`mid/step${step}/norm`] = [gradientNorm]
    for (const name of Object.keys(gradients)) {
      results[`out/step${step}/param/${name}`] = copy(store, name, 'value')
      results[`mid/step${step}/m/${name}`] = copy(store, name, 'moment1')
      results[`mid/step${step}/v/${name}`] = copy(store, name, 'moment2')
    }
  }
  return results
}

async function polyakCase(file: CaseFile): Promise<Results> {
  const results: Results = {}
  const online = under(file, 'param/online.')
  const store = storeOf(online, { target: true })
  fill(store, under(file, 'param/target.'), 'target')
  for (let update = 0; Object.keys(under(file, `out/update${update}/`)).length; update++) {
    store.polyak(GROUP, file.golden.config.tau)
    for (const name of Object.keys(online)) results[`out/update${update}/${name}`] = copy(store, name, 'target')
  }
  return results
}

async function labelsCase({ golden, tensors }: CaseFile): Promise<Results> {
  const { window, threshold_m, metres_per_unit, axes, tie_m } = golden.config
  const actions = tensors['in/actions']!
  const width = actions.shape[1]!
  const intervened = tensors['in/intervened']!.data as Int32Array
  const episode = tensors['in/episode']!.data as Int32Array
  const steps = Array.from(intervened, (flag, t) => ({
    action: (actions.data as Float32Array).subarray(t * width, (t + 1) * width),
    intervened: flag !== 0,
    episode: episode[t]!,
  }))
  const rule = { window, threshold: threshold_m, metresPerUnit: metres_per_unit, axes, tie: tie_m }
  const labels = labelInterventions(steps, rule)
  expect(labels.map((label) => label?.command ?? null)).toEqual(golden.expect.commands)
  return {
    'out/window_length': labels.map((label) => label?.window ?? 0),
    'out/delta_m': labels.flatMap((label) => label?.delta ?? [0, 0, 0]),
    'out/signs': labels.flatMap((label) => label?.direction ?? [0, 0, 0]),
  }
}

export const optimiserCases = {
  'clip-global-norm': clipCase,
  adam: adamCase,
  polyak: polyakCase,
}

export const labelCases = { 'labels-': labelsCase }
