// Loaded before the `duet` command: gives the run a learner that dies on cue, and writes down what the robot is told.
import { appendFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import threads from 'node:worker_threads'
import { register } from 'tsx/esm/api'

const { DEATH_NOTES } = process.env
const note = (what) => appendFileSync(DEATH_NOTES, `${what} ${performance.timeOrigin + performance.now()}\n`)

if (threads.isMainThread && DEATH_NOTES) {
  const { Worker } = threads
  threads.Worker = class extends Worker {
    constructor(file, options) {
      const learner = String(file).endsWith('learner-thread.mjs') && process.env.DEATH_HOW
      const resourceLimits = { maxOldGenerationSizeMb: 200 }
      super(learner ? new URL('./thread.mjs', import.meta.url) : file, learner ? { ...options, resourceLimits } : options)
    }
  }
  syncBuiltinESMExports()
  const unregister = register()
  const { SafeRobot } = await import('../../../src/robot/safety.ts')
  await unregister() // the command has its own: what passes through two is read twice as long
  for (const method of ['stop', 'step', 'reset']) {
    const told = SafeRobot.prototype[method]
    SafeRobot.prototype[method] = function (...args) {
      note(method)
      return told.apply(this, args)
    }
  }
}
