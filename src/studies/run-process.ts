/** @file The process of one run: trains the folder given to it, tells its parent how far it is, stops when told or orphaned. */
import { existsSync } from 'node:fs'
import { InputError, LostError, ShapeError } from '../errors.ts'
import { healthListener } from '../review/health/watch.ts'
import { reportListener } from '../review/report/index.ts'
import { RunFolder } from '../run/folder.ts'
import type { Progress } from '../run/progress.ts'
import { resumeListener } from '../run/resume.ts'
import { train } from '../run/train.ts'

export type FromRun = { kind: 'progress'; progress: Progress } | { kind: 'failed'; message: string }

const stop = new AbortController()
process.on('SIGINT', () => {}) // a terminal sends it to all; the parent decides
process.on('message', () => stop.abort())
process.on('disconnect', () => stop.abort())

const tell = (message: FromRun) => process.connected && process.send?.(message)

try {
  const { folder, config } = RunFolder.open(process.argv[2]!)
  const resumed = existsSync(folder.metrics)
  await train(folder, config, {
    onProgress: (progress) => tell({ kind: 'progress', progress }),
    stop: stop.signal,
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
  if ([InputError, LostError, ShapeError].some((kind) => error instanceof kind)) return (error as Error).message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
