/** @file What all published encoders ask of their files. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import type { z } from 'zod'
import { InputError } from '../errors.ts'
import type { TensorFile } from '../formats/tensor-file.ts'
import { type Storage, stored } from '../graph/index.ts'
import type { Parameters } from '../nets/parameters.ts'
import { modelOf, TOKENIZER, type WantedFiles } from './hub/catalogue.ts'
import { findNamed } from './hub/find.ts'
import { baseOf, isPath } from './hub/repository.ts'
import { hubSettings } from './hub/settings.ts'

/** sha256 of a file, in hex; one pass. */
export async function fileHash(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Buffer)
  return hash.digest('hex')
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

/** What is wanted of a second model: its files, and the folder that it has inside the first one's where all lies in one. */
export type Second = { alias: string; wanted: WantedFiles }

/** Sizes and tokenizer. */
export const tokenizerAs = (alias: string): Second => ({ alias, wanted: TOKENIZER })

/** Sizes and weights. */
export const policyAs = (alias: string): Second => ({ alias, wanted: { files: ['config.json', 'model.safetensors'] } })

/**
 * The folder of a second model that a config names, by a repository or by a path: where the path leads, inside the
 * first of `folders` as its alias, inside any of them under its name or the name's last part, beside them, where the
 * name leads from here, or in the Hub's cache. It is recognised by its config.json. @throws InputError if it is in none of them
 */
export async function findCompanion(
  folders: readonly [string, ...string[]],
  { alias, wanted }: Second,
  name: string,
  { where = join(folders[0], 'config.json'), revision }: { where?: string; revision?: string } = {},
): Promise<string> {
  const base = baseOf(name)
  const path = isPath(name) ? [resolve(name.replace(/^~(?=[\\/])/, homedir()))] : []
  const inside = [alias, ...(isAbsolute(name) ? [] : [name]), base]
  const near = folders.flatMap((folder) => [...inside.map((part) => join(folder, part)), join(dirname(folder), base)])
  const here = isPath(name) || !name ? [] : [resolve(name)] // as training was started: outputs/train/...
  const candidates = [...new Set([...path, ...near, ...here])].filter((candidate) => !folders.includes(candidate))
  for (const candidate of candidates)
    if ((await stat(join(candidate, 'config.json')).catch(() => undefined))?.isFile()) return candidate
  const settings = hubSettings()
  const found = await findNamed(name, wanted, settings, revision)
  if (found) return found.path
  const version = revision === undefined ? '' : `, revision ${revision}`
  throw new InputError(
    where,
    `names the model ${name}${version}, whose config.json is in none of ${candidates.join(', ')}, and not in the Hub's cache ${settings.cache}`,
    remedyFor(name, wanted, join(folders[0], alias)),
  )
}

function remedyFor(name: string, { files }: WantedFiles, folder: string): string {
  const put = `ut its ${files.join(' and ')} into ${folder}`
  const model = modelOf(name)
  return model === undefined ? `P${put}` : `Fetch it with \`duet pull ${model}\`, or p${put}`
}
