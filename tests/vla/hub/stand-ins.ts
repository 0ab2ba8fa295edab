/** @file Stand-ins for what lies between a machine and the Hub: an HTTP proxy, a mirror that only redirects, and TLS. */
import { createServer, request } from 'node:http'
import { type AddressInfo, connect, type Server as NetServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'

/** Of hub.test and store.test, signed by itself, made for these tests by openssl; it protects nothing. */
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgXs/z15GD1e7IDeJQ
iVMtwmbCBitpL4DeT5rXwY0gUGyhRANCAARCPOf88YH1feU3zczXLOnIBT9ltg3B
Q9Fa0oXGapUpnPncXNd4neuXQXUfucQKb4wXZVP6vItwXu8hLuMKqEbz
-----END PRIVATE KEY-----`
export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBoTCCAUigAwIBAgIUaQoy+/8tTp6Q4wySsaMum2IbGicwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKZHVldCB0ZXN0czAgFw0yNjExMjgwMzA2MjhaGA8yMTI2MTEw
NDAzMDYyOFowFTETMBEGA1UEAwwKZHVldCB0ZXN0czBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABEI85/zxgfV95TfNzNcs6cgFP2W2DcFD0VrShcZqlSmc+dxc13id
65dBdR+5xApvjBdlU/q8i3Be7yEu4wqoRvOjdDByMB0GA1UdDgQWBBSYSriAnmP7
Ws6oRmHLb2eXBJE1yjAfBgNVHSMEGDAWgBSYSriAnmP7Ws6oRmHLb2eXBJE1yjAP
BgNVHRMBAf8EBTADAQH/MB8GA1UdEQQYMBaCCGh1Yi50ZXN0ggpzdG9yZS50ZXN0
MAoGCCqGSM49BAMCA0cAMEQCIFuQU9C+N9k3FnLdhOylVSyv3didQrOI5fYUKM7v
S75DAiB+5ddonUyWBSFTNUx7voctxvtVVxXztbP9cKFBq0LJVw==
-----END CERTIFICATE-----`

export const HOST = '127.0.0.1'
export const listen = (server: NetServer) => new Promise<void>((resolve) => server.listen(0, HOST, resolve))
export const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port

type Stopped = { stop(): Promise<void> }

function stoppable(server: {
  close(done: () => void): unknown
  on(event: string, listener: (socket: Socket) => void): unknown
}) {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  return {
    keep: (socket: Socket) => sockets.add(socket),
    stop: () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(resolve)
      }),
  }
}

/** What the proxy was asked: 'CONNECT host:port', or 'GET http://...'. */
export type Asked = { line: string; authorization?: string }
export type ProxyStandIn = Stopped & { address: string; port: number; asked: Asked[] }

/** `ports`: where names lead that no name server knows. `answer`: a status for everybody, in place of a connection. */
export async function startProxy(ports: Record<string, number>, answer?: number): Promise<ProxyStandIn> {
  const asked: Asked[] = []
  const note = (line: string, headers: { 'proxy-authorization'?: string }) =>
    asked.push({ line, authorization: headers['proxy-authorization'] })
  const server = createServer((incoming, outgoing) => {
    note(`${incoming.method} ${incoming.url}`, incoming.headers)
    const { hostname, port, pathname, search } = new URL(incoming.url!)
    const { method, headers } = incoming
    if (answer) return void outgoing.writeHead(answer).end()
    const target = { host: HOST, port: ports[hostname] ?? port, method, headers, path: pathname + search }
    incoming.pipe(
      request(target, (response) => response.pipe(outgoing.writeHead(response.statusCode!, response.headers))),
    )
  })
  const { keep, stop } = stoppable(server)
  server.on('connect', ({ url, headers }, client: Socket) => {
    note(`CONNECT ${url}`, headers)
    if (answer) return void client.end(`HTTP/1.1 ${answer} No\r\n\r\n`)
    const [name, port] = url!.split(':') as [string, string]
    const through = connect(ports[name] ?? Number(port), HOST, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n')
      through.pipe(client).pipe(through)
    })
    keep(through)
    for (const socket of [client, through]) socket.on('error', () => undefined)
  })
  await listen(server)
  return { address: `http://${HOST}:${portOf(server)}`, port: portOf(server), asked, stop }
}

/** TLS in front of a plain server. */
export async function startTls(port: number): Promise<Stopped & { port: number }> {
  const server = createTlsServer({ key: KEY, cert: CERTIFICATE }, (client) => {
    const behind = connect(port, HOST)
    behind.pipe(client).pipe(behind)
    for (const socket of [client, behind]) socket.on('error', () => undefined)
  })
  const { stop } = stoppable(server)
  await listen(server)
  return { port: portOf(server), stop }
}

export type Mirror = Stopped & { address: string; seen: { path: string; token?: string }[] }

/** A mirror that has nothing itself: it sends everybody on. */
export async function startMirror(status: number, to: (path: string) => string): Promise<Mirror> {
  const seen: Mirror['seen'] = []
  const server = createServer(({ url, headers }, response) => {
    seen.push({ path: url!, token: headers.authorization })
    response.writeHead(status, { location: to(url!) }).end()
  })
  const { stop } = stoppable(server)
  await listen(server)
  return { address: `http://${HOST}:${portOf(server)}`, seen, stop }
}
