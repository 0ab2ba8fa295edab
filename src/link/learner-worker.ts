/** @file The learner's thread: files what arrives into the replay, updates, publishes, saves. It never holds the robot up. */
import { parentPort, workerData } from 'node:worker_threads'
import { Learner, type LearnerOptions } from '../learn/learner.ts'
import type { UpdateFigures } from '../learn/phase.ts'
import { ReplayBuffer, type ReplayOptions } from '../replay/buffer.ts'
import { type CommandTable, commandEncoder } from '../talk/embedding.ts'
import { openTranslator, type TranslatorSettings } from '../talk/translator.ts'
import { type FromLearner, type Link, localLink, type ToLearner } from './link.ts'

export type LearnerSetup = {
  learner: LearnerOptions
  replay: Omit<ReplayOptions, 'commands' | 'translator'>
  translator: TranslatorSettings
  commandTable?: CommandTable // see Session
  figuresEvery: number // updates between two reports
  checkpoint?: string // directory to continue from
}

const ALIVE_EVERY = 500 // ms

class LearnerThread {
  private readonly inbox: ToLearner[] = []
  private wake: () => void = () => {}
  private free: { publishEvery: number } | null = null
  private stopped = false

  constructor(
    private readonly link: Link<FromLearner, ToLearner>,
    private readonly learner: Learner,
    private readonly replay: ReplayBuffer,
    private readonly figuresEvery: number,
  ) {
    link.onMessage((message) => {
      this.inbox.push(message)
      this.wake()
    })
  }

  /** Messages first, in their order; then, while learning freely, one update at a time. */
  async run(): Promise<void> {
    this.link.send({ kind: 'ready' })
    while (!this.stopped) {
      const message = this.inbox.shift()
      if (message) await this.handle(message)
      else if (this.free && this.learner.canUpdate('online')) await this.updateFreely(this.free.publishEvery)
      else await new Promise<void>((resolve) => (this.wake = resolve))
    }
  }

  private async handle(message: ToLearner): Promise<void> {
    switch (message.kind) {
      case 'episode-start':
        this.replay.begin(message.start, message.observation)
        return
      case 'step':
        this.replay.step(message.episode, message.step, message.next)
        return
      case 'episode-end':
        this.replay.end(message.episode, message.end)
        return
      case 'learn':
        for (let i = 0; i < message.updates && this.learner.canUpdate(message.phase); i++)
          this.report(await this.learner.update(message.phase))
        return this.publish(message.ticket)
      case 'learn-freely':
        this.free = { publishEvery: message.publishEvery }
        return
      case 'pause':
        this.free = null
        return this.link.send({ kind: 'done', ticket: message.ticket })
      case 'save':
        await this.learner.save(message.directory)
        this.link.send({ kind: 'labels', counts: labelCounts(this.replay) })
        return this.link.send({ kind: 'done', ticket: message.ticket })
      case 'stop':
        this.stopped = true
        await this.learner.release()
    }
  }

  private async updateFreely(publishEvery: number): Promise<void> {
    const figures = await this.learner.update('online')
    this.report(figures)
    if (figures.update % publishEvery === 0) this.publish()
  }

  private report(figures: UpdateFigures): void {
    if (figures.update % this.figuresEvery === 0) this.link.send({ kind: 'figures', figures })
  }

  private publish(ticket?: number): void {
    const values = this.learner.actorParameters()
    const buffers = Object.values(values).map(({ buffer }) => buffer as ArrayBuffer)
    this.link.send({ kind: 'parameters', update: this.learner.updates, values, ticket }, buffers)
  }
}

/** Talk-and-tweak entries by command, over all tasks. */
function labelCounts(replay: ReplayBuffer): Record<string, number> {
  const total: Record<string, number> = {}
  for (const { labels } of Object.values(replay.stats().tasks))
    for (const [command, count] of Object.entries(labels)) total[command] = (total[command] ?? 0) + count
  return total
}

async function main() {
  const setup = workerData as LearnerSetup
  const link = localLink<FromLearner, ToLearner>(parentPort!)
  try {
    const translator = openTranslator(setup.translator)
    const commands = commandEncoder(setup.commandTable, translator.commands)
    const replay = new ReplayBuffer({ ...setup.replay, translator, commands })
    const learner = await Learner.create(setup.learner, replay)
    if (setup.checkpoint) await learner.load(setup.checkpoint)
    const alive = setInterval(() => link.send({ kind: 'alive' }), ALIVE_EVERY)
    try {
      await new LearnerThread(link, learner, replay, setup.figuresEvery).run()
    } finally {
      clearInterval(alive)
    }
  } catch (error) {
    link.send({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
  } finally {
    link.close()
  }
}

await main()
