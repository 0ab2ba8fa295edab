/** @file What travels between an interaction loop and the learner, and the way it goes inside one process. */
import type { MessagePort, Transferable, Worker } from 'node:worker_threads'
import type { Phase, UpdateFigures } from '../learn/phase.ts'
import type { EncodedObservation } from '../replay/assembler.ts'
import type { EpisodeEnd, EpisodeStart, Step } from '../replay/episode.ts'

/** From the robot's side. Features, not images: they are computed where the robot acts, and the images stay in its log. */
export type ToLearner =
  | { kind: 'episode-start'; start: EpisodeStart; observation: EncodedObservation }
  | { kind: 'step'; episode: number; step: Step; next: EncodedObservation }
  | { kind: 'episode-end'; episode: number; end: EpisodeEnd }
  /** Exactly `updates` joint updates, answered by `parameters` with the same ticket. */
  | { kind: 'learn'; phase: Phase; updates: number; ticket: number }
  /** Update without pause until `pause`; parameters come every `publishEvery` updates. */
  | { kind: 'learn-freely'; publishEvery: number }
  | { kind: 'pause'; ticket: number }
  | { kind: 'save'; directory: string; ticket: number }
  | { kind: 'stop' }

/** From the learner. `ticket` answers the request that carried it. */
export type FromLearner =
  | { kind: 'ready' }
  | { kind: 'parameters'; update: number; values: Record<string, Float32Array>; ticket?: number }
  | { kind: 'figures'; figures: UpdateFigures }
  | { kind: 'labels'; counts: Record<string, number> }
  | { kind: 'done'; ticket: number }
  | { kind: 'alive' } // every now and then, whatever it is at
  | { kind: 'failed'; message: string }

/** Delivered in order. `transfer` moves buffers, uncopied. */
export interface Link<Out, In> {
  send(message: Out, transfer?: readonly Transferable[]): void
  /** Returns what ends the subscription. */
  onMessage(listener: (message: In) => void): () => void
  close(): void
}

/** A link to the other end of a MessageChannel, or to a worker thread of this process. */
export function localLink<Out, In>(port: MessagePort | Worker): Link<Out, In> {
  const emitter = port as MessagePort
  return {
    send: (message, transfer = []) => emitter.postMessage(message, transfer as Transferable[]),
    onMessage(listener) {
      emitter.on('message', listener)
      return () => void emitter.off('message', listener)
    },
    close() {
      if ('close' in port) port.close()
    },
  }
}
