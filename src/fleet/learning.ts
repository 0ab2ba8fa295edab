/** @file What the learner of a fleet does: warm-up, then versions out and word of the fleet while robots practise, and checkpoints. */
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { writeWhole } from '../durable.ts'
import { type Course, Stopped } from '../loop/failure.ts'
import { robotMinutes } from '../metrics/robot-time.ts'
import type { RunConfig } from '../run/config.ts'
import type { RunFolder } from '../run/folder.ts'
import { saveNormalisers } from '../run/preparation.ts'
import { type RunState, STATE_FILE } from '../run/run-state.ts'
import type { Canary } from './canary.ts'
import { furthest, type LearnerEvents, type LearnerParts } from './learner-parts.ts'
import type { FleetSettings } from './settings.ts'
import { figuresOfFleet, standingsOf } from './standings.ts'
import { writeStatus } from './status.ts'
import { readVersions, type Trial, Versions } from './versions.ts'

const WARM_UP_CHUNK = 250 // updates between two checkpoints of the warm-up
const LOOK_EVERY = 500 // ms between two looks at whether something is due
const STATUS_EVERY = 2 // s between two words on how the fleet is
const FIGURES_EVERY = 15 // s between two lines of the metrics about it

/** In chunks, each behind a checkpoint, from where the folder stood. */
export async function warmUp(
  folder: RunFolder,
  config: RunConfig,
  parts: LearnerParts,
  { onProgress }: LearnerEvents,
  course: Course,
): Promise<void> {
  const { updates } = config.warmUp
  const { state, learner } = parts
  while (state.warmUpUpdates < updates && !course.stopping) {
    const chunk = Math.min(WARM_UP_CHUNK, updates - state.warmUpUpdates)
    const { cut } = await course.failure.during(learner.control.learn('warm-up', chunk))
    state.warmUpUpdates += chunk - cut
    onProgress?.({ stage: 'warm-up', done: state.warmUpUpdates, total: updates })
    await checkpoint(folder, config, parts)
  }
}

/** Until every robot that joined has done its share, or somebody ends it. */
export async function practise(
  folder: RunFolder,
  config: RunConfig,
  parts: LearnerParts,
  events: LearnerEvents,
  course: Course,
): Promise<void> {
  const tell = tellStatus(parts, events)
  const { reception, rate } = parts
  const total = Math.round(config.online.robotMinutes * 60 * rate)
  let checkpointed = furthest(reception)
  const isDone = ({ steps, have }: { steps: number; have: { closed: boolean } | null }) =>
    steps >= total && have?.closed === true
  const over = () => reception.robots.size > 0 && [...reception.robots.values()].every(isDone)
  while (!over() && !course.stopping) {
    await course.failure.during(sleep(LOOK_EVERY))
    parts.versions?.look()
    tell()
    const steps = furthest(reception)
    if (robotMinutes(steps - checkpointed, rate) < config.checkpointEveryRobotMinutes) continue
    checkpointed = steps
    await checkpoint(folder, config, parts)
  }
}

export async function checkpoint(folder: RunFolder, config: RunConfig, parts: LearnerParts): Promise<void> {
  const { learner, reception, normalisers, metrics, clock, encoder } = parts
  const robotSteps = furthest(reception)
  const all = [...reception.robots.values()].reduce((sum, { steps }) => sum + steps, 0)
  const state: RunState = {
    ...parts.state,
    wallSeconds: clock.seconds,
    robotSteps: Object.fromEntries([...reception.robots].map(([robot, { steps }]) => [robot, steps])),
  }
  await folder.saveCheckpoint(robotSteps, config.keepCheckpoints, async (directory) => {
    const { version, labels } = await learner.control.save(basename(directory))
    saveNormalisers(directory, normalisers, encoder)
    writeWhole(join(directory, STATE_FILE), JSON.stringify(state))
    const stamp = { time: clock.seconds, robotSteps }
    metrics.write({ kind: 'labels', ...stamp, counts: labels })
    if (all > 0) metrics.write({ kind: 'learning', ...stamp, updates: version - state.warmUpUpdates, steps: all })
    return version
  })
}

/** The gate between the learner and the robots, with a canary where the settings ask for one. */
export function versionsOf(
  parts: LearnerParts,
  settings: FleetSettings,
  { onNotice = () => undefined }: LearnerEvents,
  course: Course,
): Versions {
  const { canary, fleet, reception } = parts
  const { trials } = settings.canary
  return new Versions({
    folder: fleet,
    settings,
    publish: (published) => reception.publish(published),
    tryOut: canary && (async (published) => noteTrial(await canary(published, trials), published.version, parts)),
    say: onNotice,
    onFailed: (error) => {
      if (!(error instanceof Stopped)) course.failure.fail(error)
    },
  })
}

function noteTrial(
  tasks: Awaited<ReturnType<Canary>>,
  update: number,
  { metrics, clock, reception }: LearnerParts,
): Trial {
  const stamp = { time: clock.seconds, robotSteps: furthest(reception) }
  metrics.write({ kind: 'evaluation', ...stamp, update, stage: 'on the way', tasks })
  const scores = Object.values(tasks)
  return {
    successes: scores.reduce((sum, { successes }) => sum + successes, 0),
    trials: scores.reduce((sum, { trials }) => sum + trials, 0),
  }
}

/** How the fleet is, told to whoever looks on, and now and then to the metrics. */
function tellStatus({ fleet, reception, versions, metrics, clock }: LearnerParts, { onStatus }: LearnerEvents) {
  let told = Number.NEGATIVE_INFINITY
  let noted = Number.NEGATIVE_INFINITY
  return () => {
    const { seconds } = clock
    if (!versions || seconds - told < STATUS_EVERY) return
    told = seconds
    const { state } = versions
    const robots = standingsOf(reception.known, state.newest ?? 0)
    const status = { at: Date.now(), robots, versions: state, kept: readVersions(fleet) }
    writeStatus(fleet, status)
    onStatus?.(status)
    if (robots.length === 0 || seconds - noted < FIGURES_EVERY) return
    noted = seconds
    metrics.write({
      kind: 'fleet',
      time: seconds,
      robotSteps: furthest(reception),
      figures: figuresOfFleet(robots),
    })
  }
}
