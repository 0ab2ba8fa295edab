/**
 * @file The trials of an evaluation of real robots, kept one by one as they are made: each costs a person minutes. They count
 * for the policy that made them alone.
 */
import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { z } from 'zod'
import type { EpisodeSummary } from '../loop/happening.ts'
import { ENDINGS } from '../replay/episode.ts'
import { JUDGES } from '../replay/transition.ts'

const Kept = z.object({
  stage: z.string(),
  version: z.number(), // updates that the policy holds
  cell: z.string(),
  task: z.string(),
  seed: z.number(),
  ending: z.enum(ENDINGS).exclude(['interrupted', 'abort']),
  length: z.number(),
  by: z.enum(JUDGES).optional(),
})
type Kept = z.infer<typeof Kept>

export class Trials {
  private readonly kept: Kept[]
  private torn: boolean // the last line is not whole: what comes next must not stand on it

  constructor(
    private readonly file: string,
    private readonly of: Pick<Kept, 'stage' | 'version'>,
  ) {
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : ['']
    this.torn = lines.at(-1) !== ''
    this.kept = lines.slice(0, -1).flatMap(keptIn)
  }

  /** One that was made before with this policy, in the same stage. */
  made(cell: string, task: string, seed: number): EpisodeSummary | undefined {
    const { stage, version } = this.of
    const found = this.kept.find(
      (one) =>
        one.stage === stage && one.version === version && one.cell === cell && one.task === task && one.seed === seed,
    )
    if (!found) return undefined
    const { ending, length, by } = found
    return { task, seed, ending, length, by, operatorSteps: 0, spokenSteps: 0, commands: 0, segments: [] }
  }

  keep(cell: string, { task, seed, ending, length, by }: EpisodeSummary): void {
    const line = JSON.stringify({ ...this.of, cell, task, seed, ending, length, by })
    const apart = this.torn ? '\n' : ''
    this.torn = true // until all of it is there
    appendFileSync(this.file, `${apart}${line}\n`)
    this.torn = false
  }

  /** The evaluation is over, and noted elsewhere. */
  remove(): void {
    rmSync(this.file, { force: true })
  }
}

/** A line that a kill has damaged is a trial that is made again. */
function keptIn(line: string): Kept[] {
  try {
    return [Kept.parse(JSON.parse(line))]
  } catch {
    return []
  }
}
