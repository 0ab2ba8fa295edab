/** @file Stands between a client and its server, writes down what is asked, and spoils answers as it is told. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Asked = { route: string; body: unknown }
type Spoiled = { status?: number; text?: string } | 'silence'

export class Between {
  static async open(to: string): Promise<Between> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Between(server, to)
  }

  readonly url: string
  readonly asked: Asked[] = []
  /** What is answered in place of the server; undefined: its own answer, changed by `change`. */
  spoil: (asked: Asked) => Spoiled | undefined = () => undefined
  change: (asked: Asked, text: string) => string = (_, text) => text

  private constructor(
    private readonly server: Server,
    private readonly to: string,
  ) {
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    server.on('request', (request, response) => this.pass(request, response).catch(() => response.destroy()))
  }

  /** The poses that were sent, as [x, y, z, qx, qy, qz, qw]. */
  get poses(): number[][] {
    return this.asked.filter(({ route }) => route === 'pose').map(({ body }) => (body as { arr: number[] }).arr)
  }

  count(route: string): number {
    return this.asked.filter((one) => one.route === route).length
  }

  async close(): Promise<void> {
    this.server.closeAllConnections()
    if (this.server.listening) await new Promise((resolve) => this.server.close(resolve))
  }

  private async pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const part of request as AsyncIterable<Buffer>) text += part
    const asked = { route: request.url!.slice(1), body: text === '' ? null : JSON.parse(text) }
    this.asked.push(asked)
    const spoiled = this.spoil(asked)
    if (spoiled === 'silence') return
    if (spoiled) {
      response.writeHead(spoiled.status ?? 200, { 'content-type': 'text/html' }).end(spoiled.text ?? '')
      return
    }
    const { 'content-type': type } = request.headers
    const answer = await fetch(`${this.to}${asked.route}`, {
      method: request.method,
      ...(text !== '' && { body: text }),
      headers: type ? { 'content-type': type } : {},
    })
    const answered = this.change(asked, await answer.text())
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(answered)
  }
}
