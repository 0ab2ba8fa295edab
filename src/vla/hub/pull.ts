/** @file Brings a published model to this machine: into the Hub's cache, or into a folder. */
import { mkdir, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { InputError } from '../../errors.ts'
import { refusePointer } from '../../formats/lfs-pointer.ts'
import { RepositoryCache } from './cache.ts'
import { CATALOGUE, type HubModel, type ModelName, type ReleaseFile, type RepositoryFiles } from './catalogue.ts'
import { checksumOf, diskError, download, firstBytes, PARTIAL } from './download.ts'
import { findModel, releasePath } from './find.ts'
import { PATIENCE, type Patience } from './line.ts'
import { describeFile, fileAddress, type RemoteFile } from './repository.ts'
import { type HubSettings, hubSettings } from './settings.ts'

export type PullOptions = {
  revision?: string // branch, tag or commit; 'main'
  folder?: string // takes the files in place of the cache; what is in it already is checked and kept
  settings?: HubSettings
  patience?: Patience
  onProgress?: (file: string, done: number, total: number) => void // bytes
  freeBytes?: (folder: string) => Promise<number>
}

export type Pulled = { path: string; revision: string; fetchedBytes: number; files: number }

type Job = Required<Omit<PullOptions, 'folder'>> & { folder?: string; fetchedBytes: number; files: number }

/** @throws InputError that says what the network, the Hub, the licence or the disk has against it */
export async function pull(name: ModelName, options: PullOptions = {}): Promise<Pulled> {
  const { settings = hubSettings(), revision = 'main' } = options
  if (!/^(?!.*\.\.)\w[\w./-]*$/.test(revision))
    throw new InputError(`revision "${revision}"`, 'is no name of a revision', 'Give a branch, a tag or a commit')
  const job: Job = {
    patience: PATIENCE,
    onProgress: () => undefined,
    freeBytes: freeBytesOf,
    ...options,
    settings,
    revision,
    fetchedBytes: 0,
    files: 0,
  }
  const model = CATALOGUE[name]
  const { path, commit } =
    model.kind === 'release' ? await pullRelease(name, model, job) : await pullModel(name, model, job)
  return { path, revision: commit, fetchedBytes: job.fetchedBytes, files: job.files }
}

type Arrived = { path: string; commit: string }

/** The repository, the files that its config names, and the models that it names. */
async function pullModel(name: ModelName, model: HubModel, job: Job): Promise<Arrived> {
  if (job.settings.offline && job.folder === undefined) return offline(name, model, job)
  const arrived = await pullFiles(model, job.revision, job, job.folder)
  const named = await model.named?.(arrived.path)
  if (named?.files.length)
    await pullFiles({ repository: model.repository, files: named.files }, arrived.commit, job, job.folder)
  for (const { alias, ...companion } of named?.companions ?? []) {
    const { commit } = await pullFiles(companion, 'main', job, job.folder && join(job.folder, alias))
    if (job.folder === undefined) cacheOf(companion, job).remember('main', commit)
  }
  if (job.folder === undefined) cacheOf(model, job).remember(job.revision, arrived.commit) // now it is whole
  return arrived
}

const cacheOf = ({ repository }: RepositoryFiles, { settings }: Job) => new RepositoryCache(settings.cache, repository)

/** Nothing may be asked: what is cached has to be enough. */
async function offline(name: ModelName, model: HubModel, job: Job): Promise<Arrived> {
  const { settings, revision } = job
  const found = await findModel(name, settings, revision)
  if (found?.missing.length === 0) return { path: found.path, commit: found.revision }
  throw new InputError(
    `${model.repository}, revision ${revision}`,
    `is not in ${settings.cache}${found ? `: ${found.missing.join('; ')}` : ''}, and HF_HUB_OFFLINE forbids to fetch it`,
    'Unset HF_HUB_OFFLINE, or copy the cache of a machine that has it',
  )
}

/** Files of one commit. */
async function pullFiles(wanted: RepositoryFiles, revision: string, job: Job, folder?: string): Promise<Arrived> {
  const { repository, files, optional = [] } = wanted
  const { settings, patience } = job
  if (settings.offline) throw forbidden(repository)
  const found: RemoteFile[] = []
  let commit = revision
  for (const path of [...files, ...optional]) {
    const file = await describeFile(settings, repository, commit, path, patience)
    if (!file && !optional.includes(path))
      throw new InputError(repository, `has no file ${path} at ${commit}`, 'Choose another --revision')
    if (!file) continue
    commit = file.commit
    found.push(file)
  }
  const cache = cacheOf(wanted, job)
  const targetOf = ({ path, checksum }: RemoteFile) =>
    folder === undefined ? cache.blob(checksum) : join(folder, path)
  const open: { file: RemoteFile; target: string }[] = []
  for (const file of found) {
    const target = targetOf(file)
    if (!(await isThere(target, file, folder !== undefined))) open.push({ file, target })
    else if (folder === undefined) await name(cache, file)
  }
  await requireSpace(open, job)
  for (const { file, target } of open) {
    await download(target, file, {
      url: fileAddress(settings, repository, commit, file.path),
      token: settings.token,
      proxies: settings.proxies,
      where: `${repository}, ${file.path}`,
      patience,
      onBytes: (done, total) => job.onProgress(file.path, done, total),
    })
    job.fetchedBytes += file.size
    if (folder === undefined) await name(cache, file)
  }
  job.files += found.length
  return { path: folder ?? cache.snapshot(commit), commit }
}

/** A snapshot that is not whole yet is seen as such by `duet doctor`. */
async function name(cache: RepositoryCache, { checksum, commit, path }: RemoteFile): Promise<void> {
  await cache.name(checksum, commit, path).catch((error: unknown) => {
    throw diskError(error, cache.snapshot(commit))
  })
}

const forbidden = (what: string) =>
  new InputError(what, 'cannot be fetched: HF_HUB_OFFLINE is set', 'Unset it, or give the files by --vla-path')

/**
 * Whether a file need not be fetched. The cache names files by their checksums, so their size is enough; in a folder of
 * one's own the content counts. @throws InputError if the folder holds another file under this name
 */
async function isThere(target: string, { size, checksum, path }: RemoteFile, own: boolean): Promise<boolean> {
  const present = await stat(target).catch(() => undefined)
  if (!present) return false
  if (!own) return present.size === size
  if (present.size === size && (await checksumOf(target, checksum)) === checksum) return true
  refusePointer(target, await firstBytes(target), `Delete it: the published ${path} takes its place`)
  throw new InputError(target, `is not the published ${path}`, 'Move it away, or pull into another folder')
}

/** @throws InputError before anything is fetched, if the disk cannot take it */
async function requireSpace(open: readonly { file: RemoteFile; target: string }[], job: Job): Promise<void> {
  const [first] = open
  if (!first) return
  let needed = 0
  for (const { file, target } of open) {
    const begun = await stat(target + PARTIAL).catch(() => undefined)
    needed += Math.max(0, file.size - (begun?.size ?? 0))
  }
  const disk = dirname(first.target)
  await mkdir(disk, { recursive: true }).catch((error: unknown) => {
    throw diskError(error, disk)
  })
  const free = await job.freeBytes(disk)
  if (needed > free)
    throw new InputError(
      first.file.repository,
      `needs ${megabytes(needed)}, ${disk} has ${megabytes(free)} left`,
      'Make room, or set HF_HOME to another disk',
    )
}

/** Infinite where the file system does not say: then a full disk shows itself while it is written. */
const freeBytesOf = (folder: string): Promise<number> =>
  statfs(folder).then(
    ({ bavail, bsize, blocks }) => (blocks > 0 ? bavail * bsize : Number.POSITIVE_INFINITY),
    () => Number.POSITIVE_INFINITY,
  )

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`

async function pullRelease(name: ModelName, model: ReleaseFile, job: Job): Promise<Arrived> {
  const { settings, folder, patience } = job
  const found = folder === undefined ? await findModel(name, settings) : undefined
  if (found) return { path: found.path, commit: found.revision }
  const path = folder === undefined ? releasePath(model, name, settings) : join(folder, model.file)
  const present = await stat(path).catch(() => undefined)
  if (present && (await checksumOf(path, model.sha256)) !== model.sha256)
    throw new InputError(path, `is not the published ${model.file}`, 'Move it away, or pull into another folder')
  if (!present) {
    if (settings.offline) throw forbidden(model.url)
    let bytes = 0
    const onBytes = (done: number, total: number) => {
      bytes = total
      job.onProgress(model.file, done, total)
    }
    await download(
      path,
      { checksum: model.sha256 },
      {
        url: model.url,
        proxies: settings.proxies,
        where: model.url,
        patience,
        onBytes,
      },
    )
    job.fetchedBytes = bytes
  }
  job.files = 1
  return { path, commit: model.sha256 }
}
