/**
 * @file Frames that errors are measured on where the robot has none to give: soft light, things with edges, the noise of a
 * camera. Drawn, so they are the same everywhere.
 */
import { RandomStream } from '../../random/stream.ts'
import type { Image } from '../../robot/robot.ts'
import type { EncoderInput } from '../encoder.ts'

const SIDE = 256 // pixels
const SAID = 'pick up the object and place it'
const THINGS = 12
const NOISE = 4 // standard deviation, of 255

/** `which` tells pictures apart; the same number gives the same picture. */
export function drawnPicture(side: number, which: number): Image {
  const random = new RandomStream(which, 'vla/int8/pictures')
  const uniform = (from: number, to: number) => from + (to - from) * random.uniform()
  const colour = () => [uniform(0, 255), uniform(0, 255), uniform(0, 255)]
  const corners = [colour(), colour(), colour(), colour()]
  const things = Array.from({ length: THINGS }, () => ({
    ...{
      x: uniform(0, side),
      y: uniform(0, side),
      wide: uniform(side / 40, side / 5),
      high: uniform(side / 40, side / 5),
    },
    ...{ round: random.uniform() < 0.5, colour: colour() },
  }))
  const data = new Uint8Array(3 * side * side)
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const [right, down] = [x / side, y / side]
      const thing = things.findLast(({ x: left, y: top, wide, high, round }) => {
        const [a, b] = [(x - left) / wide, (y - top) / high]
        return round ? a * a + b * b < 1 : Math.abs(a) < 1 && Math.abs(b) < 1
      })
      for (let channel = 0; channel < 3; channel++) {
        const [first, second, third, fourth] = corners.map((corner) => corner[channel]!) as [
          number,
          number,
          number,
          number,
        ]
        const light =
          (first * (1 - right) + second * right) * (1 - down) + (third * (1 - right) + fourth * right) * down
        const value = (thing?.colour[channel] ?? light) + NOISE * random.normal()
        data[3 * (y * side + x) + channel] = Math.max(0, Math.min(255, Math.round(value)))
      }
    }
  return { width: side, height: side, data }
}

/** Each camera sees another picture; proprio [width] is zero. */
export const drawnFrames = (count: number, cameras: readonly string[], width: number): EncoderInput[] =>
  Array.from({ length: count }, (_, which) => ({
    images: Object.fromEntries(cameras.map((camera, i) => [camera, drawnPicture(SIDE, which * cameras.length + i)])),
    proprio: new Float32Array(width),
    instruction: SAID,
  }))
