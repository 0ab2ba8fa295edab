/** @file Who did what at the console, and what was refused: one JSON line each, in the run's folder. */
import { appendFileSync } from 'node:fs'

export type Entry = { what: string; client?: string; name?: string; address?: string; [detail: string]: unknown }

const KEPT = 1000 // lines that wait for a folder

export class Journal {
  private file: string | null = null
  private readonly waiting: string[] = []

  /** `heard` is told of each line as well. */
  constructor(private readonly heard: (entry: Entry) => void = () => {}) {}

  /** From now on lines go into this file, and those from before with them. */
  open(file: string): void {
    this.file = file
    if (this.waiting.length > 0) appendFileSync(file, this.waiting.splice(0).join(''))
  }

  write(entry: Entry): void {
    const line = `${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`
    if (this.file) appendFileSync(this.file, line)
    else if (this.waiting.length < KEPT) this.waiting.push(line)
    this.heard(entry)
  }
}
