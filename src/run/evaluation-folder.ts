/**
 * @file Where an evaluation keeps what belongs to it, whose policy comes without a run: the settings, each trial as it is made,
 * and who told the robot what at the console.
 */
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { stringify } from 'yaml'
import type { RunConfig } from './config.ts'
import { RunFolder } from './folder.ts'

/**
 * One that was stopped before its last trial, with the same settings, goes on; else a new one, numbered where its name is taken.
 * `policy`: a file, or the address of a server.
 */
export function evaluationFolder(runs: string, policy: string, config: RunConfig): RunFolder {
  const name = `evaluation-of-${basename(policy).replace(/[^\w.-]+/g, '-')}`
  for (let i = 1; ; i++) {
    const folder = new RunFolder(join(runs, i === 1 ? name : `${name}-${i}`))
    if (!existsSync(folder.config)) return RunFolder.create(folder.path, config)
    if (existsSync(folder.trialsApart) && stringify(RunFolder.open(folder.path).config) === stringify(config))
      return folder
  }
}
