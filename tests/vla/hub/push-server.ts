/** @file A local server that takes pushes as the Hugging Face Hub does: create, tree, preupload, LFS batch, PUT, commit, tags. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Repository = {
  type: string
  hidden: boolean
  files: Map<string, Buffer>
  commits: number
  tags: Map<string, number>
}

const sum = (kind: string, data: Buffer) => createHash(kind).update(data).digest('hex')
const blobOf = (data: Buffer) => sum('sha1', Buffer.concat([Buffer.from(`blob ${data.length}\0`), data]))
const isLarge = (path: string) => /\.(parquet|onnx|mp4)$/.test(path)

export class PushServer {
  readonly repositories = new Map<string, Repository>()
  readonly stored = new Map<string, Buffer>() // by SHA-256
  readonly seen: { method: string; path: string; token: string | undefined }[] = []
  readonly token = 'hf_of_the_test'
  busy = 0 // requests that are answered 503
  endpoint = ''
  /** PUTs that are taken before the server goes silent for good. */
  room = Number.POSITIVE_INFINITY
  private readonly server = createServer((request, response) => void this.answer(request, response))

  static async start(): Promise<PushServer> {
    const hub = new PushServer()
    await new Promise<void>((resolve) => hub.server.listen(0, '127.0.0.1', resolve))
    hub.endpoint = `http://127.0.0.1:${(hub.server.address() as AddressInfo).port}`
    return hub
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }

  puts(): string[] {
    return this.seen.filter(({ method }) => method === 'PUT').map(({ path }) => path)
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const { method, headers } = request
    const path = decodeURIComponent(request.url!)
    this.seen.push({ method: method!, path, token: headers.authorization })
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    const body = Buffer.concat(pieces)
    const say = (status: number, value: unknown = {}) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    if (this.busy > 0) {
      this.busy--
      return say(503)
    }
    const put = /^\/store\/(\w+)\?signature=/.exec(path)
    if (put) {
      if (this.room-- <= 0) return request.socket.destroy()
      this.stored.set(put[1]!, body)
      return say(200)
    }
    if (headers.authorization !== `Bearer ${this.token}`) return say(401, { error: `no: ${headers.authorization}` })
    if (path === '/api/repos/create') {
      const { name, organization, type, visibility } = JSON.parse(body.toString())
      const id = `${organization}/${name}`
      if (this.repositories.has(id)) return say(409, { error: 'it is there' })
      const fresh = { type, hidden: visibility === 'private', files: new Map(), commits: 0, tags: new Map() }
      this.repositories.set(id, fresh)
      return say(200, { url: `${this.endpoint}/${id}`, id })
    }
    const [, id, rest = ''] = /^\/(?:api\/)?(?:models\/|datasets\/)?([^/]+\/[^/.?]+)(.*)$/.exec(path) ?? []
    const repository = this.repositories.get(id ?? '')
    if (!repository) return say(404, { error: 'no such repository' })
    if (rest.startsWith('/tree/main')) {
      const large = (path: string, data: Buffer) =>
        isLarge(path) ? { lfs: { oid: sum('sha256', data), size: data.length } } : {}
      return say(
        200,
        [...repository.files].map(([path, data]) => ({
          type: 'file',
          path,
          size: data.length,
          oid: blobOf(data),
          ...large(path, data),
        })),
      )
    }
    if (rest.startsWith('/preupload/')) {
      const { files } = JSON.parse(body.toString()) as { files: { path: string }[] }
      return say(200, { files: files.map(({ path }) => ({ path, uploadMode: isLarge(path) ? 'lfs' : 'regular' })) })
    }
    if (rest.startsWith('.git/info/lfs')) {
      const { objects } = JSON.parse(body.toString()) as { objects: { oid: string; size: number }[] }
      const upload = (oid: string) => ({
        upload: { href: `${this.endpoint}/store/${oid}?signature=secret`, header: {} },
      })
      return say(200, {
        transfer: 'basic',
        objects: objects.map(({ oid, size }) => ({
          oid,
          size,
          ...(this.stored.has(oid) ? {} : { actions: upload(oid) }),
        })),
      })
    }
    if (rest.startsWith('/commit/')) {
      const lines = body
        .toString()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
      for (const { key, value } of lines) {
        if (key === 'file') repository.files.set(value.path, Buffer.from(value.content, value.encoding))
        if (key === 'lfsFile') repository.files.set(value.path, this.stored.get(value.oid)!)
        if (key === 'deletedFile') repository.files.delete(value.path)
      }
      repository.commits++
      return say(200, { success: true, commitOid: String(repository.commits), commitUrl: '', hookOutput: '' })
    }
    const [, tag] = /^\/tag\/(.+)$/.exec(rest) ?? []
    if (tag && method === 'DELETE') return repository.tags.delete(tag) ? say(200) : say(404)
    if (!tag) return say(404)
    const { tag: name } = JSON.parse(body.toString()) as { tag: string }
    if (repository.tags.has(name)) return say(409)
    repository.tags.set(name, repository.commits)
    return say(200)
  }
}
