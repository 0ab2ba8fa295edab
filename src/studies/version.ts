/** @file Which version of the program this is, as git names it. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Nearest tag or short hash, with `-dirty` for a changed tree; undefined where there is no git or no repository. */
export const version = (): string | undefined => (asked ??= { of: describe() }).of

let asked: { of: string | undefined } | undefined // once a process: the tree may change, what runs does not

function describe(): string | undefined {
  const cwd = fileURLToPath(new URL('../..', import.meta.url))
  try {
    const words = ['describe', '--always', '--dirty', '--tags']
    return execFileSync('git', words, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return undefined
  }
}
