/** @file Shows how far a command is: a bar on a terminal, a line now and then elsewhere (logs, CI). */
import { SingleBar } from 'cli-progress'
import type { Progress } from '../run/progress.ts'

const LINE_EVERY = 15_000 // ms between two lines of the same stage, off a terminal

export class ProgressDisplay {
  private bar?: SingleBar
  private stage = ''
  private lastLine = 0

  constructor(private readonly stream: NodeJS.WriteStream = process.stderr) {}

  show({ stage, done, total, note = '' }: Progress): void {
    if (this.stream.isTTY) this.showBar(stage, done, total, note)
    else this.showLine(stage, done, total, note)
  }

  /** A line that stays, above the bar. */
  say(line: string): void {
    this.close()
    this.stream.write(`${line}\n`)
  }

  close(): void {
    this.leave()
    process.off('exit', this.leave)
    this.bar = undefined
    this.stage = ''
  }

  /** Gives the terminal its cursor and its line ends back, also where a signal ends the process. */
  private readonly leave = () => this.bar?.stop()

  private showBar(stage: string, done: number, total: number, note: string): void {
    if (stage !== this.stage) {
      this.close()
      const format = `${stage.padEnd(26)} {bar} {at} of {end}  {note}`
      this.bar = new SingleBar({ format, stream: this.stream, barsize: 24, hideCursor: true })
      this.bar.start(total, 0, { at: 0, end: round(total), note })
      process.on('exit', this.leave)
      this.stage = stage
    }
    this.bar!.update(done, { at: round(done), end: round(total), note })
  }

  private showLine(stage: string, done: number, total: number, note: string): void {
    const now = Date.now()
    if (stage === this.stage && done < total && now - this.lastLine < LINE_EVERY) return
    this.stage = stage
    this.lastLine = now
    this.stream.write(`${stage}: ${round(done)} of ${round(total)}${note && `  ${note}`}\n`)
  }
}

const round = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(1))
