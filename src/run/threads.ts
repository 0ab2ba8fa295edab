/**
 * @file Threads that run onnxruntime, and knowing when they are gone. Nobody else ends them: a thread that is terminated inside
 * onnxruntime, where it is nearly all of its time, takes the process with it by an abort (exit code 134).
 */
import { Worker } from 'node:worker_threads'

const alive = new Set<Promise<void>>()

/** Whether such a thread lives in this process. */
export const threadsLive = (): boolean => alive.size > 0

/** Resolves when those are gone that live now. It tells none of them to end. */
export const threadsGone = async (): Promise<void> => void (await Promise.all(alive))

/** `setup` reaches it as a copy. `ended` never rejects. */
export function startThread(file: URL, setup: unknown): { worker: Worker; ended: Promise<void> } {
  const worker = new Worker(file, { workerData: setup })
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  alive.add(ended)
  void ended.then(() => alive.delete(ended))
  return { worker, ended }
}
