/** @file Shows how far several runs are: a line for each stage begun, and one now and then, with the wall time so far. */
import type { Progress } from '../run/progress.ts'

const LINE_EVERY = 30_000 // ms between two lines of the same stage of one run

export class RunsDisplay {
  private readonly startedAt = performance.now()
  private readonly last = new Map<string, { stage: string; at: number }>()

  constructor(private readonly stream: Pick<NodeJS.WriteStream, 'write'> = process.stderr) {}

  show(experiment: string, run: string, { stage, done, total, note = '' }: Progress): void {
    const now = performance.now()
    const key = `${experiment} ${run}`
    const last = this.last.get(key)
    if (last?.stage === stage && now - last.at < LINE_EVERY) return
    this.last.set(key, { stage, at: now })
    const seconds = Math.floor((now - this.startedAt) / 1000)
    const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
    const figures = stage && `  ${stage} ${round(done)} of ${round(total)}`
    this.stream.write(`[${clock}] ${key}${figures}${note && `  ${note}`}\n`)
  }
}

const round = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(1))
