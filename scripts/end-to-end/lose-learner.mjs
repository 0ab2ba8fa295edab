// Loaded before a training: its learner's thread dies when the file named by DUET_LOSE_LEARNER appears.
import { existsSync } from 'node:fs'
import { isMainThread, workerData } from 'node:worker_threads'

const file = process.env.DUET_LOSE_LEARNER
if (!isMainThread && file && workerData?.learner)
  setInterval(() => {
    if (existsSync(file)) throw new Error('the learner was lost on purpose')
  }, 10)
