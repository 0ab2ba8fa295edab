/** @file The thread that writes a run's dataset beside it, from the run's logs: pictures are encoded and files written without the control loop. */
import { parentPort, workerData } from 'node:worker_threads'
import { encodeError } from '../errors.ts'
import { RunExport } from './lerobot.ts'
import type { FromRecorder, RecorderSetup, ToRecorder } from './lerobot-recorder.ts'

/** Takes what is new whenever it is told of something, and ends when it is told to. */
export async function follow(): Promise<void> {
  const { run, folder, video } = workerData as RecorderSetup
  const port = parentPort!
  const say = (message: FromRecorder) => port.postMessage(message)
  try {
    const exporting = await RunExport.open(run, folder, { video, live: true })
    let work: Promise<unknown> = Promise.resolve()
    const failed = (error: unknown) => {
      say({ kind: 'failed', error: encodeError(error) })
      port.close()
    }
    say({ kind: 'ready' })
    port.on('message', (message: ToRecorder) => {
      work = work.then(async () => {
        const exported = await exporting.advance()
        if (message !== 'close') return
        exporting.close()
        say({ kind: 'closed', exported })
        port.close()
      })
      work.catch(failed)
    })
  } catch (error) {
    say({ kind: 'failed', error: encodeError(error) })
    port.close()
  }
}
