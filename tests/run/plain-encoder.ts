/** @file A session whose encoder is quick: for runs in which it matters that something is seen, and not what is made of it. */
import type { Image } from '../../src/robot/robot.ts'
import { openSession, type Session } from '../../src/run/session.ts'
import type { VlaEncoder } from '../../src/vla/encoder.ts'

const SIDE = 2 // patches of a picture, along each side

/** As a run opens it, but that mean colours of a picture's patches stand in for an encoder's maps and embedding. */
export async function openPlainly(settings: Parameters<typeof openSession>[0]): Promise<Session> {
  const session = await openSession(settings)
  const { cameras } = session.encoder.description
  const encoder: VlaEncoder = {
    description: {
      ...session.encoder.description,
      name: 'mean colours',
      embeddingWidth: cameras.length * SIDE ** 2 * 3,
      featureShape: [cameras.length, SIDE, SIDE, 3],
      hash: 'of mean colours',
    },
    encode: async (inputs) =>
      inputs.map(({ images }) => {
        const colours = cameras.flatMap((camera) => patches(images[camera]!))
        return { h: Float32Array.from(colours), features: Float32Array.from(colours) }
      }),
    close: async () => {},
  }
  return { ...session, encoder }
}

/** Mean red, green and blue of each patch, row by row, in [0, 1]. */
function patches({ width, height, data }: Image): number[] {
  const sums = new Array<number>(SIDE ** 2 * 3).fill(0)
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let colour = 0; colour < 3; colour++, at++)
        sums[3 * (SIDE * Math.floor((SIDE * y) / height) + Math.floor((SIDE * x) / width)) + colour]! += data[at]!
  const pixels = (width * height) / SIDE ** 2
  return sums.map((sum) => sum / (255 * pixels))
}
