/** @file A simulated arm at the end of a pseudo terminal, for drivers that want a serial port. `socat` makes it: Node cannot. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { InputError } from '../../../errors.ts'
import type { SimulatedBus } from './bus.ts'

const PATIENCE = 5 // s until the port is there
const TICK = 20 // ms: the servos move, whether they are asked or not

/** Until `stop`, or socat ends. `port`: where the pseudo terminal is to appear. @throws InputError without socat, or if it gives no port */
export async function serveOnPty(
  bus: SimulatedBus,
  port: string,
  stop: AbortSignal,
): Promise<{ ended: Promise<void> }> {
  const socat = spawn('socat', [`PTY,link=${port},raw,echo=0`, 'STDIO'], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let complaint = ''
  socat.stderr.on('data', (words: Buffer) => {
    complaint += words.toString()
  })
  const ended = new Promise<void>((resolve) => socat.on('close', () => resolve()))
  const missing = new Promise<never>((_, reject) =>
    socat.on('error', (cause) =>
      reject(
        new InputError('socat', 'cannot be started', 'Install it: `apt install socat`, `brew install socat`', {
          cause,
        }),
      ),
    ),
  )
  const there = async () => {
    for (let waited = 0; waited < 1000 * PATIENCE; waited += 50) {
      if (existsSync(port)) return
      if (socat.exitCode !== null) break
      await sleep(50)
    }
    socat.kill()
    throw new InputError(
      port,
      `is not made by socat: ${complaint.trim() || 'it does not say why'}`,
      'Choose another path',
    )
  }
  await Promise.race([missing, there()])
  socat.stdout.on('data', (bytes: Buffer) => void socat.stdin.write(bus.receive(bytes)))
  socat.stdin.on('error', () => {}) // it has ended, which `ended` says
  const ticking = setInterval(() => bus.advance(), TICK)
  stop.addEventListener('abort', () => socat.kill(), { once: true })
  void ended.then(() => clearInterval(ticking))
  return { ended }
}
