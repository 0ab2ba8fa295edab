/** @file What a folder gives to the Hub: a LeRobot dataset, or an exported policy; anything else is refused before a request is made. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'
import { z } from 'zod'
import { InputError, systemError } from '../../errors.ts'
import { readJson } from '../../formats/json.ts'

export type PushKind = 'dataset' | 'policy'

/** `files`: their paths in folder and repository, in the order of sending. `tag`: what the commit is to be called. */
export type Pushable = { files: string[]; owns: (path: string) => boolean; tag?: string }

const Info = z.object({ codebase_version: z.string(), total_episodes: z.int().min(1) })
const INFO = 'meta/info.json'
const PARTS = ['data', 'meta', 'videos']

/** @throws InputError if the folder is no such thing */
export const pushable = (kind: PushKind, folder: string): Promise<Pushable> =>
  kind === 'dataset' ? datasetIn(folder) : policyIn(folder)

/** info.json goes last: what it counts is there by then. */
async function datasetIn(folder: string): Promise<Pushable> {
  const remedy = 'Give a LeRobot dataset, as `duet export lerobot` writes it'
  if (!existsSync(join(folder, INFO))) throw new InputError(folder, `is no dataset: it has no ${INFO}`, remedy)
  const read = Info.safeParse(await readJson(join(folder, INFO), remedy))
  if (!read.success) {
    const [issue] = read.error.issues
    throw new InputError(`${join(folder, INFO)}, ${issue!.path.join('.')}`, issue!.message, remedy)
  }
  const { codebase_version: tag } = read.data
  if (!/^v3\.\d+$/.test(tag))
    throw new InputError(
      join(folder, INFO),
      `is of version ${tag}, and LeRobot loads v3.0`,
      'Convert the dataset first',
    )
  const wanted = /\.(?:parquet|json|mp4)$/
  const files = PARTS.flatMap((part) => filesUnder(folder, part)).filter((file) => wanted.test(file))
  if (!files.some((file) => file.startsWith('data/')))
    throw new InputError(join(folder, 'data'), 'holds no Parquet file', remedy)
  const card = existsSync(join(folder, 'README.md')) ? ['README.md'] : []
  return { files: [...files.filter((file) => file !== INFO), ...card, INFO], owns: isPart, tag }
}

const isPart = (path: string) => PARTS.some((part) => path.startsWith(`${part}/`))

async function policyIn(folder: string): Promise<Pushable> {
  const files = filesUnder(folder, '.').filter((file) => /\.(?:onnx|json|ya?ml|md|py)$/.test(file))
  if (!files.some((file) => file.endsWith('.onnx')))
    throw new InputError(
      folder,
      'is no policy: it has no .onnx file',
      'Give the folder that `duet export policy` wrote',
    )
  return { files: files.sort((a, b) => Number(a === 'README.md') - Number(b === 'README.md')), owns: () => false }
}

/** Files only, with slashes, in order. */
function filesUnder(folder: string, part: string): string[] {
  const root = join(folder, part)
  if (!existsSync(root)) return []
  try {
    return (readdirSync(root, { recursive: true }) as string[])
      .map((name) => (part === '.' ? name : join(part, name)))
      .filter((name) => statSync(join(folder, name)).isFile())
      .map((name) => name.split(sep).join('/'))
      .sort()
  } catch (error) {
    throw systemError(error, root) ?? error
  }
}
