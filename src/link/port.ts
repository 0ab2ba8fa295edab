/** @file What carries a link's messages: whole, in their order, each once. A thread's port does, and so does a session over a network. */

/** A MessagePort, a Worker, or a `LinkChannel`. Messages that arrive before anybody listens wait. */
export interface Port {
  postMessage(message: ArrayBuffer, transfer: ArrayBuffer[]): void
  on(event: 'message', listener: (message: ArrayBuffer) => void): unknown
}

/** The learner's end of one. What was posted before it is closed still goes out. */
export type ServedPort = Port & { close(): void }
