/** @file (d) Bytes that one transition takes: in the replay's memory and in the log on disk. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EpisodeLog, ReplayBuffer } from '../src/replay/index.ts'
import { attempt } from '../src/robot/attempt.ts'
import { demonstrator } from '../src/robots/workcell/demonstrator.ts'
import { Workcell } from '../src/robots/workcell/workcell.ts'
import { RunConfig } from '../src/run/config.ts'
import { translatorSettings } from '../src/run/label-rule.ts'
import { builtInCommandEncoder } from '../src/talk/embedding.ts'
import { openTranslator } from '../src/talk/translator.ts'
import { NanoEncoder } from '../src/vla/nano/encoder.ts'
import { bytesBelow } from './on-disk.ts'

const EPISODES_PER_TASK = 3

export type MemoryFigures = {
  memoryBytes: number // features of the observation and of its shifted copies, h, proprio, action and bookkeeping
  diskBytes: number // both camera images, compressed without loss, and everything else
  transitions: number // that the disk figure is a mean over
}

export async function benchMemory(): Promise<MemoryFigures> {
  const { transitions, bytes } = await logEpisodes()
  return { memoryBytes: await bytesInReplay(), diskBytes: Math.round(bytes / transitions), transitions }
}

/** With the defaults of a run and the built-in encoder. */
async function bytesInReplay(): Promise<number> {
  const workcell = await Workcell.create({ cameras: false })
  const encoder = await NanoEncoder.load()
  const config = RunConfig.parse({})
  const replay = new ReplayBuffer({
    tasks: config.tasks,
    discount: config.learner.discount,
    returnSteps: config.learner.returnSteps,
    clones: config.learner.clones,
    translator: openTranslator(translatorSettings(config, workcell.spec)),
    commands: builtInCommandEncoder(),
    demonstrationCapacity: 1,
    onlineCapacity: 1,
    embeddingWidth: encoder.description.embeddingWidth,
    featureShape: encoder.description.featureShape,
    proprioWidth: workcell.spec.channels.length,
    copies: config.replay.shiftedCopies,
  })
  await encoder.close()
  workcell.free()
  return replay.stats().bytesPerTransition
}

/** Real camera images: the expert's demonstrations with noise. */
async function logEpisodes(): Promise<{ transitions: number; bytes: number }> {
  const workcell = await Workcell.create()
  const folder = mkdtempSync(join(tmpdir(), 'duet-bench-'))
  try {
    const log = EpisodeLog.open(folder, workcell.spec)
    for (const task of Object.keys(workcell.spec.tasks))
      for (let seed = 0; seed < EPISODES_PER_TASK; seed++) {
        const act = demonstrator(() => workcell.truth(), seed, { noise: 0.1 })
        const { first, steps, success } = await attempt(workcell, task, seed, act)
        log.begin({ episode: log.nextEpisode, task, source: 'demonstration', seed }, first)
        for (const [step, { action, outcome }] of steps.entries()) {
          const { reward, terminated, observation } = outcome
          const truncated = !terminated && step === steps.length - 1
          const rest = { reward, terminated, truncated, by: 'robot', actor: 'operator', command: null } as const
          log.step({ id: log.nextId, step, action, ...rest }, observation)
        }
        log.end({ ending: success ? 'success' : 'timeout' })
      }
    log.close()
    const bytes = bytesBelow(folder)
    return { transitions: log.nextId, bytes }
  } finally {
    rmSync(folder, { recursive: true })
    workcell.free()
  }
}
