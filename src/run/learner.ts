/** @file Starts the learner's thread, and tells of its loss. */
import { decodeError, encodeError, LostError } from '../errors.ts'
import { LinkClient } from '../link/client.ts'
import type { LearnerLink, LinkEvents } from '../link/ports.ts'
import type { LearnerSetup } from './learner-process.ts'
import { startThread } from './threads.ts'

const THREAD = new URL('./learner-thread.mjs', import.meta.url)

/** Whoever makes a learner of a setup, wherever it runs. */
export type StartLearner = (setup: LearnerSetup, events: LinkEvents) => LearnerLink | Promise<LearnerLink>

/** Resolved by its `ready` when the programs are compiled and, where the setup names one, the checkpoint is loaded. */
export function startLearner(setup: LearnerSetup, events: LinkEvents): LinkClient {
  const { worker, ended } = startThread(THREAD, setup)
  const link = new LinkClient(worker, setup.run, () => ended, events)
  worker.on('error', (error) => link.lose(whyOf(error)))
  worker.on('exit', (code) => link.lose(new LostError('the learner', `its thread ended (exit code ${code})`, RESUME)))
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
