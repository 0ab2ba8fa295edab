/** @file Starts the learner's thread, and knows when it is gone. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { decodeError, encodeError, LostError } from '../errors.ts'
import { LocalLink } from '../link/local.ts'
import type { LinkEvents } from '../link/ports.ts'
import type { LearnerSetup } from './learner-process.ts'

const THREAD = new URL('./learner-thread.mjs', import.meta.url)
const PATIENCE = 1000 // ms that a learner is given to finish the update that runs

/** Resolved by its `ready` when the programs are compiled and, where the setup names one, the checkpoint is loaded. */
export function startLearner(setup: LearnerSetup, events: LinkEvents): LocalLink {
  const worker = new Worker(THREAD, { workerData: setup })
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  let gone = false
  const link = new LocalLink(
    worker,
    setup.run,
    async () => {
      if (!gone) await Promise.race([ended, sleep(PATIENCE, undefined, { ref: false })])
      if (!gone) await worker.terminate()
    },
    events,
  )
  worker.on('error', (error) => link.lose(whyOf(error)))
  worker.on('exit', (code) => {
    gone = true
    link.lose(new LostError('the learner', `its thread ended (exit code ${code})`, RESUME))
  })
  return link
}

const RESUME = 'Resume the run: nothing logged is lost'

function whyOf(error: unknown): Error {
  const { code, message } = (error ?? {}) as NodeJS.ErrnoException
  if (code === 'ERR_WORKER_OUT_OF_MEMORY')
    return new LostError(
      'the learner',
      `its thread ran out of memory (${message})`,
      `Lower replay.capacity or learner.batch. ${RESUME}`,
    )
  return decodeError(encodeError(error))
}
