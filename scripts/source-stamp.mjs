/** @file What the program's source looks like from outside: equal stamps, equal source. Uses Node's own modules only. */
import { createHash } from 'node:crypto'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const BUNDLER = 'scripts/bundle.mjs'

/** Where the clone lies, and of all files of `src` but the console's page: path, size and time of the last change. */
export function sourceStamp() {
  const hash = createHash('sha256').update(ROOT)
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).sort()
  for (const file of [BUNDLER, ...files.map((file) => join('src', file))]) {
    if (file.startsWith(join('src', 'console', 'web'))) continue
    const found = statSync(join(ROOT, file), { throwIfNoEntry: false })
    hash.update(`${file} ${found?.size} ${found?.mtimeMs}\n`)
  }
  return hash.digest('hex')
}
