/** @file What the learner writes to disk and reads back: the actors for acting, everything for continuing. */
import { join } from 'node:path'
import { floatTensor, readSafetensors, type SafeTensor, writeSafetensors } from '../data/safetensors.ts'
import { InputError } from '../errors.ts'
import type { ParameterStore } from '../graph/index.ts'
import type { Layout } from '../nets/index.ts'
import type { StreamState } from '../random/stream.ts'
import type { ActorParameters } from './policy.ts'

export const POLICY_FILE = 'policy.safetensors'
export const LEARNER_FILE = 'learner.safetensors'

export type LearnerState = {
  updates: number
  steps: Record<string, number> // Adam steps by group
  streams: Record<string, StreamState>
}

const KINDS = ['value', 'moment1', 'moment2', 'target'] as const
type Kind = (typeof KINDS)[number]

/** Both files; each appears whole or not at all. The head that acts is the averaged one, the target of its group. */
export async function saveLearner(
  directory: string,
  store: ParameterStore,
  layouts: Record<string, Layout>,
  state: LearnerState,
): Promise<void> {
  const f32 = (shape: readonly number[], data: Float32Array): SafeTensor => ({ dtype: 'F32', shape, data })
  const policy: Record<string, SafeTensor> = {}
  for (const group of ['head', 'refine'])
    for (const [name, { shape }] of Object.entries(layouts[group]!))
      policy[`${group}/${name}`] = f32(shape, store.view(group, name, group === 'head' ? 'target' : 'value'))
  await writeSafetensors(join(directory, POLICY_FILE), policy)
  const rest: Record<string, SafeTensor> = {}
  for (const group of Object.keys(layouts))
    for (const kind of kindsOf(group)) {
      const data = store.flat(group, kind)
      rest[`${group}/${kind}`] = f32([data.length], data)
    }
  await writeSafetensors(join(directory, LEARNER_FILE), rest, { state: JSON.stringify(state) })
}

/** Fills the store. @throws InputError if the files are damaged or of other networks */
export async function loadLearner(
  directory: string,
  store: ParameterStore,
  layouts: Record<string, Layout>,
): Promise<LearnerState> {
  const path = join(directory, LEARNER_FILE)
  const file = await readSafetensors(path)
  for (const group of Object.keys(layouts))
    for (const kind of kindsOf(group)) {
      const own = store.flat(group, kind)
      const saved = floatTensor(file, `${group}/${kind}`, path)
      expectSize(`${path}, ${group}/${kind}`, saved.length, own.length)
      own.set(saved)
    }
  const state = JSON.parse(file.metadata.state ?? 'null') as LearnerState | null
  if (!state)
    throw new InputError(path, 'has no learner state in its metadata', 'Use a checkpoint that `duet train` wrote')
  for (const [group, steps] of Object.entries(state.steps)) store.steps[group] = steps
  return state
}

/** The actors' parameters as flat runs, for `Policy.setParameters`. @throws InputError on a file of other networks */
export async function readPolicy(
  directory: string,
  layouts: Record<'head' | 'refine', Layout>,
): Promise<ActorParameters> {
  const path = join(directory, POLICY_FILE)
  const file = await readSafetensors(path)
  const read = (group: 'head' | 'refine') => {
    const parts = Object.entries(layouts[group]).map(([name, { shape }]) => {
      const data = floatTensor(file, `${group}/${name}`, path)
      expectSize(
        `${path}, ${group}/${name}`,
        data.length,
        shape.reduce((a, b) => a * b, 1),
      )
      return data
    })
    const flat = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (const part of parts) {
      flat.set(part, at)
      at += part.length
    }
    return flat
  }
  return { head: read('head'), refine: read('refine') }
}

const kindsOf = (group: string): readonly Kind[] => (group === 'refine' ? KINDS.slice(0, 3) : KINDS)

function expectSize(where: string, got: number, wanted: number): void {
  if (got !== wanted)
    throw new InputError(
      where,
      `has ${got} parameters, this config makes ${wanted}`,
      'Use the config.yaml that lies with the checkpoint',
    )
}
