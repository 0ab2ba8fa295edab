/** @file The browser's Worker on top of worker_threads, so that jax-js may use every core in Node as it does in a page. */
import { resolveObjectURL } from 'node:buffer'
import { availableParallelism } from 'node:os'
import { Worker as Thread } from 'node:worker_threads'

const PRELUDE = `
const { parentPort } = require('node:worker_threads')
globalThis.self = globalThis
globalThis.postMessage = (data) => parentPort.postMessage(data)
parentPort.on('message', (data) => self.onmessage({ data }))
`

class WebWorker {
  onmessage: ((event: { data: unknown }) => void) | null = null
  onerror: ((event: { message: string }) => void) | null = null
  private readonly thread: Promise<Thread>

  constructor(url: string) {
    const blob = resolveObjectURL(url)
    if (!blob) throw new Error(`Worker: ${url} is not a blob of this process`)
    this.thread = blob.text().then((source) => {
      const thread = new Thread(PRELUDE + source, { eval: true })
      thread.on('message', (data) => this.onmessage?.({ data }))
      thread.on('error', (error: Error) => this.onerror?.({ message: error.message }))
      return thread
    })
  }

  postMessage(data: unknown): void {
    void this.thread.then((thread) => thread.postMessage(data))
  }
}

/** Call before jax-js is imported: it looks for Worker once, at load. */
export function provideWebWorkers(): void {
  const scope = globalThis as Record<string, unknown>
  scope.Worker ??= WebWorker
  if (typeof navigator === 'undefined') scope.navigator = { hardwareConcurrency: availableParallelism() }
}
