/**
 * @file (f) The console beside a training at 10 Hz: how regular the control loop is with three pages open, how long an input
 * and a stop take to the motors, and how much the arm's speed jumps at a takeover. The pages live in another thread.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { RunLibrary } from '../src/console/server/library.ts'
import { RunObserver } from '../src/console/server/observer.ts'
import { ProprioReader } from '../src/console/server/pose.ts'
import { ConsoleServer } from '../src/console/server/server.ts'
import { median } from '../src/metrics/statistics.ts'
import type { Action } from '../src/robot/robot.ts'
import { RunFolder } from '../src/run/folder.ts'
import { presets } from '../src/run/presets.ts'
import { mergeSettings, parseConfig } from '../src/run/resolve.ts'
import { openSession } from '../src/run/session.ts'
import { train } from '../src/run/train.ts'
import { rounded } from './measure.ts'

/** What the pages did and saw; times are ms since 1970, on the clock that both threads share. */
export type PageReport = {
  inputs: { at: number; from: number; to: number }[] // the device's z changed
  stops: { at: number; readBack: number }[]
  frameAges: number[]
  loop: { rate: number; jitterMedian: number; jitter99: number; steps: number }
}

type Moment = { at: number; action: number[] }
type Lived = { actor: string; velocity: number[]; first: boolean }

const SETTINGS = {
  demonstrations: { perTask: 2 },
  warmUp: { updates: 20 },
  online: { robotMinutes: 60 },
  evaluation: { trials: 1 },
}

/** The time that both threads share. */
const now = () => performance.timeOrigin + performance.now()

export async function benchConsole(): Promise<Record<string, number>> {
  const directory = mkdtempSync(join(tmpdir(), 'duet-bench-console-'))
  const config = parseConfig('bench', mergeSettings(presets.quick, SETTINGS))
  const folder = RunFolder.create(join(directory, 'run'), config)
  const observer = new RunObserver()
  const server = await ConsoleServer.open({ observer, library: new RunLibrary(directory), page: directory, port: 0 })
  const executed: Moment[] = []
  const latched: { at: number; z: number }[] = []
  const lived: Lived[] = []
  observe(observer, latched, lived)
  let report: PageReport | undefined
  const stop = new AbortController()
  const pages = new Worker(new URL('./console-pages.mjs', import.meta.url), { workerData: server.address })
  pages.on('message', (message: PageReport) => {
    report = message
    stop.abort()
    observer.dismiss()
  })
  pages.on('error', (error) => {
    throw error
  })
  await train(folder, config, { observer, stop: stop.signal }, async (settings) => {
    const session = await openSession(settings)
    const { robot } = session
    const step = robot.step.bind(robot)
    robot.step = async (action: Action) => {
      const at = now()
      const outcome = await step(action)
      executed.push({ at, action: [...robot.executed] })
      return outcome
    }
    return session
  })
  await pages.terminate()
  await server.close()
  rmSync(directory, { recursive: true })
  return figures(report!, executed, latched, lived)
}

/** Listens in on the observer: inputs as they arrive, steps as they have been taken. */
function observe(observer: RunObserver, latched: { at: number; z: number }[], lived: Lived[]): void {
  const { person } = observer.inControl
  const input = person.input.bind(person)
  person.input = (sample) => {
    input(sample)
    latched.push({ at: now(), z: sample.axes[2]! })
  }
  const attend = observer.attend.bind(observer)
  observer.attend = (scene) => {
    const attendant = attend(scene)
    const step = attendant.step.bind(attendant)
    let first = true
    attendant.step = (happening, planned, next) => {
      step(happening, planned, next)
      const velocity = new ProprioReader(observer.live!.inFocus.rig.robot.spec).velocityOf(next.proprio)!
      if (scene.stage === 'practice') lived.push({ actor: happening.actor, velocity, first })
      first = false
    }
    return attendant
  }
}

function figures(
  { inputs, stops, frameAges, loop }: PageReport,
  executed: readonly Moment[],
  latched: readonly { at: number; z: number }[],
  lived: readonly Lived[],
): Record<string, number> {
  const toLatch = inputs.flatMap(({ at, to }) => {
    const found = latched.find((one) => one.at >= at && one.z === to)
    return found ? [found.at - at] : []
  })
  const toAction = inputs.flatMap(({ at, from }) => {
    const found = executed.find((one) => one.at >= at && Math.abs(one.action[2]! - from) > 1e-4)
    return found ? [found.at - at] : []
  })
  const toHold = stops.map(({ at, readBack }) => {
    const last = executed.findLast((one) => one.at <= readBack && one.action.slice(0, 6).some((value) => value !== 0))
    return Math.max(0, (last?.at ?? at) - at)
  })
  const jumps = jumpsOf(lived)
  return {
    rateHz: rounded(loop.rate),
    jitterMedianMs: rounded(loop.jitterMedian),
    jitter99Ms: rounded(loop.jitter99),
    loopSteps: loop.steps,
    frameAgeMedianMs: rounded(median(frameAges)),
    frameAge99Ms: rounded(quantile(frameAges, 0.99)),
    inputs: toAction.length,
    inputToLatchMedianMs: rounded(median(toLatch)),
    inputToLatch99Ms: rounded(quantile(toLatch, 0.99)),
    inputToActionMedianMs: rounded(median(toAction)),
    inputToAction99Ms: rounded(quantile(toAction, 0.99)),
    stops: stops.length,
    stopToLastMotion99Ms: rounded(quantile(toHold, 0.99)),
    stopToReadBackMedianMs: rounded(median(stops.map(({ at, readBack }) => readBack - at))),
    stopToReadBack99Ms: rounded(
      quantile(
        stops.map(({ at, readBack }) => readBack - at),
        0.99,
      ),
    ),
    ...jumps,
  }
}

/** Largest change of the tool's velocity from one step to the next, m/s: unassisted, and where the person comes or goes. */
function jumpsOf(lived: readonly Lived[]): Record<string, number> {
  const jumps = { unassisted: [0], takeover: [0], handBack: [0] }
  for (const [t, { actor, velocity, first }] of lived.entries()) {
    const before = lived[t - 1]
    if (!before || first) continue
    const jump = Math.hypot(...velocity.map((v, i) => v - before.velocity[i]!))
    const [was, is] = [before.actor === 'operator', actor === 'operator']
    if (!was && !is) jumps.unassisted.push(jump)
    else if (!was && is) jumps.takeover.push(jump)
    else if (was && !is) jumps.handBack.push(jump)
  }
  return {
    unassistedSteps: jumps.unassisted.length - 1,
    unassistedJumpMax: rounded(Math.max(...jumps.unassisted)),
    takeovers: jumps.takeover.length - 1,
    takeoverJumpMax: rounded(Math.max(...jumps.takeover)),
    handBackJumpMax: rounded(Math.max(...jumps.handBack)),
  }
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}
