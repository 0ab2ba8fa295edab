/** @file A broker of its own for tests that need one, where nats-server is on the PATH. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createServer } from 'node:net'

export const natsServer = ((): boolean => {
  try {
    execFileSync('nats-server', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

/** Said of tests that are left out. */
export const WITHOUT = 'nats-server is not on the PATH (Debian: apt-get install nats-server)'

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

const endOf = (child: ChildProcess) => new Promise((resolve) => child.once('exit', resolve))

/** Told to end, and gone. */
export async function endServer(child: ChildProcess): Promise<void> {
  const ended = endOf(child)
  child.kill()
  await ended
}

/** Kill it with its `child`; started anew on the same port it is the same broker to everybody. */
export function startServer(port: number): { url: string; child: ChildProcess; ended: Promise<unknown> } {
  const child = spawn('nats-server', ['--addr', '127.0.0.1', '--port', String(port)], { stdio: 'ignore' })
  return { url: `nats://127.0.0.1:${port}`, child, ended: endOf(child) }
}
