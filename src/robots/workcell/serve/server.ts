/** @file Offers the simulated workcell over the HTTP interface of a SERL server, and its cameras as streams of JPEG pictures. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { InputError, systemError } from '../../../errors.ts'
import { type MjpegServer, mjpegServer } from '../../../robot/cameras/mjpeg-server.ts'
import { Plant, type PlantOptions } from './plant.ts'
import { ROUTES, type Route, type RouteAnswer, TRUTH } from './routes.ts'

const LARGEST_BODY = 64 * 1024
const FRAMES = 30 // pictures a second, at most

export type ServedWorkcell = PlantOptions & {
  port: number // 0: a free one
  camerasPort?: number // left out: cameras answer on the same port
  host?: string
  truth?: boolean // also answers `truth`, for tests
  standing?: boolean // the clock stands until somebody lets it run, or time pass
}

export type SerlServer = {
  readonly plant: Plant
  readonly url: string // ends with "/", as SERL's own configs have it
  readonly camerasUrl: string // above /cameras
  close(): Promise<void>
}

/** @throws InputError if a port is taken, or there is no such task */
export async function serveWorkcell(options: ServedWorkcell): Promise<SerlServer> {
  const { port, camerasPort, host = '127.0.0.1' } = options
  const plant = await Plant.create(options)
  const routes: Record<string, Route> = { ...ROUTES, ...(options.truth && { truth: TRUTH }) }
  const cameras = mjpegServer({
    cameras: () => Object.keys(plant.cell.spec.cameras),
    newest: (camera) => plant.pictures(1 / FRAMES)[camera] ?? null,
    fps: FRAMES,
  })
  const servers: Server[] = []
  const close = async () => {
    cameras.close()
    for (const server of servers) server.closeAllConnections()
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
    plant.close()
  }
  try {
    const own = camerasPort === undefined ? cameras : null
    const arm = await listen(
      (request, response) => void serveArm(plant, routes, own, request, response),
      port,
      host,
      servers,
    )
    const eyes =
      camerasPort === undefined
        ? arm
        : await listen((request, response) => serveCameras(cameras, request, response), camerasPort, host, servers)
    if (!options.standing) plant.run()
    return { plant, url: `http://${host}:${arm}/`, camerasUrl: `http://${host}:${eyes}`, close }
  } catch (error) {
    await close()
    throw error
  }
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void

function listen(handler: Handler, port: number, host: string, servers: Server[]): Promise<number> {
  const server = createServer(handler)
  servers.push(server)
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new InputError(`port ${port}`, 'is taken', 'Choose another one with --port, or 0 for a free one')
          : (systemError(error) ?? error),
      ),
    )
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })
}

function serveCameras(cameras: MjpegServer, request: IncomingMessage, response: ServerResponse): void {
  if (!cameras.handle(request, response)) refuse(response, 404, 'there are pictures below /cameras alone')
}

async function serveArm(
  plant: Plant,
  routes: Record<string, Route>,
  cameras: MjpegServer | null,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (cameras?.handle(request, response)) return
  const name = new URL(request.url ?? '/', 'http://host').pathname.slice(1)
  if (!Object.hasOwn(routes, name)) return refuse(response, 404, `there is no route ${name}`)
  if (request.method !== 'POST') {
    response.setHeader('allow', 'OPTIONS, POST')
    return refuse(response, 405, 'every route is POST only')
  }
  const route = routes[name]!
  const text = await bodyOf(request)
  if (text === null) return refuse(response, 413, `a body may hold ${LARGEST_BODY} bytes`)
  let body: unknown
  if (route.takesJson) {
    if (!/^application\/(?:json|[\w.-]+\+json)\b/.test(request.headers['content-type'] ?? ''))
      return refuse(response, 415, 'the body has to be application/json')
    try {
      body = JSON.parse(text)
    } catch {
      return refuse(response, 400, 'the body is no JSON')
    }
  }
  send(response, route.answer(plant, body))
}

/** Null where it is too large, or the client is gone. */
async function bodyOf(request: IncomingMessage): Promise<string | null> {
  const parts: Buffer[] = []
  let size = 0
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      size += part.length
      if (size > LARGEST_BODY) return null
      parts.push(part)
    }
  } catch {
    return null
  }
  return Buffer.concat(parts).toString('utf8')
}

function send(response: ServerResponse, answer: RouteAnswer): void {
  if (typeof answer === 'string') reply(response, 200, 'text/html; charset=utf-8', answer)
  else if ('status' in answer) refuse(response, answer.status as number, answer.why as string)
  else reply(response, 200, 'application/json', JSON.stringify(answer))
}

/** As a page, like the errors of the server that this stands in for. */
function refuse(response: ServerResponse, status: number, why: string): void {
  const shown = why.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`)
  reply(response, status, 'text/html; charset=utf-8', `<!doctype html>\n<title>${status}</title>\n<p>${shown}</p>\n`)
}

function reply(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text)
}
