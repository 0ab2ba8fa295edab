/**
 * @file Two ends of a cable: the broker's in this network, the robots' in one of their own. Each packet between them goes through
 * this process, which loses it, holds it back or cuts the cable, as is asked. Needs root, `ip` and `socat`; the kernel's netem
 * it does not need.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { RandomStream } from '../../src/random/stream.ts'

/** `loss`: share of the packets, each way. `delay`: ms, each way. */
export type Treatment = { loss: number; delay: number }

const MASK = 30
const PATIENCE = 5000 // ms for a device to be there
const ip = (...words: string[]) => execFileSync('ip', words, { stdio: 'pipe' })

/** A device of the kernel's whose packets come and go by UDP. */
type End = { device: string; socat: ChildProcess; socket: Socket; port: number }

export class Cable {
  static readonly broker = '10.203.77.1'
  private static readonly robots = '10.203.77.2'
  /** Nothing passes while it is. */
  cut = false
  private readonly random = new RandomStream(0, 'cable')

  private constructor(
    private readonly network: string,
    private readonly ends: readonly [End, End],
    private readonly treatment: Treatment,
  ) {
    const [here, there] = ends
    here.socket.on('message', (packet) => this.pass(packet, there))
    there.socket.on('message', (packet) => this.pass(packet, here))
  }

  /** @throws Error where this user, or this machine, cannot */
  static async lay(treatment: Treatment): Promise<Cable> {
    const network = `duet${process.pid}`
    ip('netns', 'add', network)
    const [here, there] = [await endOf(`${network}a`), await endOf(`${network}b`)]
    ip('addr', 'add', `${Cable.broker}/${MASK}`, 'dev', here.device)
    ip('link', 'set', here.device, 'up')
    ip('link', 'set', there.device, 'netns', network) // whoever has it open keeps it
    ip('-n', network, 'addr', 'add', `${Cable.robots}/${MASK}`, 'dev', there.device)
    ip('-n', network, 'link', 'set', there.device, 'up')
    return new Cable(network, [here, there], treatment)
  }

  /** Before a command that is to run at the robots' end. */
  get beyond(): string[] {
    return ['ip', 'netns', 'exec', this.network]
  }

  remove(): void {
    this.cut = true
    for (const { socat, socket } of this.ends) {
      socat.kill('SIGKILL')
      socket.close()
    }
    ip('netns', 'del', this.network)
  }

  private pass(packet: Buffer, { socket, port }: End): void {
    const { loss, delay } = this.treatment
    if (this.cut || this.random.uniform() < loss) return
    const send = () => {
      if (!this.cut) socket.send(packet, port, '127.0.0.1', () => {}) // what is under way when it is cut is gone
    }
    if (delay > 0) setTimeout(send, delay)
    else send()
  }
}

async function endOf(device: string): Promise<End> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const port = await freePort()
  const near = `TUN,tun-name=${device},iff-no-pi`
  const far = `UDP4-DATAGRAM:127.0.0.1:${socket.address().port},bind=127.0.0.1:${port}`
  const socat = spawn('socat', [near, far], { stdio: ['ignore', 'ignore', 'inherit'] })
  for (const end = Date.now() + PATIENCE; !exists(device); await sleep(20))
    if (socat.exitCode !== null || Date.now() > end) throw new Error(`there is no device ${device}: is this root?`)
  return { device, socat, socket, port }
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return port
}

function exists(device: string): boolean {
  try {
    ip('link', 'show', device)
    return true
  } catch {
    return false
  }
}
