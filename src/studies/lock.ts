/** @file One process at a time works on a run: two would write into the same log. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../errors.ts'

/** Takes the folder for this process. @returns what gives it back. @throws InputError if a living process has it */
export function lock(folder: string): () => void {
  const file = join(folder, 'process.lock')
  const holder = existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined
  if (holder && isAlive(holder))
    throw new InputError(
      folder,
      `process ${holder} works on it`,
      `Wait for it, or delete ${file} if it is another program`,
    )
  rmSync(file, { force: true }) // of a process that was killed
  writeFileSync(file, String(process.pid), { flag: 'wx' })
  return () => rmSync(file, { force: true })
}

function isAlive(id: number): boolean {
  try {
    process.kill(id, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
