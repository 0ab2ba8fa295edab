/** @file Processes of one machine that are kept running: one that was killed, or fell, begins anew. */
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { InputError } from '../errors.ts'

const AGAIN = 1000 // ms until a process that fell begins anew
const MENDABLE = 2 // exit code of what a user has to mend first
const PATIENCE = 15_000 // ms for processes that are asked to end

export type Heard = {
  /** A line that a process wrote, for programs or for people. */
  onLine: (who: string, line: string, forPeople: boolean) => void
  onStarted?: (who: string, pid: number) => void
}

export class KeptRunning {
  private readonly running = new Map<string, ChildProcess>()
  private readonly ends = new Map<string, Promise<void>>() // in the order in which they were begun
  private stopping = false
  private fail: (error: Error) => void = () => {}
  /** Rejects where a process cannot go on before somebody has mended something. */
  readonly failed: Promise<never>

  private readonly end = () => {
    for (const child of this.running.values()) child.kill()
  }

  /** However this process ends, those that it started are told to end, too: nobody else would look after them. */
  constructor(private readonly heard: Heard) {
    process.on('exit', this.end)
    this.failed = new Promise((_, reject) => (this.fail = reject))
    this.failed.catch(() => {}) // heard by whoever waits for it
  }

  /** Resolves when it has ended well, or everything is stopped. `start` is asked again whenever it fell. */
  keep(who: string, start: () => ChildProcess): Promise<void> {
    const end = this.run(who, start)
    this.ends.set(who, end)
    return end
  }

  /** One after the other is asked to end, as by Ctrl-C, the last one first; who does not is ended. */
  async stop(): Promise<void> {
    this.stopping = true
    for (const [who, end] of [...this.ends].reverse()) {
      const child = this.running.get(who)
      child?.kill('SIGINT')
      const late = setTimeout(() => child?.kill('SIGKILL'), PATIENCE)
      await end
      clearTimeout(late)
    }
    process.off('exit', this.end)
  }

  private async run(who: string, start: () => ChildProcess): Promise<void> {
    while (!this.stopping) {
      const child = start()
      this.running.set(who, child)
      if (child.pid !== undefined) this.heard.onStarted?.(who, child.pid)
      let last = ''
      const hear = (stream: NodeJS.ReadableStream | null, forPeople: boolean) => {
        if (!stream) return
        createInterface({ input: stream }).on('line', (line) => {
          last = line
          this.heard.onLine(who, line, forPeople)
        })
      }
      hear(child.stdout, false)
      hear(child.stderr, true)
      const { code, signal } = await new Promise<{ code: number | null; signal: string | null }>((resolve) => {
        child.once('error', () => resolve({ code: MENDABLE, signal: null }))
        child.once('close', (code, signal) => resolve({ code, signal }))
      })
      this.running.delete(who)
      if (this.stopping || code === 0) return
      if (code === MENDABLE || (signal === null && who === BROKER)) {
        this.fail(
          new InputError(
            who,
            `cannot go on: ${last || `it ended with code ${code}`}`,
            'Mend that and start again; nothing logged is lost',
          ),
        )
        return
      }
      this.heard.onLine(who, `ended by ${signal ?? `code ${code}`}; it begins anew`, true)
      await new Promise((resolve) => setTimeout(resolve, AGAIN))
    }
  }
}

/** One that falls by itself cannot listen, or read its settings. */
export const BROKER = 'broker'
