/** @file (n) What grows with data, tasks, robots and hours of log, and how fast: time and memory at sizes that are factors of ten or so apart. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LearnerConfig } from '../src/learn/config.ts'
import { RandomStream } from '../src/random/stream.ts'
import type { TransitionRows } from '../src/replay/buffer.ts'
import { checkLog } from '../src/replay/check.ts'
import { EpisodeLog } from '../src/replay/log.ts'
import { readPackedEpisodes } from '../src/replay/log-reader.ts'
import type { Action, Observation, RobotSpec } from '../src/robot/robot.ts'
import { describeRobot } from '../src/robots/index.ts'
import { demonstrator } from '../src/robots/workcell/demonstrator.ts'
import { Workcell } from '../src/robots/workcell/workcell.ts'
import { presets } from '../src/run/presets.ts'
import { resolveConfig } from '../src/run/resolve.ts'
import { medianTime, rounded, timed } from './measure.ts'
import { bytesBelow } from './on-disk.ts'
import { EPISODE_STEPS, emptyReplay, fillReplay, NANO } from './random-replay.ts'
import { quickUpdate } from './steps.ts'

const TRANSITIONS = [10_000, 100_000, 1_000_000]
const TASKS = [3, 10, 30]
const ROBOTS = [1, 4, 16]
const HOURS = [1, 10, 100]

const BATCH = 255
const STEPS = 200 // of all robots together
const PICTURE = 8 // pixels along a side: as many frames as of real ones, in a hundredth of the bytes
const LOG_EPISODE = 60 // steps
const MIB = 2 ** 20

/** By what grows and its size: "transitions1000000SampleMs". */
export type GrowthFigures = Record<string, number>

const held = () => {
  const { rss } = process.memoryUsage()
  return rss / MIB
}
const named = (what: string, size: number, figures: Record<string, number>): GrowthFigures =>
  Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${what}${size}${name}`, rounded(value)]))

export async function benchGrowth(): Promise<GrowthFigures> {
  const figures: GrowthFigures = {}
  for (const count of TRANSITIONS) Object.assign(figures, named('transitions', count, await replayOf(count)))
  for (const count of TASKS) Object.assign(figures, named('tasks', count, await learnerOf(count)))
  for (const count of ROBOTS) Object.assign(figures, named('robots', count, await robotsOf(count)))
  for (const hours of HOURS) Object.assign(figures, named('hours', hours, await logOf(hours)))
  return figures
}

const names = (count: number) => Array.from({ length: count }, (_, k) => `task ${k}`)

/** A replay of vectors, as preset `quick` keeps them: no maps. */
async function replayOf(transitions: number) {
  const learner = LearnerConfig.parse(presets.quick.learner)
  const tasks = names(3)
  const shape = { ...NANO, featureShape: [1, 1, 1, 1] as const }
  const before = held()
  const replay = emptyReplay(tasks, learner, transitions, shape)
  const { processor } = await timed(() => fillReplay(replay, transitions / EPISODE_STEPS))
  const megabytes = held() - before
  const random = new RandomStream(0, 'bench/growth')
  const column = (width: number) => new Float32Array(BATCH * width)
  const rows: Partial<TransitionRows> = {
    ...{ h: column(NANO.embeddingWidth), nextH: column(NANO.embeddingWidth), action: column(7), reward: column(1) },
    ...{ proprio: column(NANO.proprioWidth), nextProprio: column(NANO.proprioWidth), mcReturn: column(1) },
  }
  const sample = () => {
    for (const [i, task] of tasks.entries())
      replay.sampleTransitions({ task, count: BATCH / tasks.length, offset: (i * BATCH) / tasks.length }, random, rows)
  }
  return {
    EntryProcessorMs: (1000 * processor) / transitions, // of one
    SampleMs: await medianTime(sample, 200, 20),
    Megabytes: megabytes,
    AllocatedMegabytes: replay.stats().allocatedBytes / MIB,
  }
}

async function learnerOf(tasks: number) {
  const before = held()
  const update = await quickUpdate(names(tasks))
  const updateMs = await medianTime(update, 20, 5)
  return { UpdateMs: updateMs, Megabytes: held() - before }
}

/** In turn, as those of one run are: the expert acts. */
async function robotsOf(count: number) {
  const cells: Workcell[] = []
  for (let k = 0; k < count; k++) cells.push(await Workcell.create())
  const acts: (() => Action)[] = []
  for (const [k, cell] of cells.entries()) {
    await cell.reset('assemble', k)
    acts.push(demonstrator(() => cell.truth(), k, { noise: 0.1 }))
  }
  const round = async () => {
    for (const [k, cell] of cells.entries())
      if ((await cell.step(acts[k]!())).terminated) await cell.reset('assemble', k)
  }
  for (let warm = 0; warm < 20; warm += count) await round()
  const { seconds } = await timed(async () => {
    for (let steps = 0; steps < STEPS; steps += count) await round()
  })
  const stepsPerSecond = (Math.ceil(STEPS / count) * count) / seconds
  for (const cell of cells) cell.free()
  return { StepsPerSecond: stepsPerSecond }
}

/** A log of that many hours at 10 Hz: written, looked over as a resume does, read. Processor time: it takes minutes, and has neighbours. */
async function logOf(hours: number) {
  const steps = hours * 36_000
  const spec = robotWithSmallEyes()
  const random = new RandomStream(0, 'bench/growth')
  const observe = (time: number): Observation => ({
    images: Object.fromEntries(
      Object.keys(spec.cameras).map((camera) => [
        camera,
        {
          width: PICTURE,
          height: PICTURE,
          data: Uint8Array.from({ length: 3 * PICTURE ** 2 }, (_, i) => (i * 7 + time) & 255),
        },
      ]),
    ),
    proprio: random.fillNormal(new Float32Array(spec.channels.length)),
    time: time / 10,
  })
  const folder = mkdtempSync(join(tmpdir(), 'duet-growth-'))
  try {
    const written = await timed(() => {
      const log = EpisodeLog.open(folder, spec)
      while (log.nextId < steps) {
        log.begin({ episode: log.nextEpisode, task: 'pick', source: 'online', seed: null }, observe(log.nextId))
        for (let step = 0; step < LOG_EPISODE; step++) {
          const truncated = step === LOG_EPISODE - 1
          const rest = {
            reward: 0,
            terminated: false,
            truncated,
            by: 'clock',
            actor: 'primary',
            command: null,
          } as const
          log.step({ id: log.nextId, step, action: new Float32Array(7), ...rest }, observe(log.nextId))
        }
        log.end({ ending: 'timeout' })
      }
      log.close()
    })
    const bytes = bytesBelow(folder)
    const before = held()
    const opened = await timed(() => EpisodeLog.open(folder, spec).close())
    const checked = await timed(() => checkLog(folder, spec, () => {}, false))
    let most = held()
    const read = await timed(() => {
      let episodes = 0
      for (const _ of readPackedEpisodes(folder, spec)) if (++episodes % 100 === 0) most = Math.max(most, held())
    })
    return {
      WriteProcessorMs: (1000 * written.processor) / steps, // of a step
      OpenProcessorSeconds: opened.processor,
      CheckProcessorSeconds: checked.processor,
      ReadProcessorSeconds: read.processor,
      ReadMegabytes: most - before,
      StepBytes: bytes / steps,
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function robotWithSmallEyes(): RobotSpec {
  const spec = describeRobot(resolveConfig('quick').robot, 'A')
  const cameras = Object.fromEntries(
    Object.entries(spec.cameras).map(([name, camera]) => [name, { ...camera, width: PICTURE, height: PICTURE }]),
  )
  return { ...spec, cameras }
}
