/** @file What the thread of pictures does: renders each state that it is sent, one after the other, and makes a JPEG of each picture. */
import { parentPort } from 'node:worker_threads'
import { jpegOf, stamped } from '../../../robot/cameras/jpeg.ts'
import type { Image } from '../../../robot/robot.ts'
import { SceneRenderer, type SceneState } from '../render/scene-renderer.ts'

/** `at`: s, when the scene was so. */
export type ToRender = { state: SceneState; at: number }
export type Rendered = Record<string, Required<Image>>

export function renderAsked(): void {
  const renderer = new SceneRenderer()
  let last = Promise.resolve()
  parentPort!.on('message', (asked: ToRender) => {
    last = last.then(() => answer(renderer, asked))
  })
}

async function answer(renderer: SceneRenderer, { state, at }: ToRender): Promise<void> {
  const images = Object.entries(renderer.render(state))
  const whole = await Promise.all(
    images.map(async ([name, image]) => [name, { ...image, jpeg: stamped(await jpegOf(image), at) }] as const),
  )
  const moved = images.map(([, { data }]) => data.buffer as ArrayBuffer)
  parentPort!.postMessage(Object.fromEntries(whole) satisfies Rendered, moved)
}
