/** @file What all published encoders ask of their files. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { z } from 'zod'
import { InputError } from '../errors.ts'
import type { TensorFile } from '../formats/tensor-file.ts'
import { type Storage, stored } from '../graph/index.ts'
import type { Parameters } from '../nets/parameters.ts'
import { tokenizerFiles } from './hub/catalogue.ts'
import { findSnapshot } from './hub/find.ts'
import { isRepository } from './hub/repository.ts'
import { hubSettings } from './hub/settings.ts'

/** sha256 of a file, in hex; one pass. */
export async function fileHash(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Buffer)
  return hash.digest('hex')
}

/** @throws InputError with the remedy */
export async function readJson(path: string, remedy: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw new InputError(path, `cannot be read (${(cause as Error).message})`, remedy, { cause })
  }
}

/** Graph leaves for the tensors of `plan`, by name, that point into the file. @throws InputError where a tensor cannot be mapped */
export async function storedTensors(
  file: TensorFile,
  plan: Readonly<Record<string, readonly number[]>>,
): Promise<Parameters> {
  const real = new Map<string, string>() // links of a download cache are followed: the runtime maps plain files only
  const leaves: [string, ReturnType<typeof stored>][] = []
  for (const [name, shape] of Object.entries(plan)) {
    const place = file.place(name)
    const { dtype } = file.tensors.get(name)!
    if (!place || dtype === 'F64')
      throw new InputError(
        `${file.path}, tensor "${name}"`,
        place ? `is ${dtype}` : 'is stored in pieces',
        'Store it in one piece, as F32, F16 or BF16',
      )
    if (!real.has(place.path)) real.set(place.path, await realpath(place.path))
    const storage = { path: real.get(place.path)!, offset: place.offset, dtype: dtype as Storage['dtype'] }
    leaves.push([name, stored(storage, shape)])
  }
  return Object.fromEntries(leaves)
}

/** @throws InputError naming the first field that does not fit */
export function parseJson<T>(schema: z.ZodType<T>, json: unknown, where: string, remedy: string): T {
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new InputError(`${where}: ${issue!.path.join('.')}`, issue!.message, remedy)
}

/**
 * The folder of a second model that a config names: inside `folder` as `alias`, under its name or the name's last part,
 * beside `folder`, or in the Hub's cache. @throws InputError if it is in none
 */
export async function findCompanion(folder: string, alias: string, name: string): Promise<string> {
  const inside = [alias, name, basename(name)].map((part) => join(folder, part))
  const candidates = [...new Set([...inside, join(dirname(folder), basename(name))])]
  for (const candidate of candidates)
    if ((await stat(join(candidate, 'config.json')).catch(() => undefined))?.isFile()) return candidate
  const pulled = isRepository(name) ? await findSnapshot(tokenizerFiles(name), hubSettings()) : undefined
  if (pulled?.missing.length === 0) return pulled.path
  throw new InputError(
    join(folder, 'config.json'),
    `names the model ${name}, whose config.json is in none of ${candidates.join(', ')}, and not in the Hub's cache`,
    'Put its config.json and tokenizer into the first of them',
  )
}
