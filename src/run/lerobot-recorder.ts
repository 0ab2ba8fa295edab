/** @file Keeps a LeRobot dataset beside a run while it goes on (`--record-lerobot`): an episode is in it soon after it has ended. */
import { resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import { decodeError, type ErrorData, encodeError, LostError } from '../errors.ts'
import type { Exported } from './lerobot.ts'
import type { RunListener } from './train.ts'

const THREAD = new URL('./lerobot-thread.mjs', import.meta.url)

export type RecorderSetup = { run: string; folder: string; video: boolean }
export type ToRecorder = 'advance' | 'close'
export type FromRecorder =
  | { kind: 'ready' }
  | { kind: 'closed'; exported: Exported }
  | { kind: 'failed'; error: ErrorData }

export type LerobotRecorder = {
  listener: RunListener
  /** Once all that the run recorded is in the set. @throws what went wrong, unless `onTrouble` has been told of it */
  close(): Promise<Exported | undefined>
}

/**
 * `run` is a run's folder, `folder` the set's. A disk that is full ends the recording, not the run: `onTrouble` hears of it, and
 * `duet export lerobot` goes on where it stopped. @throws InputError if the folder holds something else
 */
export async function recordLerobot(
  run: string,
  folder: string,
  { video = false, onTrouble }: { video?: boolean; onTrouble: (error: Error) => void },
): Promise<LerobotRecorder> {
  const setup: RecorderSetup = { run: resolve(run), folder: resolve(folder), video }
  const worker = new Worker(THREAD, { workerData: setup })
  let trouble: Error | undefined
  let settle: (exported: Exported | undefined) => void = () => {}
  const closed = new Promise<Exported | undefined>((resolve) => {
    settle = resolve
  })
  await new Promise<void>((ready, refuse) => {
    const fail = (error: Error) => {
      if (!trouble) onTrouble(error)
      trouble ??= error
      settle(undefined)
    }
    let lost = (error: Error) => refuse(error)
    worker.on('message', (message: FromRecorder) => {
      if (message.kind === 'failed') lost(decodeError(message.error))
      if (message.kind === 'closed') settle(message.exported)
      if (message.kind !== 'ready') return
      lost = fail
      ready()
    })
    worker.on('error', (error) => lost(decodeError(encodeError(error))))
    worker.on('exit', (code) => {
      if (code !== 0)
        lost(new LostError('the dataset of the run', `its thread ended (exit code ${code})`, 'Export it later'))
    })
  })
  const tell = (message: ToRecorder) => {
    if (!trouble) worker.postMessage(message)
  }
  return {
    listener: {
      started: ({ metrics }) => {
        tell('advance') // not before: until the run is open its logs may be repaired, which puts others in their place
        metrics.listen((metric) => {
          if (metric.kind === 'episode') tell('advance') // its end is in the log
        })
      },
    },
    close() {
      tell('close')
      return closed
    },
  }
}
