/** @file Starts a thread that makes trials of an evaluation. Without it an evaluation takes longer, and comes to the same. */
import { decodeError, type ErrorData, encodeError, LostError } from '../errors.ts'
import type { TrialMaker, TrialStart } from '../loop/evaluate.ts'
import type { EpisodeSummary } from '../loop/happening.ts'
import { startThread } from './threads.ts'
import type { ActingSetup } from './trained.ts'

const THREAD = new URL('./evaluator-thread.mjs', import.meta.url)

export type ToEvaluator = { kind: 'make'; trial: TrialStart } | { kind: 'leave' }
export type FromEvaluator = { kind: 'made'; summary: EpisodeSummary } | { kind: 'failed'; error: ErrorData }

export type Evaluator = TrialMaker & {
  /** Once its thread is gone. */
  close(): Promise<void>
}

/** `onTrouble`: it makes no more trials, which others then make. */
export function startEvaluator(setup: ActingSetup, onTrouble: (error: Error) => void): Evaluator {
  const { worker, ended } = startThread(THREAD, setup)
  let asked: { resolve(summary: EpisodeSummary): void; reject(error: Error): void } | undefined
  let lost: Error | undefined
  let leaving = false
  const lose = (error: Error) => {
    if (lost) return
    lost = error
    if (!leaving) onTrouble(error)
    asked?.reject(error)
  }
  worker.on('message', (message: FromEvaluator) => {
    if (message.kind === 'made') asked?.resolve(message.summary)
    else lose(decodeError(message.error))
  })
  worker.on('error', (error) => lose(decodeError(encodeError(error))))
  worker.on('exit', (code) => lose(new LostError('evaluation', `a thread of it ended (exit code ${code})`, '')))
  const tell = (message: ToEvaluator) => worker.postMessage(message)
  return {
    make(trial) {
      return new Promise((resolve, reject) => {
        if (lost) return reject(lost)
        asked = { resolve, reject }
        tell({ kind: 'make', trial })
      })
    },
    close() {
      leaving = true
      tell({ kind: 'leave' })
      return ended
    },
  }
}
