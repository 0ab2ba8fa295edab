/** @file What the Hub says about a file of a repository: its commit, size and checksum, or why it will not give it. */
import { InputError } from '../../errors.ts'
import { ask, type Patience, persevere } from './line.ts'
import type { HubSettings } from './settings.ts'

export type RemoteFile = { repository: string; path: string; commit: string; checksum: string; size: number }

const COMMIT = /^[0-9a-f]{40}$/
const CHECKSUM = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/

export const isCommit = (revision: string): boolean => COMMIT.test(revision)

/** `owner/name`, or a name alone as early models have it; nothing that could lead out of the cache. */
export const isRepository = (name: string): boolean => /^(?!.*\.\.)\w[\w.-]*(?:\/\w[\w.-]*)?$/.test(name)

/** Whether a name is a path from the root, a drive or home of the machine that wrote it, whatever its system. */
export const isAbsolutePath = (name: string): boolean => /^(?:[\\/~]|[A-Za-z]:[\\/])/.test(name)

/** Whether a config's name of a model is a path, not a repository. */
export const isPath = (name: string): boolean => isAbsolutePath(name) || /^\.{1,2}[\\/]/.test(name)

/** The last part of a name or path, of any system. */
export const baseOf = (name: string): string => name.split(/[\\/]/).filter(Boolean).at(-1) ?? ''

/** The repository whose cache a path leads into: `.../models--owner--name/snapshots/<commit>`. */
export function repositoryInPath(path: string): string | undefined {
  const [, owner, name] = /(?:^|[\\/])models--([\w.-]+?)--([\w.-]+)/.exec(path) ?? []
  return owner === undefined ? undefined : `${owner}/${name}`
}

/** @throws InputError */
export function requireRepository(name: string, where: string): string {
  if (isRepository(name)) return name
  throw new InputError(where, `names the repository "${name}"`, 'Names of the Hub are of the form owner/name')
}

export const fileAddress = ({ endpoint }: HubSettings, repository: string, revision: string, path: string): string =>
  [endpoint, repository, 'resolve', encodeURIComponent(revision), ...path.split('/').map(encodeURIComponent)].join('/')

/** Undefined if the repository has no such file. @throws InputError with the Hub's reason, in words */
export async function describeFile(
  settings: HubSettings,
  repository: string,
  revision: string,
  path: string,
  patience: Patience,
): Promise<RemoteFile | undefined> {
  const where = `${repository}, ${path}`
  const url = fileAddress(settings, repository, revision, path)
  const { token, proxies } = settings
  const { response, passed, host, keptToken } = await persevere(
    () => ask({ url, method: 'HEAD', token, proxies, enough: saysAll, signal: AbortSignal.timeout(patience.silence) }),
    patience,
    where,
  )
  const { status } = response
  if (status >= 400) {
    if (status === 404 && response.headers.get('x-error-code') === 'EntryNotFound') return undefined
    if (keptToken && (status === 401 || status === 403))
      throw new InputError(
        where,
        `${settings.endpoint} sends to ${host}, which wants a token; yours goes to HF_ENDPOINT alone`,
        `Set HF_ENDPOINT to the address of ${host} if you trust it with the token`,
      )
    throw refusal(response, settings, repository, revision, where)
  }
  const said = (name: string) => [...passed, response.headers].map((headers) => headers.get(name)).find(Boolean)
  const commit = said('x-repo-commit') ?? ''
  const checksum = (said('x-linked-etag') ?? response.headers.get('etag') ?? '').replace(/^W\//, '').replace(/"/g, '')
  const size = Number(said('x-linked-size') ?? response.headers.get('content-length') ?? Number.NaN)
  if (!COMMIT.test(commit) || !CHECKSUM.test(checksum) || !Number.isSafeInteger(size))
    throw new InputError(
      url,
      'was answered without commit, checksum or size',
      `Check HF_ENDPOINT: ${settings.endpoint} does not speak as the Hub does`,
    )
  return { repository, path, commit, checksum, size }
}

/** A redirect to where large files are stored, which knows no commits: the Hub says all of the file beside it. */
const saysAll = (headers: Headers): boolean =>
  ['x-repo-commit', 'x-linked-etag', 'x-linked-size'].every((name) => headers.has(name))

function refusal(
  response: Response,
  { endpoint, token }: HubSettings,
  repository: string,
  revision: string,
  where: string,
): InputError {
  const code = response.headers.get('x-error-code') ?? ''
  const page = `${endpoint}/${repository}`
  const signIn = `Make a token at ${endpoint}/settings/tokens and set HF_TOKEN`
  if (code === 'GatedRepo')
    return new InputError(
      repository,
      'is given only to those who have accepted its licence',
      `Accept it at ${page}. ${token === undefined ? signIn : 'The token has to be of the account that accepted it'}`,
    )
  if (code === 'RepoNotFound')
    return new InputError(repository, `is not at ${endpoint}, or private`, `Check the name. ${signIn} if it is private`)
  if (code === 'RevisionNotFound')
    return new InputError(repository, `has no revision "${revision}"`, `Choose one of ${page}/commits/main`)
  if (response.status === 401)
    return new InputError(where, token === undefined ? 'needs a token' : 'is refused to this token', signIn)
  const said = response.headers.get('x-error-message')
  const why = `${new URL(endpoint).host} answered ${response.status}${said ? ` (${said})` : ''}`
  return new InputError(where, why, `See ${page}`)
}
