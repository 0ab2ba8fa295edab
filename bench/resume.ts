/** @file (m) A resume: what reading the log takes with and without what was kept of the encoder's work, and the bytes of that. */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Experience } from '../src/link/ports.ts'
import { type Copies, look, Perception } from '../src/loop/perception.ts'
import type { EncodedObservation } from '../src/replay/assembler.ts'
import { checkLog } from '../src/replay/check.ts'
import { EpisodeLog } from '../src/replay/log.ts'
import { LogSource } from '../src/replay/log-source.ts'
import { attempt } from '../src/robot/attempt.ts'
import type { Observation } from '../src/robot/robot.ts'
import { demonstrator } from '../src/robots/workcell/demonstrator.ts'
import { Workcell } from '../src/robots/workcell/workcell.ts'
import { encodingsBeside } from '../src/run/kept-encodings.ts'
import { replayLogs } from '../src/run/preparation.ts'
import { resolveConfig } from '../src/run/resolve.ts'
import { NanoEncoder } from '../src/vla/nano/encoder.ts'
import { rounded, timed } from './measure.ts'

const MINUTES = 30
const PART_MINUTES = 0.5 // of those that are encoded again

export type ResumeFigures = {
  steps: number
  stepBytes: number // on disk, beside the log
  keepProcessorMs: number // of one step, while a run goes on
  checkProcessorMs: number // of one step: the log is looked over, without its pictures
  keptProcessorMs: number // of one step: the log is read and told, with everything kept
  encodedProcessorMs: number // the same with nothing kept
  keptSeconds: number // check and reading, on the clock
  ratio: number // of encoded to kept
}

export async function benchResume(): Promise<ResumeFigures> {
  const workcell = await Workcell.create()
  const { spec } = workcell
  const encoder = await NanoEncoder.load()
  const config = resolveConfig('quick')
  const copies: Copies = { count: config.replay.shiftedCopies, pixels: config.replay.shift, seed: 0 }
  const instructions = Object.fromEntries(
    Object.entries(spec.tasks).map(([task, { instruction }]) => [task, instruction]),
  )
  const root = mkdtempSync(join(tmpdir(), 'duet-bench-'))
  const [folder, part] = [join(root, 'log'), join(root, 'part')]
  const as = { config, encoder: encoder.description, copies }
  try {
    const episodes = await record(workcell, encoder, instructions, copies)
    const log = EpisodeLog.open(folder, spec)
    const short = EpisodeLog.open(part, spec)
    const encodings = encodingsBeside(folder, spec, as)
    let keeping = 0
    for (let number = 0; log.nextId < MINUTES * 60 * spec.rate; number++) {
      const { task, observations, actions, sights } = episodes[number % episodes.length]!
      const instruction = instructions[task]!
      const first = log.nextId
      const logs = short.nextId < PART_MINUTES * 60 * spec.rate ? [log, short] : [log]
      for (const one of logs) one.begin({ episode: number, task, source: 'online', seed: null }, observations[0]!)
      for (const [t, sight] of sights.entries()) {
        if (t > 0)
          for (const one of logs) {
            const last = t === actions.length
            const told = {
              reward: 0,
              terminated: false,
              truncated: last,
              by: 'clock',
              actor: 'primary',
              command: null,
            } as const
            one.step({ id: one.nextId, step: t - 1, action: actions[t - 1]!, ...told }, observations[t]!)
          }
        const key = { episode: number, step: t, id: first + t, sum: log.sum, instruction }
        keeping += (await timed(() => encodings.keep(key, sight))).processor
      }
      for (const one of logs) one.end({ ending: 'timeout' })
    }
    const [steps, some] = [log.nextId, short.nextId]
    for (const one of [log, short, encodings]) one.close()
    const checked = await timed(() => checkLog(folder, spec, undefined, false))
    const perception = new Perception(encoder, instructions, { h: AS_IS, proprio: AS_IS })
    const read = (from: string) => {
      const kept = encodingsBeside(from, spec, as)
      const options = { onEpisode: () => {}, encodings: [kept] }
      const sources = [new LogSource(from, spec)]
      return timed(async () => {
        await replayLogs({ encoder, instructions }, perception, [NOBODY], sources, copies, options)
        kept.close()
      })
    }
    const kept = await read(folder)
    const encoded = await read(part)
    const keptEach = kept.processor / steps
    const encodedEach = encoded.processor / some
    return {
      steps,
      stepBytes: Math.round(statSync(encodings.file).size / steps),
      keepProcessorMs: rounded((1000 * keeping) / steps),
      checkProcessorMs: rounded((1000 * checked.processor) / steps),
      keptProcessorMs: rounded(1000 * keptEach),
      encodedProcessorMs: rounded(1000 * encodedEach),
      keptSeconds: rounded(checked.seconds + kept.seconds),
      ratio: rounded(encodedEach / keptEach),
    }
  } finally {
    rmSync(root, { recursive: true })
    await encoder.close()
    workcell.free()
  }
}

const AS_IS = { apply: (row: Float32Array) => row }

/** A learner's end is another thread's; what it costs is measured elsewhere. */
const NOBODY: Experience = { begin: () => {}, step: () => {}, end: () => {}, inFlight: 0, room: async () => {} }

type Recorded = { task: string; observations: Observation[]; actions: Float32Array[]; sights: EncodedObservation[] }

/** Real pictures, and what the encoder makes of them. */
async function record(
  workcell: Workcell,
  encoder: NanoEncoder,
  instructions: Readonly<Record<string, string>>,
  copies: Copies,
): Promise<Recorded[]> {
  const recorded: Recorded[] = []
  for (const task of ['place', 'pick', 'assemble']) {
    const act = demonstrator(() => workcell.truth(), 0, { noise: 0.1 })
    const { first, steps } = await attempt(workcell, task, 0, act)
    const observations = [first, ...steps.map(({ outcome }) => outcome.observation)]
    const sights: EncodedObservation[] = []
    for (const observation of observations)
      sights.push(await look(encoder, observation, instructions[task]!, copies, 0))
    recorded.push({ task, observations, actions: steps.map(({ action }) => action), sights })
  }
  return recorded
}
