/** @file Which version of the program this is: as the package says it, and as git names it. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Nearest tag or short hash, with `-dirty` for a changed tree; undefined where there is no git or no repository. */
export const version = (): string | undefined => (asked ??= { of: describe() }).of

/** "0.1.0 (4d7e1de)", or "0.1.0" where there is no repository. */
export function duetVersion(): string {
  const { version: released } = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8')) as { version: string }
  const commit = version()
  return commit === undefined ? released : `${released} (${commit})`
}

let asked: { of: string | undefined } | undefined // once a process: the tree may change, what runs does not

function describe(): string | undefined {
  if (!existsSync(`${ROOT}/.git`)) return undefined // installed: a repository around it is somebody else's
  try {
    const words = ['describe', '--always', '--dirty', '--tags']
    return execFileSync('git', words, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return undefined
  }
}
