/** @file The learner's thread: a `Learner` and its replay, served over the link. */
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { InputError } from '../errors.ts'
import { Learner, type LearnerOptions } from '../learn/learner.ts'
import type { LearnerPort } from '../link/ports.ts'
import { serve } from '../link/serve.ts'
import { ReplayBuffer, type ReplayOptions } from '../replay/buffer.ts'
import { type CommandEmbeddings, commandEncoder } from '../talk/embedding.ts'
import { openTranslator, type TranslatorSettings } from '../talk/translator.ts'

export type LearnerSetup = {
  run: string
  learner: LearnerOptions
  replay: Omit<ReplayOptions, 'commands' | 'translator'>
  translator: TranslatorSettings
  commandTable?: CommandEmbeddings // see Session
  figuresEvery: number // updates between two reports
  checkpoints: string // folder in which it saves, under names that it is given
  checkpoint?: string // directory to continue from
}

/** The learner of a setup behind the link's port. */
export async function openLearner(setup: LearnerSetup): Promise<LearnerPort> {
  const translator = openTranslator(setup.translator)
  const commands = commandEncoder(setup.commandTable, translator.commands)
  const replay = new ReplayBuffer({ ...setup.replay, translator, commands })
  const learner = await Learner.create(setup.learner, replay)
  if (setup.checkpoint) await learner.load(setup.checkpoint)
  return {
    begin: (start, observation) => void replay.begin(start, observation),
    step: (episode, step, next) => void replay.step(episode, step, next),
    end: (episode, end) => void replay.end(episode, end),
    get updates() {
      return learner.updates
    },
    canUpdate: (phase) => learner.canUpdate(phase),
    update: (phase) => learner.update(phase),
    actorParameters: () => learner.actorParameters(),
    async save(name) {
      if (!/^\.?\w[\w.-]*$/.test(name))
        throw new InputError('checkpoint', `cannot be named "${name}"`, 'Give a plain name')
      await learner.save(join(setup.checkpoints, name))
      return labelCounts(replay)
    },
    release: () => learner.release(),
  }
}

/** Talk-and-tweak entries by command, over all tasks. */
function labelCounts(replay: ReplayBuffer): Record<string, number> {
  const total: Record<string, number> = {}
  for (const { labels } of Object.values(replay.stats().tasks))
    for (const [command, count] of Object.entries(labels)) total[command] = (total[command] ?? 0) + count
  return total
}

/** Serves the learner of this thread's setup to whoever started it, then ends this thread; `open` makes the learner. */
export async function main(open: (setup: LearnerSetup) => Promise<LearnerPort> = openLearner): Promise<void> {
  const setup = workerData as LearnerSetup
  await serve(parentPort!, () => open(setup), setup)
  process.exit() // of this thread alone, with programs still to compile where it was told to stop meanwhile
}
