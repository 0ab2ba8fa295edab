/** @file What a camera gives, measured for a while. */
import { setTimeout as pause } from 'node:timers/promises'
import { type ErrorData, encodeError } from '../../errors.ts'
import { type CameraCounts, cameraClock, type Frame, type LiveCamera, noPicture } from './camera.ts'
import { jpegSize } from './develop.ts'

const EVERY = 20 // ms between two looks: ages are those that a control loop would find

export type MeasuredCamera = {
  camera: string
  capture: { width: number; height: number } // as the camera sends it
  image: { width: number; height: number } // as the policy sees it
  rate: number // pictures that arrived a second
  age: { median: number; largest: number } // ms, of the newest picture at any moment
  bytes: number // a picture, on average
  unreadable: number
  frame: Frame // the newest
}

/** @returns why nothing came, where nothing did within `patience` s */
export async function measureCamera(
  camera: LiveCamera,
  seconds: number,
  patience: number,
): Promise<MeasuredCamera | ErrorData> {
  const { name, counts } = camera
  for (const limit = cameraClock() + patience; !camera.newest(); await pause(EVERY))
    if (cameraClock() > limit) return camera.trouble ?? encodeError(noPicture(name, patience))
  const before: CameraCounts = { ...counts }
  const began = cameraClock()
  const ages: number[] = []
  while (cameraClock() < began + seconds) {
    await pause(EVERY)
    ages.push(1000 * (cameraClock() - camera.newest()!.received))
  }
  ages.sort((a, b) => a - b)
  const pictures = counts.pictures - before.pictures
  const frame = camera.newest()!
  const { width, height } = frame.image
  return {
    camera: name,
    capture: jpegSize(frame.image.jpeg!, name),
    image: { width, height },
    rate: pictures / (cameraClock() - began),
    age: { median: ages[ages.length >> 1]!, largest: ages.at(-1)! },
    bytes: pictures > 0 ? (counts.bytes - before.bytes) / pictures : frame.image.jpeg!.length,
    unreadable: counts.unreadable - before.unreadable,
    frame,
  }
}
