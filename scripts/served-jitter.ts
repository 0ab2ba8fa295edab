/**
 * @file How evenly a served robot receives what is sent to it evenly, while its cameras are looked at: commands at 10 Hz by a
 * clock, by their stamps at both ends. `npx tsx scripts/served-jitter.ts [--api serl] [--seconds 60] [--busy 1] [--blind]`
 */
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { WebSocket } from 'ws'
import { quantile } from '../src/metrics/statistics.ts'
import { epochNow } from '../src/robot/test-channel.ts'
import { startDuet } from './end-to-end/processes.ts'
import { TruthChannel } from './end-to-end/truth.ts'

const { values: given } = parseArgs({
  options: {
    api: { type: 'string', default: 'serl' }, // or rosbridge
    seconds: { type: 'string', default: '60' },
    busy: { type: 'string', default: '0' }, // threads that count beside it, as a learner does
    blind: { type: 'boolean', default: false }, // nobody looks at the cameras
  },
})
const [seconds, busy] = [Number(given.seconds), Number(given.busy)]

const PERIOD = 100 // ms
const SETTLING = 20 // commands that are not counted: code gets warm
const UP = 0.002 // m, up and down again
const CAMERAS = ['front', 'wrist']

type Client = { pose(): Promise<number[]>; send(pose: readonly number[]): Promise<void>; pictures(): number }

/** A pose is x, y, z and a quaternion, its real part last. */
async function ofSerl(url: string): Promise<Client> {
  const agent = new Agent({ keepAlive: true })
  const post = (route: string, body?: object) =>
    new Promise<string>((resolve, reject) => {
      const headers = { 'content-type': 'application/json' }
      const asked = request(`${url}${route}`, { method: 'POST', agent, headers }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part) => {
          text += part
        })
        response.on('end', () => resolve(text))
      })
      asked.on('error', reject).end(JSON.stringify(body ?? {}))
    })
  let pictures = 0
  for (const camera of given.blind ? [] : CAMERAS)
    request(`${url}cameras/${camera}.mjpg`, (response) =>
      response.on('data', (part: Buffer) => {
        if (part.includes('--picture')) pictures++
      }),
    ).end()
  return {
    pose: async () => JSON.parse(await post('getpos')).pose,
    send: async (arr) => void (await post('pose', { arr })),
    pictures: () => pictures,
  }
}

async function ofRosbridge(url: string): Promise<Client> {
  const socket = new WebSocket(url)
  await new Promise((resolve) => socket.once('open', resolve))
  let pictures = 0
  let told: number[] | undefined
  socket.on('message', (data) => {
    const { topic, msg } = JSON.parse(String(data))
    if (topic !== '/tool_pose') pictures++
    else {
      const { position: p, orientation: o } = msg.pose
      told = [p.x, p.y, p.z, o.x, o.y, o.z, o.w]
    }
  })
  const say = (message: object) => socket.send(JSON.stringify(message))
  say({ op: 'subscribe', topic: '/tool_pose', type: 'geometry_msgs/msg/PoseStamped' })
  for (const camera of given.blind ? [] : CAMERAS)
    say({ op: 'subscribe', topic: `/${camera}/image/compressed`, type: 'sensor_msgs/msg/CompressedImage' })
  return {
    async pose() {
      while (!told) await sleep(20)
      return told
    },
    async send([x, y, z, qx, qy, qz, qw]) {
      const pose = { position: { x, y, z }, orientation: { x: qx, y: qy, z: qz, w: qw } }
      say({ op: 'publish', topic: '/target_pose', msg: { pose } })
    },
    pictures: () => pictures,
  }
}

/** s on a core, and s of waiting for one, of a process's first thread; Linux. */
const coreTime = (pid: number) => {
  const [on, waiting] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ').map(Number)
  return { on: on! / 1e9, waiting: waiting! / 1e9 }
}

const counting = 'for (let sum = 0; ; ) sum += Math.sqrt(sum + 1)'
for (let i = 0; i < busy; i++) new Worker(counting, { eval: true }).unref()

const api = given.api === 'rosbridge' ? 'rosbridge' : 'serl'
const server = startDuet('robot', ['serve', 'workcell', '--api', api, '--port', '0', '--test-truth'])
const url = await server.says(/(?:SERL interface|rosbridge of ROS \d): (\S+)/)
const client = await (api === 'serl' ? ofSerl(url) : ofRosbridge(url))
const truth = new TruthChannel(url.replace('ws:', 'http:'))
const [x, y, z, ...rotation] = (await client.pose()) as [number, number, number]
const sent: number[] = []
const answers: number[] = []
const began = performance.now()
let before = { pictures: 0, core: coreTime(server.pid) } // until what counts
for (let i = 0; i < SETTLING + (1000 * seconds) / PERIOD; i++) {
  await sleep(Math.max(0, began + PERIOD * i - performance.now()))
  if (i === SETTLING) before = { pictures: client.pictures(), core: coreTime(server.pid) }
  sent.push(epochNow())
  const answered = client.send([x, y, z + (i % 2) * UP, ...rotation])
  void answered.then(() => answers.push(epochNow() - sent[i]!))
}
const core = coreTime(server.pid)
await sleep(500)
const received = (await truth.commands()).map(({ at }) => at)
server.kill()
if (received.length !== sent.length) throw new Error(`${sent.length} were sent, ${received.length} received`)

const row = (name: string, values: readonly number[]) =>
  process.stdout.write(
    `${name.padEnd(34)} ${[0.5, 0.99, 1].map((share) => quantile(values, share).toFixed(1).padStart(7)).join('')}\n`,
  )
const jitters = (stamps: readonly number[]) =>
  stamps.slice(SETTLING + 1).map((at, i) => Math.abs(at - stamps[SETTLING + i]! - PERIOD))
process.stdout.write(`${'ms'.padEnd(34)}     p50    p99    most\n`)
row('jitter as sent', jitters(sent))
row('jitter as received', jitters(received))
row(
  'on the way',
  received.slice(SETTLING).map((at, i) => at - sent[SETTLING + i]!),
)
if (api === 'serl') row('to the answer', answers.slice(SETTLING))
const rate = (value: number) => (value / seconds).toFixed(1)
process.stdout.write(`pictures a second: ${rate(client.pictures() - before.pictures)}\n`)
const [on, waiting] = [core.on - before.core.on, core.waiting - before.core.waiting]
process.stdout.write(
  `thread of commands, ms/s: ${rate(1000 * on)} on a core, ${rate(1000 * waiting)} waiting for one\n`,
)
process.exit(0)
