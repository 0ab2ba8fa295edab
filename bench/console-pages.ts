/** @file Three pages without a screen, in a thread of their own: one operates, all look on. */
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import WebSocket from 'ws'
import { type ClientMessage, decodeFrame, type ServerEvent } from '../src/console/protocol.ts'
import type { PageReport } from './console.ts'

const WATCHED = 60_000 // ms, over which the loop is measured
const INPUTS = 150
const STOPS = 30

const now = () => performance.timeOrigin + performance.now()

class ViewedPage {
  readonly frameAges: number[] = []
  readonly seen: { at: number; event: ServerEvent }[] = []
  private seq = 0

  constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer, binary) => {
      if (binary) this.frameAges.push(Date.now() - decodeFrame(data)!.time)
      else this.seen.push({ at: now(), event: JSON.parse(data.toString()) })
    })
    setInterval(() => this.send({ kind: 'ping', t: performance.now() }), 500).unref()
  }

  send(message: ClientMessage): void {
    this.socket.send(JSON.stringify(message))
  }

  input(z: number, hold = true): void {
    const axes = [0, 0, z, 0, 0, 0] as const
    this.send({ kind: 'input', seq: this.seq++, t: performance.now(), axes, gripper: 0, hold })
  }

  /** The first event that passes, from now on. */
  async until(test: (event: ServerEvent) => boolean): Promise<{ at: number; event: ServerEvent }> {
    for (let from = this.seen.length; ; await sleep(1)) {
      const found = this.seen.slice(from).find(({ event }) => test(event))
      if (found) return found
      from = Math.max(0, Math.min(from, this.seen.length))
    }
  }
}

async function open(address: string): Promise<ViewedPage> {
  const url = new URL(address)
  const socket = new WebSocket(`ws://${url.host}/live`, { origin: url.origin })
  const page = new ViewedPage(socket)
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  return page
}

/** The hand is on for a while, and moves up or down at a moment that has nothing to do with the robot's clock. */
async function takeOver(page: ViewedPage, report: PageReport): Promise<void> {
  let z = 0.2
  for (let change = 0; change < 5; change++) {
    const until = now() + 250 + 100 * Math.random()
    while (now() < until) {
      page.input(z)
      await sleep(Math.min(33, Math.max(0, until - now())))
    }
    const to = Number((z > 0 ? -0.2 - 0.1 * Math.random() : 0.2 + 0.1 * Math.random()).toFixed(4))
    report.inputs.push({ at: now(), from: z, to })
    z = to
    page.input(z)
  }
  await sleep(33)
  page.input(0, false)
}

async function stop(page: ViewedPage, report: PageReport): Promise<void> {
  const at = now()
  const stopped = page.until((event) => event.kind === 'robot' && event.status === 'stopped')
  page.send({ kind: 'stop' })
  report.stops.push({ at, readBack: (await stopped).at })
  const paused = page.until((event) => event.kind === 'robot' && event.status === 'paused')
  page.send({ kind: 'clear' })
  await paused
  page.send({ kind: 'resume' })
}

const pages = [await open(workerData), await open(workerData), await open(workerData)]
const [page] = pages as [ViewedPage]
await page.until((event) => event.kind === 'state' && event.stage === 'practice')
page.send({ kind: 'control', action: 'request' })
page.send({ kind: 'speed', speed: 1 })
page.send({ kind: 'control', action: 'release' })
for (const { frameAges } of pages) frameAges.length = 0
await sleep(WATCHED)
const { event: loop } = await page.until((event) => event.kind === 'loop')
const report: PageReport = {
  inputs: [],
  stops: [],
  frameAges: pages.flatMap(({ frameAges }) => frameAges),
  loop: loop as PageReport['loop'] & ServerEvent,
}
page.send({ kind: 'control', action: 'request' })
while (report.inputs.length < INPUTS) {
  await takeOver(page, report)
  await sleep(700 + 200 * Math.random())
}
while (report.stops.length < STOPS) {
  await sleep(600 + 300 * Math.random())
  await stop(page, report)
}
parentPort!.postMessage(report)
