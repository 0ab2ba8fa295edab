/** @file The thread that develops pictures for who cannot wait for a promise: src/robot/cameras/develop-now.ts started it. */
import { workerData } from 'node:worker_threads'
import { load } from '../../load.mjs'

const { develop } = await load('robot/cameras/develop')
const { encodeError } = await load('errors')

const { port, signal } = workerData
port.on('message', async ({ jpeg, view, camera }) => {
  let answer
  try {
    const { data } = await develop(jpeg, view, camera)
    answer = { data }
  } catch (error) {
    answer = { error: encodeError(error) }
  }
  port.postMessage(answer)
  Atomics.store(signal, 0, 1)
  Atomics.notify(signal, 0)
})
