/** @file What develop.ts makes of a JPEG, at once: for who reads a log from front to back, and has nothing else to do. */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { decodeError, type ErrorData, LostError } from '../../errors.ts'
import type { Image } from '../robot.ts'
import type { Developing } from './develop.ts'

const THREAD = new URL('./develop-thread.mjs', import.meta.url)
const PATIENCE = 60_000 // ms for one picture, the start of the thread included

type Answer = { data: Uint8Array } | { error: ErrorData }
type Thread = { port: MessagePort; signal: Int32Array }

let thread: Thread | undefined

/** Stops this thread until another has the pixels. Never in a control loop. @throws InputError as `develop` does */
function developNow(jpeg: Uint8Array, view: Developing, camera: string): Uint8Array {
  thread ??= start()
  const { port, signal } = thread
  Atomics.store(signal, 0, 0)
  port.postMessage({ jpeg, view, camera })
  const ended = Atomics.wait(signal, 0, 0, PATIENCE)
  const answer = receiveMessageOnPort(port)?.message as Answer | undefined
  if (!answer) {
    thread = undefined
    throw new LostError('the decoder of pictures', `gave no answer (${ended})`, 'Start the program again')
  }
  if ('error' in answer) throw decodeError(answer.error)
  return answer.data
}

/** An image of a camera's JPEG whose pixels are made when somebody looks at them. */
export function undeveloped(jpeg: Uint8Array, view: Developing, camera: string): Image {
  const { width, height } = view
  let pixels: Uint8Array | undefined
  return {
    width,
    height,
    jpeg,
    get data() {
      pixels ??= developNow(jpeg, view, camera)
      return pixels
    },
  }
}

/** It ends with the process, and does not keep it. */
function start(): Thread {
  const signal = new Int32Array(new SharedArrayBuffer(4))
  const { port1, port2 } = new MessageChannel()
  new Worker(THREAD, { workerData: { port: port2, signal }, transferList: [port2] }).unref()
  port1.unref()
  return { port: port1, signal }
}
