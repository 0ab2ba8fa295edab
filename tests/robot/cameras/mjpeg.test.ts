/** @file The client against servers that are written out byte by byte, and against our own. */
import { once } from 'node:events'
import http from 'node:http'
import net, { type AddressInfo, type Socket } from 'node:net'
import sharp from 'sharp'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { cameraClock, type Frame } from '../../../src/robot/cameras/camera.ts'
import { mjpegServer } from '../../../src/robot/cameras/mjpeg-server.ts'
import { openCamera } from '../../../src/robot/cameras/open.ts'

/** Waits for it: a busy machine is slow. */
const soon = <T>(read: () => T) => expect.poll(read, { timeout: 30_000 })

let red: Buffer
let blue: Buffer
beforeAll(async () => {
  const plain = (background: { r: number; g: number; b: number }) =>
    sharp({ create: { width: 32, height: 24, channels: 3, background } })
      .jpeg()
      .toBuffer()
  red = await plain({ r: 250, g: 0, b: 0 })
  blue = await plain({ r: 0, g: 0, b: 250 })
})

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** A server that does as it is told with each connection. @returns its address */
async function serving(answer: (socket: Socket, nth: number) => void): Promise<string> {
  let connections = 0
  const sockets = new Set<Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('data', () => answer(socket, connections++))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/stream`
}

async function camera(url: string) {
  const opened = await openCamera('front', { kind: 'mjpeg', url, width: 4, height: 4, rotate: 0 })
  closing.push(() => opened.close())
  return opened
}

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary="--cut"\r\n\r\n'
const part = (jpeg: Buffer) => Buffer.concat([Buffer.from('\r\n--cut\r\nContent-Type: image/jpeg\r\n\r\n'), jpeg])
const colour = (frame: Frame | null) =>
  frame && [...frame.image.data.subarray(0, 3)].map((value) => Math.round(value / 50))

describe('a camera over HTTP', () => {
  it('gives the newest of the pictures that came', async () => {
    const url = await serving((socket) =>
      socket.write(Buffer.concat([Buffer.from(HEAD), part(red), part(red), part(blue)])),
    )
    const opened = await camera(url)
    await soon(() => colour(opened.newest())).toEqual([0, 0, 5])
    expect(opened.counts.pictures).toBe(3)
    expect(Buffer.compare(opened.newest()!.image.jpeg!, blue)).toBe(0)
    expect(cameraClock() - opened.newest()!.received).toBeLessThan(5)
  })

  it('that sends the same picture again and again has an old one, as one that sends none', async () => {
    let sending: Socket | undefined
    const url = await serving((socket) => {
      sending = socket
      socket.write(Buffer.concat([Buffer.from(HEAD), part(red)]))
    })
    const opened = await camera(url)
    await soon(() => colour(opened.newest())).toEqual([5, 0, 0])
    const { received } = opened.newest()!
    sending!.write(Buffer.concat([part(red), part(red)]))
    await soon(() => opened.counts.pictures).toBe(3)
    expect(opened.newest()!.received).toBe(received)
    sending!.write(part(blue))
    await soon(() => opened.newest()!.received > received).toBe(true)
  })

  it('is connected to again when its server ends the stream, and goes on', async () => {
    const url = await serving((socket, nth) =>
      socket.end(Buffer.concat([Buffer.from(HEAD), part(nth === 0 ? red : blue)])),
    )
    const opened = await camera(url)
    await soon(() => colour(opened.newest())).toEqual([0, 0, 5])
  })

  it('that falls silent keeps its old picture with its age, says so, and is connected to again', async () => {
    const url = await serving((socket, nth) => {
      if (nth === 0) socket.write(Buffer.concat([Buffer.from(HEAD), part(red)]))
    })
    const opened = await camera(url)
    await soon(() => colour(opened.newest())).toEqual([5, 0, 0])
    const { received } = opened.newest()!
    await soon(() => opened.trouble?.what).toContain('has been silent for 2 s')
    expect(opened.newest()!.received).toBe(received)
  })

  it.each([
    [
      'HTML',
      'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<!doctype html><p>log in</p>',
      'sends text/html instead of pictures',
    ],
    ['HTML that is told to be pictures', `${HEAD}<!doctype html><p>log in</p>`, 'sends an HTML page instead of a JPEG'],
    [
      'HTML as a part',
      `${HEAD}--cut\r\nContent-Type: text/html\r\n\r\n<html>log in`,
      'sends an HTML page instead of a JPEG',
    ],
    ['nothing', HEAD, 'sends nothing'],
    ['404', 'HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n', 'answers with HTTP 404'],
    ['401', 'HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n', 'refuses (HTTP 401)'],
    [
      'another address',
      'HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n',
      'is elsewhere (HTTP 302)',
    ],
    ['no HTTP', 'hello\r\n\r\n', 'cannot be reached'],
  ])('that answers with %s is told of, by its name', async (_, answer, what) => {
    const opened = await camera(await serving((socket) => socket.end(answer)))
    await soon(() => opened.trouble?.what).toContain(what)
    expect(opened.trouble!.where).toBe('camera front')
    expect(opened.newest()).toBeNull()
  })

  it('that sends one picture only is told that it is no stream', async () => {
    const head = `HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: ${red.length}\r\n\r\n`
    const opened = await camera(await serving((socket) => socket.end(Buffer.concat([Buffer.from(head), red]))))
    await soon(() => opened.trouble?.what).toContain('answers with one picture')
  })

  it('that is not there is told of, without the password', async () => {
    const url = await serving(() => undefined)
    for (const close of closing.splice(0)) await close()
    const opened = await camera(url.replace('127', 'user:secret@127'))
    await soon(() => opened.trouble?.what).toContain('the connection was refused')
    expect(opened.trouble!.what).not.toContain('secret')
  })

  it('gives no picture of a damaged JPEG, and says so', async () => {
    const damaged = Buffer.from(blue)
    damaged[damaged.indexOf(Buffer.of(0xff, 0xc0)) + 1] = 0xc7 // a compression that nobody has
    const opened = await camera(
      await serving((socket) => socket.write(Buffer.concat([Buffer.from(HEAD), part(damaged)]))),
    )
    await soon(() => opened.counts.unreadable).toBe(1)
    expect(opened.trouble!.what).toContain('cannot be decoded')
    expect(opened.newest()).toBeNull()
  })
})

describe('pictures that are offered', () => {
  async function offering(newest: (camera: string) => Frame | null): Promise<string> {
    const pictures = mjpegServer({ cameras: () => ['front', 'wrist'], newest, fps: 100 })
    const server = http.createServer((request, response) => {
      if (!pictures.handle(request, response)) response.writeHead(418).end()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    closing.push(() => {
      pictures.close()
      server.close()
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  const frame = (value: number, received: number): Frame => ({
    image: { width: 8, height: 8, data: new Uint8Array(192).fill(value) },
    received,
  })

  it('are seen by our own client, each of them once', async () => {
    let now = frame(200, 1)
    const opened = await camera(`${await offering(() => now)}/cameras/front.mjpg`)
    await soon(() => opened.newest()?.image.data[0]).toBeGreaterThan(190)
    now = frame(20, 2)
    await soon(() => opened.newest()!.image.data[0]).toBeLessThan(30)
    expect(opened.counts.pictures).toBe(2)
  })

  it("are the camera's own bytes where there are any", async () => {
    const url = await offering(() => ({ ...frame(0, 1), image: { ...frame(0, 1).image, jpeg: blue } }))
    const answer = await fetch(`${url}/cameras/wrist.jpg`)
    expect(answer.headers.get('content-type')).toBe('image/jpeg')
    expect(Buffer.compare(Buffer.from(await answer.arrayBuffer()), blue)).toBe(0)
  })

  it('have names that can be asked for, and all else is refused or left alone', async () => {
    const url = await offering(() => null)
    expect(await (await fetch(`${url}/cameras`)).json()).toEqual({ cameras: ['front', 'wrist'] })
    const side = await fetch(`${url}/cameras/side.mjpg`)
    expect([side.status, await side.text()]).toEqual([404, 'there is no camera side; there are: front, wrist\n'])
    expect((await fetch(`${url}/cameras/front.jpg`)).status).toBe(503)
    expect((await fetch(`${url}/cameras/front.jpg`, { method: 'POST' })).status).toBe(405)
    expect((await fetch(`${url}/getstate`)).status).toBe(418)
  })

  it('reach 16 viewers of the stream, and no more', async () => {
    const url = await offering(() => frame(9, 1))
    const stop = new AbortController()
    const statuses: number[] = []
    for (let i = 0; i < 17; i++)
      statuses.push((await fetch(`${url}/cameras/front.mjpg`, { signal: stop.signal })).status)
    stop.abort()
    expect(statuses).toEqual([...Array(16).fill(200), 503])
  })
})
