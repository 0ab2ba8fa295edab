/** @file The test-only channel of a served robot, as a test asks it: what is true of the scene, start states, commands, faults. */
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Received } from '../../src/robot/test-channel.ts'

const LOOKS_EVERY = 40 // ms

export type Told = { reward: number; terminated: boolean } & Record<string, unknown>

export class TruthChannel {
  private readonly agent = new Agent({ keepAlive: true })
  private newest: Told | null = null
  private looking = false

  /** `url`: of the robot's server, with or without "/" at its end. */
  constructor(private readonly url: string) {}

  /** As it was a moment ago, while `look` goes on. */
  get now(): Told {
    return this.newest!
  }

  async ask(): Promise<Told> {
    this.newest = (await this.post('/truth')) as Told
    return this.newest
  }

  /** Asks again and again, until `rest`. */
  async look(): Promise<void> {
    await this.ask()
    this.looking = true
    void (async () => {
      for (; this.looking; await sleep(LOOKS_EVERY)) await this.ask().catch(() => {}) // the robot may be gone: it is a test
    })()
  }

  rest(): void {
    this.looking = false
    this.agent.destroy()
  }

  lay = (task: string, seed: number) => this.post('/truth/lay', { task, seed })
  put = (name: string, on: boolean) => this.post('/truth/fault', { name, on })
  commands = async (since = 0): Promise<Received[]> =>
    ((await this.post('/truth/commands', { since })) as { commands: Received[] }).commands

  private post(path: string, body: object = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const payload = JSON.stringify(body)
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }
      const asked = request(
        new URL(path, this.url),
        { method: 'POST', agent: this.agent, headers },
        async (response) => {
          try {
            let text = ''
            for await (const part of response) text += part
            if (response.statusCode === 200) resolve(JSON.parse(text))
            else reject(new Error(`${path}: ${text}`))
          } catch (error) {
            reject(error)
          }
        },
      )
      asked.on('error', reject)
      asked.end(payload)
    })
  }
}
