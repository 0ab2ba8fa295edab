/** @file The real learner, but that it dies: how and when is said by the environment of the process. */
import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync } from 'node:fs'
import { openModule } from '../../../bin/program.mjs'

const { InputError } = await openModule('errors')
const { openLearner } = await openModule('run/learner-process')

const { DEATH_NOTES, DEATH_HOW, DEATH_WHEN } = process.env

function die() {
  if (DEATH_HOW === 'native') return void spawnSync('sleep', ['8'])
  appendFileSync(DEATH_NOTES, `death ${performance.timeOrigin + performance.now()}\n`)
  if (DEATH_HOW === 'error') throw new TypeError('the learner tripped')
  if (DEATH_HOW === 'input') throw new InputError('setting "learner.x"', 'cannot be', 'Choose another')
  if (DEATH_HOW === 'exit') process.exit(3)
  const full = []
  for (;;) full.push(new Array(100_000).fill(0.5)) // numbers alone: nothing that a collector has to walk through
}

export async function mortal(setup) {
  const when = DEATH_WHEN
  if (when === 'opening') die()
  const learner = await openLearner(setup)
  let steps = 0
  let demonstrating = true
  if (when === 'cue')
    setInterval(() => {
      if (existsSync(`${DEATH_NOTES}.cue`)) die()
    }, 10)
  return {
    begin(start, observation) {
      demonstrating = start.source === 'demonstration'
      learner.begin(start, observation)
    },
    step(episode, step, next) {
      learner.step(episode, step, next)
      if (when === 'idle' && !demonstrating && ++steps === 5) setTimeout(die, 1)
    },
    end: (episode, end) => learner.end(episode, end),
    get updates() {
      return learner.updates
    },
    canUpdate: (phase) => learner.canUpdate(phase),
    update(phase) {
      if ((when === 'warm-up' && phase === 'warm-up') || (when === 'block' && phase === 'online')) die()
      return learner.update(phase)
    },
    actorParameters: () => learner.actorParameters(),
    save(name) {
      if (when === 'save') die()
      return learner.save(name)
    },
    release: () => learner.release(),
  }
}
