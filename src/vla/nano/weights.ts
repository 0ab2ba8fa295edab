/** @file The nano encoder's files: weights.safetensors (half precision) and config.json in one folder. */
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InputError, ShapeError } from '../../errors.ts'
import { toHalf } from '../../float16.ts'
import { floatTensor, readSafetensors, type SafeTensor, writeSafetensors } from '../../formats/safetensors.ts'
import { NanoConfig } from './config.ts'
import { nanoLayout } from './model.ts'

/** The weights that come with the program. */
export const NANO_FOLDER = fileURLToPath(new URL('../../../models/nano', import.meta.url))

const WEIGHTS = 'weights.safetensors'
const CONFIG = 'config.json'

export type NanoWeights = { config: NanoConfig; values: Record<string, Float32Array>; hash: string }

/** Writes both files; the weights are rounded to half precision. */
export async function saveNano(
  folder: string,
  config: NanoConfig,
  values: Record<string, Float32Array>,
): Promise<void> {
  await mkdir(folder, { recursive: true })
  const tensors = Object.entries(nanoLayout(config)).map(([name, { shape }]): [string, SafeTensor] => [
    name,
    { dtype: 'F16', shape, data: Uint16Array.from(values[name]!, toHalf) },
  ])
  await writeFile(join(folder, CONFIG), `${JSON.stringify(config, null, 2)}\n`)
  await writeSafetensors(join(folder, WEIGHTS), Object.fromEntries(tensors), { format: 'duet-nano' })
}

/** @throws InputError on a missing, damaged or unfitting file; ShapeError if a tensor and the config disagree */
export async function loadNano(folder: string): Promise<NanoWeights> {
  const config = await readConfig(join(folder, CONFIG))
  const path = join(folder, WEIGHTS)
  const file = await readSafetensors(path)
  const values = Object.fromEntries(
    Object.entries(nanoLayout(config)).map(([name, { shape }]) => {
      const data = floatTensor(file, name, path)
      const stored = file.tensors[name]!.shape
      if (stored.join() !== shape.join())
        throw new ShapeError(`${path}: ${name}`, stored, shape, 'weights and config.json belong to different trainings')
      return [name, data]
    }),
  )
  const hash = createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
  return { config, values, hash }
}

async function readConfig(path: string): Promise<NanoConfig> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new InputError(path, 'cannot be read', 'Run `duet pretrain`, or check out models/nano again', { cause })
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new InputError(path, 'is not JSON', 'Run `duet pretrain`, or check out models/nano again', { cause })
  }
  const parsed = NanoConfig.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new InputError(`${path}: ${issue!.path.join('.')}`, issue!.message, 'Run `duet pretrain` again')
}
