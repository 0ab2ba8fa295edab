/** @file The learner of a fleet: a run whose robots act in other processes. It waits for none of them, and none waits for it. */
import { basename } from 'node:path'
import { writeWhole } from '../durable.ts'
import { InputError } from '../errors.ts'
import { connectBroker } from '../link/nats/connect.ts'
import { expectSubjectName } from '../link/nats/wire.ts'
import { Course, Stopped } from '../loop/failure.ts'
import { readMetrics } from '../metrics/metrics.ts'
import { type Summary, summarise } from '../metrics/summary.ts'
import { Closing } from '../run/closing.ts'
import type { RunConfig } from '../run/config.ts'
import type { RunFolder } from '../run/folder.ts'
import { lock } from '../run/lock.ts'
import { summarySoFar } from '../run/summary-so-far.ts'
import type { Access } from './invitation.ts'
import { type LearnerEvents, openParts } from './learner-parts.ts'
import { checkpoint, practise, versionsOf, warmUp } from './learning.ts'
import type { FleetSettings } from './settings.ts'

/**
 * Learns from whoever joins until every robot that did has practised for as long as the settings say, or until it is
 * stopped. Continues where the folder says it stands. @throws InputError on unusable settings, files or broker
 */
export async function runLearner(
  folder: RunFolder,
  config: RunConfig,
  access: Access,
  settings: FleetSettings,
  events: LearnerEvents = {},
): Promise<Summary> {
  expectFleetSettings(folder, config)
  const course = new Course(events.failure, events.stop)
  const release = lock(folder.path)
  const closing = new Closing()
  try {
    folder.sweep()
    const summary = await learnIn(folder, config, access, settings, events, course, closing)
    await closing.close()
    course.failure.check()
    return summary
  } catch (error) {
    if (!(error instanceof Stopped)) course.failure.fail(error)
    await closing.close().catch(() => {}) // it follows from the failure
    course.failure.check()
    return summarySoFar(folder, config)
  } finally {
    release()
  }
}

/** @throws InputError where robots of other processes could not take part */
function expectFleetSettings(folder: RunFolder, { online, plan }: RunConfig): void {
  expectSubjectName('run', basename(folder.path))
  if (online.lockstep)
    throw new InputError(
      'setting "online.lockstep"',
      'ties updates to steps, and robots of a fleet wait for nobody',
      'Set online.lockstep=false',
    )
  if (plan.server !== undefined)
    throw new InputError(
      'setting "plan.server"',
      `is ${plan.server}, and a fleet acts with its own policy`,
      'Leave it out',
    )
}

async function learnIn(
  folder: RunFolder,
  config: RunConfig,
  access: Access,
  settings: FleetSettings,
  events: LearnerEvents,
  course: Course,
  closing: Closing,
): Promise<Summary> {
  const parts = await openParts(folder, config, settings, events, course, closing)
  const { learner, reception, metrics } = parts
  for (const listener of events.listeners ?? [])
    listener.started?.({ config, metrics, past: readMetrics(folder.metrics) })
  course.onStop(() => void learner.control.pause().catch(() => {})) // a lost learner is heard of by whoever waits for it
  await warmUp(folder, config, parts, events, course)
  if (!course.stopping) {
    parts.versions = versionsOf(parts, settings, events, course)
    if (learner.weights.newest) parts.versions.offer(learner.weights.newest)
    const stop = new AbortController()
    course.onStop(() => stop.abort(new Stopped('the run was asked to stop')))
    course.failure.onFailure((error) => stop.abort(error))
    const { url, seed, ca } = access
    const wire = await connectBroker({ url, seed, ca }, `learner of ${access.run}`, {
      onTrouble: events.onNotice,
      signal: stop.signal,
    })
    closing.add(() => wire.close())
    closing.add(await reception.begin(wire)) // robots hear that it leaves, before the wire is closed
    await learner.control.learnFreely(config.online.publishEvery)
    await practise(folder, config, parts, events, course)
    await learner.control.pause()
    await checkpoint(folder, config, parts)
  }
  const summary = summarise(readMetrics(folder.metrics), { seed: config.seed, rate: parts.rate })
  writeWhole(folder.summary, `${JSON.stringify(summary, null, 2)}\n`)
  for (const listener of events.listeners ?? []) listener.finished?.(folder)
  return summary
}
