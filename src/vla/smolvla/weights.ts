/** @file SmolVLA's published files, checked against the plan before anything large is read; the weights stay in their file. */

import { InputError } from '../../errors.ts'
import { openSafetensors } from '../../formats/safetensors-file.ts'
import { requireTensors, type TensorFile } from '../../formats/tensor-file.ts'
import type { Parameters } from '../../nets/parameters.ts'
import { storedTensors } from '../files.ts'
import { readSmolVlaConfig, type SmolVlaConfig } from './config.ts'
import { smolVlaPlan, type TensorPlan, WORDS } from './plan.ts'
import { readScalings, type Scalings } from './preprocess.ts'

export type SmolVlaWeights = {
  config: SmolVlaConfig
  parameters: Parameters // leaves that point into the file
  scalings: Scalings
  vlmFolder: string // with the tokenizer
  path: string // of the weights
  /** Rows of the embedding table, [ids, width]. */
  embed(ids: ArrayLike<number>): Promise<Float32Array>
  close(): Promise<void>
}

/**
 * Opens the published files in `folder`. @throws InputError or ShapeError that names the first tensor which is missing,
 * of another shape, of integers, or unknown
 */
export async function openSmolVla(folder: string): Promise<SmolVlaWeights> {
  const { config, vlmFolder } = await readSmolVlaConfig(folder)
  const file = await openSafetensors(folder)
  try {
    const renamed = withoutPrefix(file)
    const plan = smolVlaPlan(config)
    requireKnown(renamed, plan)
    return {
      config,
      parameters: await storedTensors(renamed, plan),
      scalings: await readScalings(folder, config, file),
      vlmFolder,
      path: file.path,
      async embed(ids) {
        const rows = new Float32Array(ids.length * config.text.width)
        for (let i = 0; i < ids.length; i++) rows.set(await renamed.readRow(WORDS, ids[i]!), i * config.text.width)
        return rows
      },
      close: () => file.close(),
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Compiled models carry this in their tensors' names. */
const COMPILED = '_orig_mod.'

function withoutPrefix(file: TensorFile): TensorFile {
  const original = new Map([...file.tensors.keys()].map((name) => [name.replaceAll(COMPILED, ''), name]))
  const back = (name: string) => original.get(name) ?? name
  return {
    ...file,
    tensors: new Map([...original].map(([name, key]) => [name, file.tensors.get(key)!])),
    read: (name, into) => file.read(back(name), into),
    readRow: (name, row) => file.readRow(back(name), row),
    readBytes: (name) => file.readBytes(back(name)),
    place: (name) => file.place(back(name)),
  }
}

/** A tensor of the network that the plan lacks means another network; other tensors (old statistics) are none of ours. */
function requireKnown(file: TensorFile, plan: TensorPlan): void {
  const foreign = requireTensors(file, plan).find((name) => name.startsWith('model.'))
  if (foreign !== undefined)
    throw new InputError(
      `${file.path}, tensor "${foreign}"`,
      'is not part of a SmolVLA policy of these sizes',
      'Take the config.json that belongs to the weights',
    )
}
