/** @file What is on this disk of the published models, without asking the network. */
import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { InputError } from '../../errors.ts'
import { cachedRepositories, RepositoryCache } from './cache.ts'
import {
  CATALOGUE,
  type HubModel,
  isModel,
  type ModelName,
  type ReleaseFile,
  type RepositoryFiles,
  repositoryOf,
  type WantedFiles,
} from './catalogue.ts'
import { baseOf, isPath, isRepository, repositoryInPath } from './repository.ts'
import { type HubSettings, hubSettings } from './settings.ts'

export type Found = {
  path: string // folder of the snapshot, or the file
  revision: string // commit; of a file its checksum
  bytes: number
  missing: readonly string[] // files; none: it can be used
}

const sizeOf = async (path: string): Promise<number | undefined> => {
  const found = await stat(path).catch(() => undefined)
  return found?.isFile() ? found.size : undefined
}

/** What the cache holds of a model, complete or not; undefined if there is nothing. */
export async function findModel(
  name: ModelName,
  settings = hubSettings(),
  revision?: string,
): Promise<Found | undefined> {
  const model = CATALOGUE[name]
  if (model.kind === 'release') return findRelease(model, name, settings)
  return findSnapshot(model, settings, { revision, named: model.named })
}

export const releasePath = ({ file }: ReleaseFile, name: ModelName, { assets }: HubSettings): string =>
  join(assets, 'duet', name, 'default', file)

async function findRelease(model: ReleaseFile, name: ModelName, settings: HubSettings): Promise<Found | undefined> {
  for (const path of [releasePath(model, name, settings), join(homedir(), '.serl', model.file)]) {
    const bytes = await sizeOf(path)
    if (bytes !== undefined) return { path, revision: model.sha256, bytes, missing: [] }
  }
  return undefined
}

type SnapshotOptions = { revision?: string; named?: HubModel['named'] }

/** Without a revision that of `main` comes before others, and complete ones before incomplete ones. */
export async function findSnapshot(
  wanted: RepositoryFiles,
  settings: HubSettings,
  { revision, named }: SnapshotOptions = {},
): Promise<Found | undefined> {
  const cache = new RepositoryCache(settings.cache, wanted.repository)
  const commit = revision === undefined ? undefined : await cache.commitOf(revision)
  let best: Found | undefined
  for (const each of await cache.commits()) {
    if (revision !== undefined && each !== commit) continue
    const found = await examine(cache.snapshot(each), each, wanted, settings, named)
    if (found.missing.length === 0) return found
    best ??= found
  }
  return best
}

async function examine(
  path: string,
  revision: string,
  { repository, files, optional = [] }: RepositoryFiles,
  settings: HubSettings,
  named: HubModel['named'],
): Promise<Found> {
  const more = (await named?.(path)) ?? { files: [], companions: [] }
  let bytes = 0
  const missing: string[] = []
  for (const file of [...files, ...more.files, ...optional]) {
    const size = await sizeOf(join(path, file))
    if (size === undefined && !optional.includes(file)) missing.push(`${repository}, ${file}`)
    bytes += size ?? 0
  }
  for (const companion of more.companions) {
    const found = await findSnapshot(companion, settings)
    bytes += found?.bytes ?? 0
    missing.push(...(found?.missing ?? companion.files.map((file) => `${companion.repository}, ${file}`)))
  }
  return { path, revision, bytes, missing }
}

/**
 * A model that a config names, as the cache has it: by its repository, or, where the config has a path of another
 * machine, by the repository that the path leads into, or else by the path's last part under any owner.
 */
export async function findNamed(
  name: string,
  wanted: WantedFiles,
  settings = hubSettings(),
  revision?: string,
): Promise<Found | undefined> {
  for (const repository of await repositoriesNamed(name, settings)) {
    const found = await findSnapshot({ repository, ...wanted }, settings, { revision })
    if (found?.missing.length === 0) return found
  }
  return undefined
}

async function repositoriesNamed(name: string, { cache }: HubSettings): Promise<string[]> {
  if (!isPath(name)) return isRepository(name) ? [repositoryOf(name, name)] : []
  const inPath = repositoryInPath(name)
  if (inPath !== undefined) return [inPath]
  return (await cachedRepositories(cache)).filter((repository) => baseOf(repository) === baseOf(name))
}

/** Where a pulled model lies. `where` names who asks. @throws InputError with the command that fetches it */
export async function pulledPath(name: ModelName, where: string, settings = hubSettings()): Promise<string> {
  const found = await findModel(name, settings)
  if (found?.missing.length === 0) return found.path
  const what = found
    ? `${name} is incomplete in ${settings.cache} (missing: ${found.missing.join('; ')})`
    : `${name} is not in ${settings.cache}`
  throw new InputError(where, what, `Fetch it with \`duet pull ${name}\`, or give the folder with its files`)
}

/** A path as it is; the name of a pulled model as the path where it lies. @throws InputError if it was not pulled */
export async function fileOrPulled(path: string | undefined): Promise<string | undefined> {
  return path !== undefined && isModel(path) && !existsSync(path) ? pulledPath(path, path) : path
}
