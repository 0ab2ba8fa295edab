/** @file The other processes of a proof in real time: started, listened to for a line, ended. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { getPriority } from 'node:os'
import { fileURLToPath } from 'node:url'

const duet = fileURLToPath(new URL('../../bin/duet.mjs', import.meta.url))
const LAST_WORDS = 4000 // characters that are shown of one that failed
const FIRST = -10 // niceness of a process that stands for a computer of its own

/** Those that are still there end with this process, however it ends. */
const started = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of started) child.kill()
})

export class Process {
  private said = ''
  private readonly ended: Promise<number | null>

  constructor(
    readonly name: string,
    private readonly child: ChildProcess,
  ) {
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (part: Buffer) => {
        this.said += part.toString()
      })
    started.add(child)
    this.ended = once(child, 'close').then(([code]) => {
      started.delete(child)
      return code as number | null
    })
  }

  get output(): string {
    return this.said
  }

  get pid(): number {
    return this.child.pid!
  }

  /** Whether it comes before the others on their cores: it asks for that, and only root is given it. */
  get comesFirst(): boolean {
    return getPriority(this.pid) < 0
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  /** The first group of a line that it says. @throws Error where it ends, or `seconds` pass, without it */
  async says(line: RegExp, seconds = 600): Promise<string> {
    for (const end = Date.now() + 1000 * seconds; Date.now() < end; ) {
      const [, group] = line.exec(this.said) ?? []
      if (group !== undefined) return group
      if (!this.alive) break
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    throw new Error(`${this.name} did not say ${line}:\n${this.said.slice(-LAST_WORDS)}`)
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.child.kill(signal)
  }

  /** Exit code; null where a signal ended it. */
  end(): Promise<number | null> {
    return this.ended
  }
}

type Options = {
  env?: Record<string, string>
  before?: string[] // arguments of Node itself
  ownComputer?: boolean // a robot's server has one: where root starts the proof, it comes first on the cores that it shares
}

function node(name: string, args: string[], { env = {}, ownComputer = false }: Options): Process {
  const words = [...(ownComputer ? ['nice', '-n', String(FIRST)] : []), process.execPath, ...args] // threads inherit it
  const [program, ...rest] = words as [string, ...string[]]
  return new Process(name, spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } }))
}

export const startDuet = (name: string, args: string[], options: Options = {}): Process =>
  node(name, [...(options.before ?? []), duet, ...args], options)

/** `file`: of this folder. */
export const startScript = (name: string, file: string, args: string[], options: Options = {}): Process =>
  node(name, ['--import', 'tsx', fileURLToPath(new URL(file, import.meta.url)), ...args], options)
