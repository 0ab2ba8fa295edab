/** @file The repository's own text files, for the tests about the house itself. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** A file's text; `path` counts from the root of the repository. */
export const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** Paths from the root, of all files below these folders whose names end like this. */
export const filesUnder = (folders: readonly string[], ends: RegExp): string[] =>
  folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && ends.test(entry.name))
      .map((entry) => join(folder, entry.parentPath.slice(join(root, folder).length), entry.name)),
  )
