/** @file Offers pictures over HTTP: a stream without end (multipart/x-mixed-replace) and the newest one, a camera. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { requestPath } from '../../request-path.ts'
import type { Frame } from './camera.ts'
import { jpegOf, stamped } from './jpeg.ts'

const BOUNDARY = 'picture'
const MOST_VIEWERS = 16 // streams at a time: each costs a copy of every picture

export type MjpegOptions = {
  cameras: () => readonly string[] // names
  /** The newest picture; null where there is none yet. One whose `received` is another is sent, as it is or as a JPEG. */
  newest: (camera: string) => Frame | null | Promise<Frame | null>
  fps?: number // pictures a second and viewer, at most; 30
}

export type MjpegServer = {
  /**
   * Answers GET `/cameras` (names, as JSON), `/cameras/<name>.mjpg` (the stream) and `/cameras/<name>.jpg` (one picture).
   * @returns false where the request is for something else, which is left to the caller
   */
  handle(request: IncomingMessage, response: ServerResponse): boolean
  /** Ends the streams. */
  close(): void
}

const PATH = /^\/cameras(?:\/(?<camera>[\w.-]+)\.(?<form>mjpg|jpg))?$/

export function mjpegServer({ cameras, newest, fps = 30 }: MjpegOptions): MjpegServer {
  const streams = new Set<() => void>()
  const encoded = new WeakMap<Frame['image'], Promise<Uint8Array>>() // once for all viewers
  const encode = ({ image, received }: Frame) => {
    const make = async () => (image.jpeg ? image.jpeg : stamped(await jpegOf(image), received))
    const known = encoded.get(image) ?? make()
    encoded.set(image, known)
    return known
  }

  const stream = (camera: string, response: ServerResponse) => {
    if (streams.size >= MOST_VIEWERS) return plain(response, 503, `${MOST_VIEWERS} viewers are served already`)
    response.writeHead(200, { ...FRESH, 'content-type': `multipart/x-mixed-replace; boundary=${BOUNDARY}` })
    response.flushHeaders()
    let sent: number | undefined
    let sending = false
    const send = async () => {
      // A viewer who is slower than the camera gets fewer pictures, never older ones.
      if (sending || response.writableLength > 0) return
      sending = true
      try {
        const frame = await newest(camera)
        if (!frame || frame.received === sent) return
        sent = frame.received
        const jpeg = await encode(frame)
        if (response.destroyed) return
        const head = `--${BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\n\r\n`
        response.write(Buffer.concat([Buffer.from(head), jpeg, Buffer.from('\r\n')]))
      } catch (error) {
        response.destroy(error as Error)
      } finally {
        sending = false
      }
    }
    const timer = setInterval(() => void send(), 1000 / fps)
    const end = () => {
      clearInterval(timer)
      streams.delete(end)
      response.destroy()
    }
    streams.add(end)
    response.once('close', end)
    void send()
  }

  const picture = async (camera: string, response: ServerResponse) => {
    try {
      const frame = await newest(camera)
      if (!frame) return plain(response, 503, `camera ${camera} has no picture yet`)
      const jpeg = await encode(frame)
      response.writeHead(200, { ...FRESH, 'content-type': 'image/jpeg', 'content-length': jpeg.length }).end(jpeg)
    } catch (error) {
      plain(response, 500, (error as Error).message)
    }
  }

  return {
    handle(request, response) {
      const match = PATH.exec(requestPath(request) ?? '')
      if (!match) return false
      const { camera, form } = match.groups ?? {}
      if (request.method !== 'GET') plain(response, 405, 'pictures are asked for by GET')
      else if (camera === undefined)
        response
          .writeHead(200, { ...FRESH, 'content-type': 'application/json' })
          .end(JSON.stringify({ cameras: cameras() }))
      else if (!cameras().includes(camera))
        plain(response, 404, `there is no camera ${camera}; there are: ${cameras().join(', ')}`)
      else if (form === 'jpg') void picture(camera, response)
      else stream(camera, response)
      return true
    },
    close() {
      for (const end of streams) end()
    },
  }
}

const FRESH = { 'cache-control': 'no-store' }

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { ...FRESH, 'content-type': 'text/plain' }).end(`${text}\n`)
}
