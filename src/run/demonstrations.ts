/** @file Demonstrations on disk: recorded with a simulation's expert, kept in the log format, replayed, looked at. */
import fs from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { InputError } from '../errors.ts'
import { animation, contactSheet, sideBySide } from '../formats/images.ts'
import { RandomStream } from '../random/stream.ts'
import { EpisodeLog } from '../replay/log.ts'
import { type LoggedEpisode, readEpisodes } from '../replay/log-reader.ts'
import { type EpisodeSink, writeEpisode } from '../replay/source.ts'
import { type Attempt, attempt } from '../robot/attempt.ts'
import type { Simulation } from '../robot/rig.ts'
import type { Image, Robot, RobotSpec } from '../robot/robot.ts'

const MEMORY = 0.5 // AR(1) coefficient of the demonstrator's noise: a hand that wanders, not one that buzzes
const FIRST_SEED = 2 ** 30 // far from the seeds of training, evaluation and tests

export type RecordingOptions = {
  robot: Robot // behind its safety envelope
  demonstrator: Simulation['demonstrator'] // who knows how, one for each attempt
  tasks: readonly string[]
  perTask: number
  noise: number // standard deviation, action units
  seed: number // of the run
  onEpisode?: (done: number, total: number) => void
  /** A promise while a person holds the robot: what was done meanwhile is no demonstration, and is done again. */
  ready?: () => Promise<void> | undefined
  /**
   * Before each step; throws where the recording is to end. What was done of an episode then is not kept. Without it
   * signals are heard: a simulation never leaves the thread by itself.
   */
  check?: () => Promise<void> | void
}

/**
 * Records until the folder holds `perTask` successful demonstrations of each task; failures are not kept. Which ones these
 * are depends on the seed alone: an interrupted recording goes on where it stopped and ends the same.
 * @throws InputError if a task's expert fails too often, or if the folder is another robot's
 */
export async function recordDemonstrations(folder: string, options: RecordingOptions): Promise<void> {
  const { robot, tasks, perTask, check = () => setImmediate() } = options
  const recorded = new Map(tasks.map((task) => [task, new Set<number | null>()]))
  for (const { start } of readDemonstrations(folder, robot.spec)) recorded.get(start.task)?.add(start.seed)
  const total = tasks.length * perTask
  const log = EpisodeLog.open(folder, robot.spec)
  try {
    for (const task of tasks) {
      const held = recorded.get(task)!
      const seeds = new RandomStream(options.seed, `demonstrations of ${task}`)
      for (let attempts = 0; held.size < perTask; attempts++) {
        if (attempts >= 3 * perTask + 10) throw tooManyFailures(task, attempts, held.size)
        const seed = FIRST_SEED + seeds.integer(FIRST_SEED)
        if (held.has(seed)) continue
        const demonstrate = () => {
          const act = options.demonstrator(seed, { noise: options.noise, memory: MEMORY })
          const checked = async () => {
            await check()
            return act()
          }
          return attempt(robot, task, seed, checked).catch((error: unknown) => {
            throw notRecorded(task, log.nextEpisode, error)
          })
        }
        let result: Attempt
        let wait = options.ready?.()
        do {
          await wait
          await check()
          result = await demonstrate()
          wait = options.ready?.()
        } while (wait)
        if (!result.success) continue
        write(log, task, seed, result)
        held.add(seed)
        options.onEpisode?.(
          [...recorded.values()].reduce((sum, { size }) => sum + size, 0),
          total,
        )
      }
    }
  } finally {
    log.close()
  }
}

function tooManyFailures(task: string, attempts: number, successes: number): InputError {
  const what = `the expert succeeded ${successes} times in ${attempts} attempts`
  return new InputError(`demonstrations of ${task}`, what, 'Lower demonstrations.noise, or check the robot')
}

/** What stopped the robot is told with the demonstration that it stopped. */
const notRecorded = (task: string, episode: number, error: unknown) =>
  error instanceof InputError
    ? new InputError(
        `demonstration ${episode}, of ${task}`,
        `is not recorded: ${error.message}`,
        'Those before it are safe, and recording goes on from them',
        { cause: error },
      )
    : error

function write(log: EpisodeSink, task: string, seed: number, { first, steps }: Attempt): void {
  const observations = [first, ...steps.map(({ outcome }) => outcome.observation)]
  const taken = steps.map(({ action, outcome: { reward, terminated } }, step) => {
    const judged = { reward, terminated, truncated: false, by: 'robot' as const }
    return { step, action, ...judged, actor: 'operator' as const, command: null }
  })
  writeEpisode(log, { task, source: 'demonstration', seed }, observations, taken, { ending: 'success' })
}

/** The successful demonstrations of a folder, one at a time in memory; none if there is no such folder. */
export function* readDemonstrations(folder: string, spec?: RobotSpec): Generator<LoggedEpisode> {
  for (const episode of readEpisodes(folder, spec))
    if (episode.start.source === 'demonstration' && episode.end.ending === 'success') yield episode
}

/**
 * Lets a robot repeat a demonstration from its seed and its actions. `deviation`: largest difference of any proprio entry at
 * any step from the recorded one; 0 in the simulator that recorded it.
 */
export async function replayDemonstration(
  robot: Robot,
  { start, steps, observations }: LoggedEpisode,
): Promise<{ success: boolean; deviation: number }> {
  if (start.seed === null)
    throw new InputError(`episode ${start.episode}`, 'has no seed', 'Only episodes of a simulator can be repeated')
  let deviation = 0
  const compare = (proprio: Float32Array, step: number) =>
    proprio.forEach((value, i) => {
      deviation = Math.max(deviation, Math.abs(value - observations[step]!.proprio[i]!))
    })
  compare((await robot.reset(start.task, start.seed)).proprio, 0)
  let reward = 0
  for (const [t, { action }] of steps.entries()) {
    const outcome = await robot.step(action)
    compare(outcome.observation.proprio, t + 1)
    reward = outcome.reward
  }
  return { success: reward > 0, deviation }
}

export type PictureOptions = {
  demonstrations?: number // at most, evenly from the folder; 12
  frames?: number // of each, evenly over its time, in a contact sheet; 8
}

/**
 * A picture of the demonstrations in a folder: a contact sheet, one row each, for a file name that ends in .png; a film of
 * one after the other for .gif. All cameras side by side.
 * @throws InputError if there are none, or for another kind of file
 */
export function pictureDemonstrations(folder: string, file: string, options: PictureOptions = {}): void {
  const { demonstrations = 12, frames = 8 } = options
  if (!/\.(png|gif)$/.test(file))
    throw new InputError(file, 'is neither a .png nor a .gif', 'Name the picture after its kind')
  let total = 0
  for (const _ of readDemonstrations(folder)) total++
  if (total === 0) throw new InputError(folder, 'holds no demonstrations', 'Record some first')
  const chosen = new Set(evenly(total, demonstrations))
  const rows: Image[][] = []
  let index = 0
  for (const { observations } of readDemonstrations(folder))
    if (chosen.has(index++)) rows.push(observations.map(({ images }) => sideBySide(Object.values(images))))
  if (file.endsWith('.gif')) fs.writeFileSync(file, animation(rows.flat()))
  else {
    const sheet = rows.flatMap((row) => evenly(row.length, frames, true).map((frame) => row[frame]!))
    fs.writeFileSync(file, contactSheet(sheet, frames))
  }
}

/** `wanted` indices below `count`, first and last among them; each once, unless `repeat` fills up what is missing. */
function evenly(count: number, wanted: number, repeat = false): number[] {
  const places = repeat ? wanted : Math.min(count, wanted)
  return Array.from({ length: places }, (_, i) => Math.round((i * (count - 1)) / Math.max(1, places - 1)))
}
