/**
 * @file Sends a dataset or a policy to the Hugging Face Hub: what is there already is not sent again, so a push that broke off goes on
 * where it stopped. The tag comes last: LeRobot, which asks for it, never sees half a dataset.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { CommitOperation, RepoDesignation } from '@huggingface/hub'
import { InputError } from '../../errors.ts'
import { checksumOf } from './download.ts'
import { Interruption, PATIENCE, type Patience, persevere, reasonOf } from './line.ts'
import { fetchThrough } from './proxies.ts'
import { type Pushable, type PushKind, pushable } from './pushable.ts'
import { isRepository } from './repository.ts'
import { type HubSettings, hubSettings } from './settings.ts'
import { HUB } from './token.ts'

const FILES = 50 // of a commit, at most
const BYTES = 500e6

export type PushOptions = {
  private?: boolean
  settings?: HubSettings
  patience?: Patience
  onProgress?: (done: number, total: number) => void // files
}

export type Pushed = { url: string; sent: number; there: number; removed: number; tag?: string }

const TRANSIENT = [408, 429, 500, 502, 503, 504]

/** @throws InputError that says what folder, token, network or Hub have against it; the token is in no message */
export async function push(
  kind: PushKind,
  folder: string,
  repository: string,
  options: PushOptions = {},
): Promise<Pushed> {
  if (!isRepository(repository) || !repository.includes('/'))
    throw new InputError(`repository "${repository}"`, 'is no name of one', 'Write owner/name')
  const found = await pushable(kind, folder)
  const { settings = hubSettings() } = options
  if (settings.offline) throw new InputError(repository, 'cannot be reached: HF_HUB_OFFLINE is set', 'Unset it')
  const line = new Line(kind, repository, settings, options.patience ?? PATIENCE)
  await line.create(options.private ?? false)
  const there = await line.files()
  const open: string[] = []
  for (const file of found.files) {
    const known = there.get(file)
    if (!known || (await checksumOf(join(folder, file), known)) !== known) open.push(file)
  }
  const gone = [...there.keys()].filter((path) => found.owns(path) && !found.files.includes(path))
  const done = found.files.length - open.length
  let sent = 0
  for (const batch of batchesOf(folder, open, gone)) {
    await line.commit(batch, `Duet: ${kind}`)
    sent += batch.filter(({ operation }) => operation === 'addOrUpdate').length
    options.onProgress?.(done + sent, found.files.length)
  }
  if (found.tag !== undefined) await line.tag(found.tag)
  return { url: line.page, sent, there: done, removed: gone.length, ...tagged(found) }
}

const tagged = ({ tag }: Pushable) => (tag === undefined ? {} : { tag })

/** What goes out of the repository goes with the last batch. */
function batchesOf(folder: string, files: readonly string[], gone: readonly string[]): CommitOperation[][] {
  const batches: CommitOperation[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const file of files) {
    const { size } = statSync(join(folder, file))
    if (bytes + size > BYTES || batches.at(-1)!.length === FILES) {
      batches.push([])
      bytes = 0
    }
    bytes += size
    const content = pathToFileURL(join(folder, file))
    batches.at(-1)!.push({ operation: 'addOrUpdate', path: file, content })
  }
  const removals = gone.map((path): CommitOperation => ({ operation: 'delete', path }))
  if (removals.length > 0) batches.push([...(batches.pop() ?? []), ...removals])
  return batches
}

/** Requests about one repository. */
class Line {
  private readonly repo: Repo
  private readonly token: string

  constructor(
    private readonly kind: PushKind,
    private readonly repository: string,
    private readonly settings: HubSettings,
    private readonly patience: Patience,
  ) {
    const { token } = settings
    if (token === undefined)
      throw new InputError(
        'HF_TOKEN',
        'is not set, and nobody may write without',
        `Make a token: ${HUB}/settings/tokens`,
      )
    if (!token.startsWith('hf_'))
      throw new InputError(
        'HF_TOKEN',
        'is no token of the Hub: those begin with hf_',
        `Copy it from ${HUB}/settings/tokens`,
      )
    this.token = token
    this.repo = { type: kind === 'dataset' ? 'dataset' : 'model', name: repository }
  }

  get page(): string {
    return [this.settings.endpoint, ...(this.kind === 'dataset' ? ['datasets'] : []), this.repository].join('/')
  }

  /** One that is there is left as it is. */
  async create(hidden: boolean): Promise<void> {
    const { createRepo } = await import('@huggingface/hub')
    const visibility = hidden ? 'private' : 'public'
    await this.ask((rest) => createRepo({ ...rest, visibility }), [409])
  }

  /** Checksums by path: git's of small files, SHA-256 of large ones. */
  async files(): Promise<Map<string, string>> {
    const { listFiles } = await import('@huggingface/hub')
    const list = async (rest: Rest) => {
      const found = new Map<string, string>()
      for await (const { type, path, oid, lfs } of listFiles({ ...rest, recursive: true }))
        if (type === 'file') found.set(path, lfs?.oid ?? oid ?? '')
      return found
    }
    return (await this.ask(list, [404])) ?? new Map() // one without a commit has no files
  }

  async commit(operations: CommitOperation[], title: string): Promise<void> {
    const { commit } = await import('@huggingface/hub')
    await this.ask((rest) => commit({ ...rest, title, operations, useXet: false }))
  }

  /** One of that name is moved: to the newest commit. */
  async tag(name: string): Promise<void> {
    const at = `${this.settings.endpoint}/api/${this.repo.type}s/${this.repository}/tag`
    const headers = { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' }
    const send = async (method: string, revision: string, body?: string) => {
      const response = await this.fetch(`${at}/${encodeURIComponent(revision)}`, { method, headers, body })
      if (!response.ok) throw Object.assign(new Error(await response.text()), { statusCode: response.status })
    }
    await this.ask(() => send('DELETE', name), [404])
    await this.ask(() => send('POST', 'main', JSON.stringify({ tag: name })))
  }

  /** Tries again what may go better; answers undefined where the Hub answers what is `expected`. */
  private async ask<T>(request: (rest: Rest) => Promise<T>, expected: readonly number[] = []): Promise<T | undefined> {
    const { endpoint, token } = { ...this.settings, token: this.token }
    const rest = { repo: this.repo, accessToken: token, hubUrl: endpoint, fetch: this.fetch }
    const attempt = async () => {
      try {
        return await request(rest)
      } catch (error) {
        const { statusCode } = error as { statusCode?: number }
        if (statusCode !== undefined && expected.includes(statusCode)) return undefined
        throw this.told(error, statusCode)
      }
    }
    return persevere(attempt, this.patience, this.repository)
  }

  private readonly fetch = ((input: string | URL, init?: RequestInit) => {
    const url = new URL(input)
    const proxy = this.settings.proxies?.(url)
    return proxy ? fetchThrough(proxy, url, init ?? {}) : fetch(url, init)
  }) as typeof fetch

  /** What went wrong, in words; neither the token nor an address that lets in is among them. */
  private told(error: unknown, status: number | undefined): Error {
    const host = new URL(this.settings.endpoint).host
    const said = reasonOf(error).replaceAll(this.token, '...').replace(/\?\S+/g, '')
    if (status === undefined)
      return error instanceof InputError ? error : new Interruption(`${host}: ${said}`, 0, { cause: error })
    if (TRANSIENT.includes(status)) return new Interruption(`${host} answered ${status}`)
    const remedy =
      status === 401 || status === 403
        ? `Make a token that may write to ${this.repository}: ${HUB}/settings/tokens`
        : 'Check the name of the repository and HF_ENDPOINT'
    return new InputError(this.repository, `${host} answered ${status} (${said})`, remedy)
  }
}

type Repo = Exclude<RepoDesignation, string>
type Rest = { repo: Repo; accessToken: string; hubUrl: string; fetch: typeof fetch }
