/** @file Pictures of the served workcell, rendered in a thread of their own: whoever takes commands does not wait for one. */
import { Worker } from 'node:worker_threads'
import { LostError } from '../../../errors.ts'
import type { SceneState } from '../render/scene-renderer.ts'
import type { Rendered, ToRender } from './render-process.ts'

const THREAD = new URL('./render-thread.mjs', import.meta.url)

type Waiting = { resolve: (images: Rendered) => void; reject: (error: Error) => void }

export class RenderingThread {
  private readonly worker = new Worker(THREAD)
  private readonly waiting: Waiting[] = [] // the longest first
  private lost: Error | undefined

  constructor() {
    this.worker.unref()
    this.worker.on('message', (images: Rendered) => this.waiting.shift()?.resolve(images))
    this.worker.on('error', (error) => this.lose(String(error)))
    this.worker.on('exit', (code) => this.lose(`exit code ${code}`))
  }

  /** In the order in which it was asked. `at`: s, when the scene was so. @throws LostError where the thread is no more */
  render(state: SceneState, at: number): Promise<Rendered> {
    if (this.lost) return Promise.reject(this.lost)
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject })
      this.worker.postMessage({ state, at } satisfies ToRender)
    })
  }

  close(): void {
    this.lose('it was ended')
    void this.worker.terminate()
  }

  private lose(why: string): void {
    this.lost ??= new LostError('the thread of pictures', `is no more (${why})`, 'Cameras stand still: serve anew')
    for (const { reject } of this.waiting.splice(0)) reject(this.lost)
  }
}
