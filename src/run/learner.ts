/**
 * @file Starts the learner's thread, and knows when it is gone. Nobody else ends it: a thread that is terminated inside
 * onnxruntime, where it is nearly all of its time, takes the process with it by an abort (exit code 134).
 */
import { Worker } from 'node:worker_threads'
import { decodeError, encodeError, LostError } from '../errors.ts'
import { LinkClient } from '../link/client.ts'
import type { LearnerLink, LinkEvents } from '../link/ports.ts'
import type { LearnerSetup } from './learner-process.ts'

const THREAD = new URL('./learner-thread.mjs', import.meta.url)
const alive = new Set<Promise<void>>()

/** Whether a learner's thread lives in this process. */
export const learnersLive = (): boolean => alive.size > 0

/** Resolves when those are gone that live now. It tells none of them to end. */
export const learnersGone = async (): Promise<void> => void (await Promise.all(alive))

/** Whoever makes a learner of a setup, wherever it runs. */
export type StartLearner = (setup: LearnerSetup, events: LinkEvents) => LearnerLink | Promise<LearnerLink>

/** Resolved by its `ready` when the programs are compiled and, where the setup names one, the checkpoint is loaded. */
export function startLearner(setup: LearnerSetup, events: LinkEvents): LinkClient {
  const worker = new Worker(THREAD, { workerData: setup })
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  alive.add(ended)
  const link = new LinkClient(worker, setup.run, () => ended, events)
  worker.on('error', (error) => link.lose(whyOf(error)))
  worker.on('exit', (code) => {
    alive.delete(ended)
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
