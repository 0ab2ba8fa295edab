/** @file What lies on disk below a folder. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** The files below a folder, in order of their names. */
export const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()

/** Their bytes; one that goes meanwhile counts as none. */
export const bytesBelow = (folder: string): number =>
  filesBelow(folder).reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0)
