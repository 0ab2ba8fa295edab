/** @file (i) A camera over HTTP on loopback, its server in a process of its own: how late a picture is, and what it costs. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { quantile } from '../src/metrics/statistics.ts'
import { openCamera } from '../src/robot/cameras/open.ts'
import { rounded } from './measure.ts'

const WARM_UP = 2000 // ms
const SPAN = 20_000

export type CameraFigures = {
  latencyMedianMs: number // from the sending of a picture to its 128 × 128 pixels
  latencyP99Ms: number
  decodedHz: number // of 30 that are sent
  processorMs: number // a picture
  processorShare: number // of one core
  pictureBytes: number
}

export async function benchCameras(): Promise<CameraFigures> {
  const server = fork(new URL('./camera-server.ts', import.meta.url), { execArgv: ['--import', 'tsx'] })
  try {
    const [port] = (await once(server, 'message')) as [number]
    const url = `http://127.0.0.1:${port}/`
    const crop = { left: 80, top: 0, width: 480, height: 480 }
    const camera = await openCamera('front', { kind: 'mjpeg', url, width: 128, height: 128, crop, rotate: 0 })
    await pause(WARM_UP)
    const latencies: number[] = []
    const before = { ...camera.counts }
    const unwatch = camera.watch(() => {
      const sent = Number(
        Buffer.from(camera.newest()!.image.jpeg!.subarray(6, 40))
          .toString('latin1')
          .match(/^[\d.]+/)![0],
      )
      latencies.push(performance.timeOrigin + performance.now() - sent)
    })
    const [processor, began] = [process.cpuUsage(), performance.now()]
    await pause(SPAN)
    const { user, system } = process.cpuUsage(processor)
    const seconds = (performance.now() - began) / 1000
    unwatch()
    const pictures = camera.counts.pictures - before.pictures
    const bytes = camera.counts.bytes - before.bytes
    await camera.close()
    return {
      latencyMedianMs: rounded(quantile(latencies, 0.5)),
      latencyP99Ms: rounded(quantile(latencies, 0.99)),
      decodedHz: rounded(latencies.length / seconds),
      processorMs: rounded((user + system) / 1000 / latencies.length),
      processorShare: rounded((user + system) / 1e6 / seconds),
      pictureBytes: Math.round(bytes / pictures),
    }
  } finally {
    server.kill()
  }
}
