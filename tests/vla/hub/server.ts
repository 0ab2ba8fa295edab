/**
 * @file A local server that speaks as the Hugging Face Hub does: small files through a redirect on the same host, large
 * ones through a redirect to another host (here: another port), commits and checksums in headers, and faults on demand.
 */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Fault =
  | 'breaks' // half of the body, then the connection is cut
  | 'stalls' // half of the body, then nothing
  | 'ends early' // half of the body, no length
  | 'busy' // 503
  | 'refuses ranges' // 416 to a range
  | 'ignores ranges' // 200 and the whole body
  | 'lies' // a flipped bit
  | 'chatters' // more bytes than announced
  | 'explains' // a page in place of the file

export type Seen = { host: 'hub' | 'store'; method: string; path: string; range?: string; token?: string }

type Repository = { commit: string; files: Map<string, Buffer>; gate?: number }

const LARGE = 20_000 // bytes; from here on a file is in the store

export class HubServer {
  readonly seen: Seen[] = []
  readonly repositories = new Map<string, Repository>()
  readonly renamed = new Map<string, string>()
  mute = false // answers 200 and nothing else, as a captive portal does
  readonly faults: { path: string; fault: Fault }[] = [] // each is used once, by the next request for the body
  private readonly hub = createServer((request, response) => this.answerHub(request, response))
  private readonly store = createServer((request, response) => this.answerStore(request, response))

  static async start(): Promise<HubServer> {
    const server = new HubServer()
    await Promise.all([listen(server.hub), listen(server.store)])
    server.endpoint = addressOf(server.hub)
    server.storeAddress = addressOf(server.store)
    return server
  }

  endpoint = ''

  /** Where large files are, and files that belong to no repository: /owner/name/path. */
  storeAddress = ''

  add(name: string, files: Record<string, Buffer | string>, commit = createHash('sha1').update(name).digest('hex')) {
    const contents = Object.entries(files).map(([path, data]): [string, Buffer] => [path, Buffer.from(data as Buffer)])
    this.repositories.set(name, { commit, files: new Map(contents) })
    return commit
  }

  bodies(): Seen[] {
    return this.seen.filter(({ method }) => method === 'GET')
  }

  /** Breaks what the store is sending. */
  cut(): void {
    this.store.closeAllConnections()
  }

  async stop(): Promise<void> {
    for (const server of [this.hub, this.store]) {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }

  private answerHub(request: IncomingMessage, response: ServerResponse): unknown {
    this.note('hub', request)
    if (this.mute) return response.writeHead(200).end()
    const resolved = /^\/api\/resolve-cache\/models\/(.+?)\/([0-9a-f]{40})\/(.+)$/.exec(request.url!)
    if (resolved) return this.send(request, response, decodeURIComponent(resolved[1]!), resolved[3]!, true)
    const [, name, revision, path] = /^\/(.+?)\/resolve\/([^/]+)\/(.+)$/.exec(request.url!) ?? []
    const now = this.renamed.get(name!)
    if (now) return redirect(response, 307, `/${now}/resolve/${revision}/${path}`)
    const repository = this.repositories.get(name!)
    if (!repository) return refuse(response, 401, 'RepoNotFound')
    if (repository.gate) return refuse(response, repository.gate, 'GatedRepo')
    if (revision !== 'main' && revision !== repository.commit) return refuse(response, 404, 'RevisionNotFound')
    const data = repository.files.get(path!)
    if (!data) return refuse(response, 404, 'EntryNotFound')
    response.setHeader('x-repo-commit', repository.commit)
    if (data.length < LARGE)
      return redirect(
        response,
        307,
        `/api/resolve-cache/models/${encodeURIComponent(name!)}/${repository.commit}/${path}`,
      )
    response.setHeader('x-linked-etag', `"${createHash('sha256').update(data).digest('hex')}"`)
    response.setHeader('x-linked-size', data.length)
    return redirect(response, 302, `${this.storeAddress}/${name}/${path}?signature=1`)
  }

  private answerStore(request: IncomingMessage, response: ServerResponse): void {
    this.note('store', request)
    const [, name, path] = /^\/([^/]+\/[^/]+)\/([^?]+)/.exec(request.url!) ?? []
    this.send(request, response, name!, path!, false)
  }

  private send(
    request: IncomingMessage,
    response: ServerResponse,
    name: string,
    path: string,
    small: boolean,
  ): unknown {
    const { commit, files } = this.repositories.get(name)!
    const data = files.get(path)!
    response.setHeader('x-repo-commit', commit)
    const blob = createHash('sha1').update(`blob ${data.length}\0`).update(data).digest('hex')
    response.setHeader('etag', small ? `"${blob}"` : '"of the store"')
    if (request.method === 'HEAD') return response.setHeader('content-length', data.length).end()
    const at = this.faults.findIndex((each) => each.path === path)
    const fault = at < 0 ? undefined : this.faults.splice(at, 1)[0]!.fault
    if (fault === 'busy') return response.writeHead(503, { 'retry-after': '0' }).end()
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')
    const start = range && fault !== 'ignores ranges' ? Number(range[1]) : 0
    if (range && (start >= data.length || fault === 'refuses ranges'))
      return response.writeHead(416, { 'content-range': `bytes */${data.length}` }).end()
    const body = data.subarray(start)
    const half = body.subarray(0, Math.floor(body.length / 2))
    const content = start > 0 ? { 'content-range': `bytes ${start}-${data.length - 1}/${data.length}` } : undefined
    const status = start > 0 ? 206 : 200
    if (fault === 'explains') return response.writeHead(200).end('<!DOCTYPE html><title>Sign in</title>')
    if (fault === 'ends early') return response.writeHead(status, content).end(half)
    if (fault === 'chatters') return response.writeHead(status, content).end(Buffer.concat([body, body]))
    response.writeHead(status, { 'content-length': body.length, ...content })
    if (fault === 'stalls') return response.write(half)
    if (fault === 'breaks') return response.write(half, () => setTimeout(() => response.destroy(), 20))
    if (fault !== 'lies') return response.end(body)
    const false_ = Buffer.from(body)
    false_[7]! ^= 1
    return response.end(false_)
  }

  private note(host: Seen['host'], { method, url, headers }: IncomingMessage): void {
    this.seen.push({ host, method: method!, path: url!, range: headers.range, token: headers.authorization })
  }
}

const listen = (server: Server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

const addressOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const refuse = (response: ServerResponse, status: number, code: string) =>
  response.writeHead(status, { 'x-error-code': code }).end()

const redirect = (response: ServerResponse, status: number, to: string) =>
  response.writeHead(status, { location: to }).end()
