/** @file (c) Control steps per second of the simulated workcell, both cameras rendered, on one core. */

import { median } from '../src/metrics/statistics.ts'
import { demonstrator } from '../src/robots/workcell/demonstrator.ts'
import { Workcell } from '../src/robots/workcell/workcell.ts'
import { rounded } from './measure.ts'

const STEPS = 250
const ROUNDS = 5

export type EnvFigures = { stepsPerSecond: number; fourBoltsStepsPerSecond: number }

export async function benchEnv(): Promise<EnvFigures> {
  return { stepsPerSecond: rounded(await stepRate(1)), fourBoltsStepsPerSecond: rounded(await stepRate(4)) }
}

/** The scripted expert acts, since contacts cost more than free motion; resets are part of the time. */
async function stepRate(bolts: 1 | 4): Promise<number> {
  const workcell = await Workcell.create({ bolts })
  const tasks = Object.keys(workcell.spec.tasks)
  let seed = 0
  const rates: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const start = performance.now()
    for (let steps = 0; steps < STEPS; ) {
      const task = tasks[seed % tasks.length]
      await workcell.reset(task!, seed)
      const act = demonstrator(() => workcell.truth(), seed++, { noise: 0.1 })
      for (let t = 0; t < workcell.spec.tasks[task!]!.maxSteps && steps < STEPS; t++, steps++)
        if ((await workcell.step(act())).terminated) break
    }
    if (round > 0) rates.push((1000 * STEPS) / (performance.now() - start)) // the first round compiles
  }
  workcell.free()
  return median(rates)
}
