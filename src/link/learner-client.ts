/** @file The interaction loop's end of the learner: starts its thread, sends what happened, awaits what was asked for. */
import { Worker } from 'node:worker_threads'
import type { Phase, UpdateFigures } from '../learn/phase.ts'
import type { ActorParameters } from '../learn/policy.ts'
import type { EncodedObservation } from '../replay/assembler.ts'
import type { EpisodeEnd, EpisodeStart, Step } from '../replay/episode.ts'
import type { LearnerSetup } from './learner-worker.ts'
import { type FromLearner, type Link, localLink, type ToLearner } from './link.ts'

export type LearnerEvents = {
  onParameters?: (values: ActorParameters, update: number) => void
  onFigures?: (figures: UpdateFigures) => void
  onLabels?: (counts: Record<string, number>) => void
  onAlive?: () => void // about twice a second, whatever the learner is at
}

type Waiting = { resolve: (values: ActorParameters) => void; reject: (error: Error) => void }

export class LearnerClient {
  private readonly link: Link<ToLearner, FromLearner>
  private readonly waiting = new Map<number, Waiting>()
  private tickets = 0
  private failure?: Error

  private constructor(
    private readonly worker: Worker,
    private readonly events: LearnerEvents,
  ) {
    this.link = localLink(worker)
    this.link.onMessage((message) => this.receive(message))
    worker.on('error', (error) => this.fail(error as Error))
    worker.on('exit', (code) => this.fail(new Error(`the learner thread ended (exit code ${code})`)))
  }

  /** Resolves when the programs are compiled and, where the setup names one, the checkpoint is loaded. */
  static async start(setup: LearnerSetup, events: LearnerEvents): Promise<LearnerClient> {
    const worker = new Worker(new URL('./learner-thread.mjs', import.meta.url), { workerData: setup })
    const client = new LearnerClient(worker, events)
    await new Promise<void>((resolve, reject) => client.waiting.set(READY, { resolve: () => resolve(), reject }))
    return client
  }

  begin(start: EpisodeStart, observation: EncodedObservation): void {
    this.send({ kind: 'episode-start', start, observation })
  }

  step(episode: number, step: Step, next: EncodedObservation): void {
    this.send({ kind: 'step', episode, step, next })
  }

  end(episode: number, end: EpisodeEnd): void {
    this.send({ kind: 'episode-end', episode, end })
  }

  /** Exactly that many joint updates on what was sent before; resolves with the actors' parameters after them. */
  learn(phase: Phase, updates: number): Promise<ActorParameters> {
    return this.ask((ticket) => ({ kind: 'learn', phase, updates, ticket }))
  }

  learnFreely(publishEvery: number): void {
    this.send({ kind: 'learn-freely', publishEvery })
  }

  async pause(): Promise<void> {
    await this.ask((ticket) => ({ kind: 'pause', ticket }))
  }

  /** Writes policy.safetensors and learner.safetensors into the directory. */
  async save(directory: string): Promise<void> {
    await this.ask((ticket) => ({ kind: 'save', directory, ticket }))
  }

  async close(): Promise<void> {
    this.worker.removeAllListeners('exit')
    const ended = new Promise((resolve) => this.worker.once('exit', resolve))
    this.link.send({ kind: 'stop' })
    await ended
  }

  private ask(message: (ticket: number) => ToLearner): Promise<ActorParameters> {
    const ticket = ++this.tickets
    const answer = new Promise<ActorParameters>((resolve, reject) => this.waiting.set(ticket, { resolve, reject }))
    this.send(message(ticket))
    return answer
  }

  private send(message: ToLearner): void {
    if (this.failure) throw this.failure
    this.link.send(message)
  }

  private receive(message: FromLearner): void {
    if (message.kind === 'ready') this.settle(READY, {})
    else if (message.kind === 'done') this.settle(message.ticket, {})
    else if (message.kind === 'figures') this.events.onFigures?.(message.figures)
    else if (message.kind === 'alive') this.events.onAlive?.()
    else if (message.kind === 'labels') this.events.onLabels?.(message.counts)
    else if (message.kind === 'failed') this.fail(new Error(message.message))
    else {
      this.events.onParameters?.(message.values, message.update)
      if (message.ticket !== undefined) this.settle(message.ticket, message.values)
    }
  }

  private settle(ticket: number, values: ActorParameters): void {
    this.waiting.get(ticket)?.resolve(values)
    this.waiting.delete(ticket)
  }

  /** Whoever waits now, and whoever sends next, hears of it: a dead learner is never silent. */
  private fail(error: Error): void {
    this.failure ??= error
    for (const { reject } of this.waiting.values()) reject(this.failure)
    this.waiting.clear()
  }
}

const READY = 0
