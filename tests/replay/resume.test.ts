import fs from 'node:fs'
import { expect, it } from 'vitest'
import { RandomStream } from '../../src/random/stream.ts'
import { EpisodeLog, type ReplayBuffer, readEpisodes } from '../../src/replay/index.ts'
import type { Observation } from '../../src/robot/robot.ts'
import { aReplay, checkRows, encoded, frameOf, type Plan, rows, startOf, stepOf } from './numbered.ts'
import { aFolder, aRobot, observationOf } from './scenes.ts'

const plans: Plan[] = [
  { episode: 1, steps: 12, source: 'demonstration' },
  { episode: 2, steps: 15, operator: (t) => t > 3 && t < 9 },
  { episode: 3, steps: 9, task: 'pick', last: { reward: 1, terminated: true }, end: { ending: 'success' } },
]

/** Stands for the encoder: what it sees decides the frame. */
const encode = ({ time }: Observation) => encoded(frameOf(Math.floor(time / 100 + 1e-9), Math.round((time % 100) * 10)))

function sample(replay: ReplayBuffer) {
  const out = rows(600)
  const random = new RandomStream(33, 'sampling')
  replay.sampleTransitions({ task: 'place', count: 300 }, random, out)
  replay.sampleTransitions({ task: 'pick', count: 300, offset: 300 }, random, out)
  checkRows(out, 0, 600)
  return out
}

it('a replay rebuilt from the log is the one that was fed live: same counts, labels, returns and draws', () => {
  const folder = aFolder()
  const log = EpisodeLog.open(folder, aRobot())
  const live = aReplay()
  for (const plan of plans) {
    const first = observationOf(plan.episode, 0)
    log.begin(startOf(plan), first)
    live.begin(startOf(plan), encode(first))
    for (let t = 0; t < plan.steps; t++) {
      const next = observationOf(plan.episode, t + 1)
      log.step(stepOf(plan, t), next)
      live.step(plan.episode, stepOf(plan, t), encode(next))
    }
    log.end(plan.end ?? { ending: 'timeout' })
    live.end(plan.episode, plan.end ?? { ending: 'timeout' })
  }
  log.close()

  const resumed = aReplay()
  for (const { start, observations, steps, end } of readEpisodes(folder, aRobot())) {
    resumed.begin(start, encode(observations[0]!))
    steps.forEach((step, t) => {
      resumed.step(start.episode, step, encode(observations[t + 1]!))
    })
    resumed.end(start.episode, end)
  }
  expect(resumed.stats()).toEqual(live.stats())
  expect(live.stats().tasks.place!.labels).toEqual({ 'move backward': 3, '[null]': 2 })
  expect(sample(resumed)).toEqual(sample(live))
  fs.rmSync(folder, { recursive: true })
})
