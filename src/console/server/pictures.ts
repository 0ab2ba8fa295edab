/** @file Camera images as JPEG, made off the event loop; where they come faster than they are made, the newest wins. */
import sharp from 'sharp'
import type { Image } from '../../robot/robot.ts'

sharp.concurrency(1)
sharp.cache(false)

const QUALITY = 85
const THUMBNAIL = { width: 72, quality: 75 }

const raw = ({ data, width, height }: Image) => sharp(data, { raw: { width, height, channels: 3 } })

export const toJpeg = (image: Image): Promise<Buffer> =>
  raw(image).jpeg({ quality: QUALITY, chromaSubsampling: '4:4:4' }).toBuffer()

/** A small picture as a data: URL. */
export async function thumbnail(image: Image): Promise<string> {
  const { width, quality } = THUMBNAIL
  const bytes = await raw(image).resize({ width }).jpeg({ quality }).toBuffer()
  return `data:image/jpeg;base64,${bytes.toString('base64')}`
}

/** A robot may use its image memory again. */
export const copyOf = ({ width, height, data }: Image): Image => ({ width, height, data: data.slice() })

/** Encodes one picture at a time for each camera; of those that wait only the newest is kept. */
export class PictureStream<Moment> {
  private readonly busy = new Set<number>()
  private readonly waiting = new Map<number, { image: Image; moment: Moment }>()

  constructor(private readonly onPicture: (camera: number, jpeg: Uint8Array, moment: Moment) => void) {}

  offer(camera: number, image: Image, moment: Moment): void {
    this.waiting.set(camera, { image: copyOf(image), moment })
    if (!this.busy.has(camera)) void this.encode(camera)
  }

  private async encode(camera: number): Promise<void> {
    this.busy.add(camera)
    for (let next = this.waiting.get(camera); next; next = this.waiting.get(camera)) {
      this.waiting.delete(camera)
      const { image, moment } = next
      try {
        this.onPicture(camera, await toJpeg(image), moment)
      } catch {
        // an image of a size that its data does not have: the robot's own check speaks of it when it is logged
      }
    }
    this.busy.delete(camera)
  }
}
