/** @file Who did what at the console, and what was refused: one JSON line each, in the run's folder. */
import { appendFileSync, statSync, truncateSync } from 'node:fs'

export type Entry = { what: string; client?: string; name?: string; address?: string; [detail: string]: unknown }

const KEPT = 1000 // lines that wait for a folder

export class Journal {
  private file: string | null = null
  private waiting: string[] = []
  private failed = false

  /** `onFailure` hears once that a line could not be written: that is no reason to lose a robot. */
  constructor(private readonly onFailure: (why: string) => void) {}

  /** From now on lines go into this file, and those from before with them. */
  open(file: string): void {
    this.file = file
    this.append(this.waiting.join(''))
    this.waiting = []
  }

  write(entry: Entry): void {
    const line = `${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`
    if (this.file !== null) this.append(line)
    else if (this.waiting.length < KEPT) this.waiting.push(line)
  }

  private append(text: string): void {
    let size: number | undefined
    try {
      size = statSync(this.file!, { throwIfNoEntry: false })?.size
      appendFileSync(this.file!, text)
    } catch (error) {
      if (size !== undefined) this.cutTo(size)
      if (!this.failed) this.onFailure((error as Error).message)
      this.failed = true
    }
  }

  /** No half a line in front of the next one, as far as the file lets itself be cut. */
  private cutTo(size: number): void {
    try {
      truncateSync(this.file!, size)
    } catch {
      // told already: it is not written
    }
  }
}
