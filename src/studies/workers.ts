/** @file The real workers: a process for each training run, and the scripted expert for demonstrations. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { InputError } from '../errors.ts'
import { Course } from '../loop/failure.ts'
import type { RunConfig } from '../run/config.ts'
import { ensureDemonstrations } from '../run/demonstrations-of-run.ts'
import type { RunFolder } from '../run/folder.ts'
import type { OnProgress } from '../run/progress.ts'
import { openSession } from '../run/session.ts'
import type { FromRun } from './run-process.ts'
import type { Workers } from './workbench.ts'

const RUN_PROCESS = fileURLToPath(new URL('./run-process.mjs', import.meta.url))

export const workers: Workers = { train, record }

/** Each run in a process of its own: native memory ends with it, and runs go side by side. */
function train(folder: RunFolder, onProgress: OnProgress, signal: AbortSignal): Promise<void> {
  const child = fork(RUN_PROCESS, [folder.path], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const stop = () => child.connected && child.send('stop')
  signal.addEventListener('abort', stop)
  let failure: string | undefined
  child.on('message', (message: FromRun) => {
    if (message.kind === 'progress') onProgress(message.progress)
    else failure = message.message
  })
  return new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, by) => {
      if (code === 0) resolve()
      else reject(failed(folder, failure ?? `its process ended with ${by ?? `code ${code}`}`))
    })
  }).finally(() => signal.removeEventListener('abort', stop))
}

const failed = (folder: RunFolder, what: string) =>
  new InputError(folder.path, what, 'The same command goes on with this run once that is mended')

async function record(path: string, config: RunConfig, onProgress: OnProgress, signal: AbortSignal): Promise<void> {
  const session = await openSession(config)
  const own = { ...config, demonstrations: { ...config.demonstrations, path: undefined } }
  try {
    await ensureDemonstrations({ demonstrations: path }, own, session, onProgress, new Course(undefined, signal))
  } finally {
    await session.close()
  }
}
