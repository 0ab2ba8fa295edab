/** @file Offers the simulated workcell over the HTTP interface of a SERL server, and its cameras as streams of JPEG pictures. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { InputError } from '../../../errors.ts'
import { requestPath } from '../../../request-path.ts'
import { type MjpegServer, mjpegServer } from '../../../robot/cameras/mjpeg-server.ts'
import { MotionWatch, TestChannel } from '../../../robot/test-channel.ts'
import { Plant, type PlantOptions } from './plant.ts'
import { ROUTES, type RouteAnswer } from './routes.ts'

const LARGEST_BODY = 64 * 1024
const FRAMES = 30 // pictures a second at most, where nothing is said
const SOONER = 0.8 // of a period: one who asks a little early still gets a new picture

export type ServedWorkcell = PlantOptions & {
  port: number // 0: a free one
  fps?: number // pictures a second, at most
  camerasPort?: number // left out: cameras answer on the same port
  host?: string
  truth?: boolean // also answers below `truth`, for tests
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
  const { port, camerasPort, fps = FRAMES, host = '127.0.0.1' } = options
  const plant = await Plant.create(options)
  const tests = options.truth ? new Tests(plant) : null
  const cameras = mjpegServer({
    cameras: () => Object.keys(plant.cell.spec.cameras),
    newest: async (camera) => (await plant.pictures(SOONER / fps))[camera] ?? null,
    fps,
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
      (request, response) => void serveArm(plant, tests, own, request, response),
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
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        cause.code === 'EADDRINUSE'
          ? new InputError(`port ${port}`, 'is taken', 'Choose another one with --port, or 0 for a free one')
          : new InputError(`${host}:${port}`, `cannot be opened: ${cause.message}`, 'Choose another host or port', {
              cause,
            }),
      ),
    )
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })
}

function serveCameras(cameras: MjpegServer, request: IncomingMessage, response: ServerResponse): void {
  if (!cameras.handle(request, response)) refuse(response, 404, 'there are pictures below /cameras alone')
}

/** What tests see of the server, and do to it. */
class Tests {
  silent = false // requests are taken, and nothing is answered
  readonly channel: TestChannel
  private readonly poses = new MotionWatch(1e-6)

  constructor(plant: Plant) {
    const silent = (on: boolean) => {
      this.silent = on
    }
    this.channel = new TestChannel({
      truth: () => plant.truth(),
      lay: (start) => plant.lay(start),
      faults: { ...plant.faults, silent },
    })
  }

  /** A request came, with its body. */
  heard(name: string, body: unknown): void {
    const { arr } = (body ?? {}) as { arr?: number[] }
    if (name === 'pose' && arr) this.channel.note(this.poses.asksForMotion(arr))
  }

  /** This goes out. */
  told(answer: RouteAnswer): void {
    if (typeof answer === 'object' && 'pose' in answer) this.poses.tell(answer.pose as number[])
  }
}

async function serveArm(
  plant: Plant,
  tests: Tests | null,
  cameras: MjpegServer | null,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (cameras?.handle(request, response) || tests?.channel.handle(request, response)) return
  const name = requestPath(request)?.slice(1) ?? ''
  if (!Object.hasOwn(ROUTES, name)) return refuse(response, 404, `there is no route ${name}`)
  if (request.method !== 'POST') {
    response.setHeader('allow', 'OPTIONS, POST')
    return refuse(response, 405, 'every route is POST only')
  }
  const route = ROUTES[name]!
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
  tests?.heard(name, body)
  if (tests?.silent) return
  const answer = route.answer(plant, body)
  tests?.told(answer)
  send(response, answer)
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
  else reply(response, 200, 'application/json', jsonOf(answer))
}

/** As the original writes it: a number that is none stands bare, which is no JSON. */
function jsonOf(answer: Record<string, unknown>): string {
  const none = (_: string, value: unknown) => (Number.isNaN(value) ? '?NaN?' : value)
  return JSON.stringify(answer, none).replaceAll('"?NaN?"', 'NaN')
}

/** As a page, like the errors of the server that this stands in for. */
function refuse(response: ServerResponse, status: number, why: string): void {
  const shown = why.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`)
  reply(response, status, 'text/html; charset=utf-8', `<!doctype html>\n<title>${status}</title>\n<p>${shown}</p>\n`)
}

function reply(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text)
}
