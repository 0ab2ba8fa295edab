/** @file (l) Half an hour of a robot as a LeRobot dataset, beside our own log of the same steps: time, size, memory. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { DatasetWriter } from '../src/formats/lerobot/write/writer.ts'
import { EpisodeLog } from '../src/replay/log.ts'
import { type LoggedEpisode, readEpisodes } from '../src/replay/log-reader.ts'
import { attempt } from '../src/robot/attempt.ts'
import { demonstrator } from '../src/robots/workcell/demonstrator.ts'
import { Workcell } from '../src/robots/workcell/workcell.ts'
import { rounded, timed } from './measure.ts'
import { bytesBelow, filesBelow } from './on-disk.ts'

const MINUTES = 30
const READ = 100 // episodes
const PER_TASK = 3

export type LerobotFigures = {
  steps: number
  episodes: number
  writeSeconds: number // with both pictures of each step, statistics and all tables
  writeProcessorSeconds: number
  logProcessorSeconds: number // the same steps into our log
  writeRatio: number // of the two
  readProcessorSeconds: number // 100 episodes, all columns, pictures as their bytes
  readLogProcessorSeconds: number // the same from our log, pixels among it
  setMegabytes: number
  logMegabytes: number
  peakMegabytes: number // of the process, in which the bench itself holds some episodes
  heldMegabytes: number // before it began
}

export async function benchLerobot(): Promise<LerobotFigures> {
  const { spec, recorded } = await record()
  const root = mkdtempSync(join(tmpdir(), 'duet-bench-'))
  const [log, set] = [join(root, 'log'), join(root, 'set')]
  const plan: LoggedEpisode[] = []
  for (let steps = 0; steps < MINUTES * 60 * spec.rate; steps += plan.at(-1)!.steps.length) {
    const one = recorded[plan.length % recorded.length]!
    plan.push({ ...one, start: { ...one.start, episode: plan.length } })
  }
  const steps = plan.reduce((sum, { steps }) => sum + steps.length, 0)
  try {
    const held = process.memoryUsage().rss
    let peak = held
    const writing = await timed(async () => {
      const writer = await DatasetWriter.open(set)
      for (const episode of plan) {
        const labels = episode.steps.map(() => null)
        await writer.append({ robot: spec, log: 'log', task: episode.start.task, episode, labels })
        peak = Math.max(peak, process.memoryUsage().rss)
      }
      writer.close()
    })
    const logging = await timed(() => {
      const written = EpisodeLog.open(log, spec)
      for (const { start, observations, steps, end } of plan) {
        written.begin(start, observations[0]!)
        for (const [t, step] of steps.entries()) written.step({ ...step, id: written.nextId }, observations[t + 1]!)
        written.end(end)
      }
      written.close()
    })
    const files = filesBelow(join(set, 'data')).slice(0, READ)
    const reading = await timed(async () => {
      for (const file of files) await parquetReadObjects({ file: await asyncBufferFromFile(file), utf8: false })
    })
    const readingLog = await timed(() => {
      let left = READ
      for (const _ of readEpisodes(log)) if (--left === 0) break
    })
    return {
      steps,
      episodes: plan.length,
      writeSeconds: rounded(writing.seconds),
      writeProcessorSeconds: rounded(writing.processor),
      logProcessorSeconds: rounded(logging.processor),
      writeRatio: rounded(writing.processor / logging.processor),
      readProcessorSeconds: rounded(reading.processor),
      readLogProcessorSeconds: rounded(readingLog.processor),
      setMegabytes: megabytes(bytesBelow(set)),
      logMegabytes: megabytes(bytesBelow(log)),
      peakMegabytes: megabytes(peak),
      heldMegabytes: megabytes(held),
    }
  } finally {
    rmSync(root, { recursive: true })
  }
}

/** Real pictures: the expert's demonstrations with noise. */
async function record() {
  const workcell = await Workcell.create()
  const recorded: LoggedEpisode[] = []
  for (const task of ['place', 'pick', 'assemble'])
    for (let seed = 0; seed < PER_TASK; seed++) {
      const act = demonstrator(() => workcell.truth(), seed, { noise: 0.1 })
      const { first, steps, success } = await attempt(workcell, task, seed, act)
      const rest = { by: 'robot', actor: 'operator', command: null } as const
      recorded.push({
        start: { episode: 0, task, source: 'demonstration', seed },
        observations: [first, ...steps.map(({ outcome }) => outcome.observation)],
        steps: steps.map(({ action, outcome: { reward, terminated } }, step) => {
          const truncated = !terminated && step === steps.length - 1
          return { id: 0, step, action, reward, terminated, truncated, ...rest }
        }),
        end: { ending: success ? 'success' : 'timeout' },
      })
    }
  const { spec } = workcell
  workcell.free()
  return { spec, recorded }
}

const megabytes = (bytes: number) => rounded(bytes / 2 ** 20)
