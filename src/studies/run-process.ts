/** @file The process of one run: trains the folder given to it, tells its parent how far it is, stops when told or orphaned. */
import { existsSync } from 'node:fs'
import { InputError } from '../errors.ts'
import { healthListener } from '../review/health/watch.ts'
import { reportListener } from '../review/report/index.ts'
import { RunFolder } from '../run/folder.ts'
import type { Progress } from '../run/opening.ts'
import { resumeListener } from '../run/resume.ts'
import { train } from '../run/train.ts'

export type FromRun = { kind: 'progress'; progress: Progress } | { kind: 'failed'; message: string }

let stopping = false
process.on('SIGINT', () => {}) // a terminal sends it to all; the parent decides
process.on('message', () => (stopping = true))
process.on('disconnect', () => (stopping = true))

const tell = (message: FromRun) => process.connected && process.send?.(message)

try {
  const { folder, config } = RunFolder.open(process.argv[2]!)
  const resumed = existsSync(folder.metrics)
  await train(folder, config, {
    onProgress: (progress) => tell({ kind: 'progress', progress }),
    stopping: () => stopping,
    listeners: [...(resumed ? [resumeListener(folder, [])] : []), healthListener(), reportListener],
  })
} catch (error) {
  tell({ kind: 'failed', message: describe(error) })
  process.exitCode = 1
} finally {
  if (process.connected) process.disconnect?.()
}

/** What a person can act on needs no stack; the rest does. */
function describe(error: unknown): string {
  if (error instanceof InputError) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
