// The `duet` command, with a learner that dies on cue, and with what the robot is told written down.
import { appendFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import threads from 'node:worker_threads'
import { openModule } from '../../../bin/program.mjs'

const { DEATH_NOTES, DEATH_HOW } = process.env
const note = (what) => appendFileSync(DEATH_NOTES, `${what} ${performance.timeOrigin + performance.now()}\n`)

const { Worker } = threads
threads.Worker = class extends Worker {
  constructor(file, options) {
    const learner = String(file).endsWith('learner-thread.mjs') && DEATH_HOW
    const resourceLimits = { maxOldGenerationSizeMb: 200 }
    super(learner ? new URL('./thread.mjs', import.meta.url) : file, learner ? { ...options, resourceLimits } : options)
  }
}
syncBuiltinESMExports()

const { SafeRobot } = await openModule('robot/safety')
for (const method of ['stop', 'step', 'reset']) {
  const told = SafeRobot.prototype[method]
  SafeRobot.prototype[method] = function (...args) {
    note(method)
    return told.apply(this, args)
  }
}
// The expert needs fewer steps than these to pick; an actor that has learned nothing uses up all that it is given.
const { supervisedBy } = SafeRobot.prototype
SafeRobot.prototype.supervisedBy = function (names) {
  for (const task of Object.values(this.spec.tasks)) task.maxSteps = 25
  supervisedBy.call(this, names)
}
await openModule('cli/main')
