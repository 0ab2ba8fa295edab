/** @file Stands in for a camera on the network: 640 × 480 at 30 Hz, each picture with the time of its sending in a comment. */
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import sharp from 'sharp'
import { RandomStream } from '../src/random/stream.ts'
import { testPattern } from '../src/robot/cameras/sources/test-pattern.ts'

const [WIDTH, HEIGHT, RATE, PICTURES] = [640, 480, 30, 30]
const NOISE = 8 // grey levels, as a small sensor has by indoor light

const random = new RandomStream(0, 'bench')
const pictures: Buffer[] = []
for (let n = 0; n < PICTURES; n++) {
  const { data } = testPattern(WIDTH, HEIGHT, 3 * n)
  for (let i = 0; i < data.length; i++)
    data[i] = Math.min(255, Math.max(0, data[i]! + (random.bits() % (2 * NOISE)) - NOISE))
  pictures.push(
    await sharp(data, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
      .jpeg({ quality: 80 })
      .toBuffer(),
  )
}

/** A JPEG with a comment right behind its first marker. */
function commented(jpeg: Buffer, text: string): Buffer {
  const head = Buffer.of(0xff, 0xd8, 0xff, 0xfe, 0, text.length + 2)
  return Buffer.concat([head, Buffer.from(text), jpeg.subarray(2)])
}

const server = http.createServer((_, response) => {
  response.writeHead(200, { 'content-type': 'multipart/x-mixed-replace; boundary=cut' })
  let n = 0
  const timer = setInterval(() => {
    const jpeg = commented(pictures[n++ % PICTURES]!, String(performance.timeOrigin + performance.now()))
    response.write(`--cut\r\nContent-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\n\r\n`)
    response.write(jpeg)
    response.write('\r\n')
  }, 1000 / RATE)
  response.once('close', () => clearInterval(timer))
})
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port))
