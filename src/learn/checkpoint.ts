/** @file What the learner writes to disk and reads back: the actors for acting, everything for continuing. */
import { join } from 'node:path'
import { InputError } from '../errors.ts'
import { floatTensor, readSafetensors, type SafeTensor, writeSafetensors } from '../formats/safetensors.ts'
import type { ParameterStore } from '../graph/index.ts'
import type { Layout } from '../nets/index.ts'
import type { StreamState } from '../random/stream.ts'
import type { ByActor } from './actors.ts'
import type { ParameterGroup } from './method.ts'
import type { ActorParameters } from './policy.ts'

export const POLICY_FILE = 'policy.safetensors'
export const LEARNER_FILE = 'learner.safetensors'

export type LearnerState = {
  updates: number
  steps: Record<string, number> // Adam steps by group
  streams: Record<string, StreamState>
}

/** Both files; each appears whole or not at all. `acting`: what the policy needs, as it acts. */
export async function saveLearner(
  directory: string,
  store: ParameterStore,
  groups: Record<string, ParameterGroup>,
  acting: ActorParameters,
  state: LearnerState,
): Promise<void> {
  const f32 = (shape: readonly number[], data: Float32Array): SafeTensor => ({ dtype: 'F32', shape, data })
  const policy: Record<string, SafeTensor> = {}
  for (const [group, flat] of Object.entries(acting)) {
    let at = 0
    for (const [name, { shape }] of Object.entries(groups[group]!.layout)) {
      const size = sizeOf(shape)
      policy[`${group}/${name}`] = f32(shape, flat.subarray(at, at + size))
      at += size
    }
  }
  await writeSafetensors(join(directory, POLICY_FILE), policy)
  const rest: Record<string, SafeTensor> = {}
  for (const group of store.names)
    for (const kind of savedKinds(store, group)) {
      const data = store.flat(group, kind)
      rest[`${group}/${kind}`] = f32([data.length], data)
    }
  await writeSafetensors(join(directory, LEARNER_FILE), rest, { state: JSON.stringify(state) })
}

/** Fills the store. @throws InputError if the files are damaged or of other networks */
export async function loadLearner(directory: string, store: ParameterStore): Promise<LearnerState> {
  const path = join(directory, LEARNER_FILE)
  const file = await readSafetensors(path)
  for (const group of store.names)
    for (const kind of savedKinds(store, group)) {
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
export async function readPolicy(directory: string, layouts: ByActor<Layout>): Promise<ActorParameters> {
  const path = join(directory, POLICY_FILE)
  const file = await readSafetensors(path)
  const read = (group: string, layout: Layout) => {
    const parts = Object.entries(layout).map(([name, { shape }]) => {
      const data = floatTensor(file, `${group}/${name}`, path)
      expectSize(`${path}, ${group}/${name}`, data.length, sizeOf(shape))
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
  return Object.fromEntries(Object.entries(layouts).map(([group, layout]) => [group, read(group, layout)]))
}

/** The parameters of one group as they learn, [layout size]. @throws InputError if the checkpoint lacks the group or has another size */
export async function readGroup(directory: string, group: string, layout: Layout): Promise<Float32Array> {
  const path = join(directory, LEARNER_FILE)
  const values = floatTensor(await readSafetensors(path), `${group}/value`, path)
  const wanted = Object.values(layout).reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  expectSize(`${path}, ${group}/value`, values.length, wanted)
  return values
}

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)

/** Gradients are made anew in every step. */
const savedKinds = (store: ParameterStore, group: string) => store.kinds(group).filter((kind) => kind !== 'gradient')

function expectSize(where: string, got: number, wanted: number): void {
  if (got !== wanted)
    throw new InputError(
      where,
      `has ${got} parameters, this config makes ${wanted}`,
      'Use the config.yaml that lies with the checkpoint',
    )
}
