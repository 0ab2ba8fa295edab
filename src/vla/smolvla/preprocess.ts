/** @file What SmolVLA's network takes: pictures resized with padding, the state normalised and padded (lerobot, `prepare_images`, `prepare_state`). */
import type { Image } from '../../robot/robot.ts'

const BLACK = -1 // of a picture in [-1, 1]

/**
 * The image in [-1, 1], scaled to fit `size` x `size` with black above and to the left: [size, size, 3]. Bilinear with
 * half-pixel centres and without antialiasing, as torch's `interpolate` does it; an image of the right size stays as it is.
 */
export function preparePicture(image: Image, size: number): Float32Array {
  const { width, height, data } = image
  const shrink = Math.max(width / size, height / size)
  const fits = width === size && height === size
  const [columns, rows] = fits ? [width, height] : [Math.trunc(width / shrink), Math.trunc(height / shrink)]
  const out = new Float32Array(3 * size * size).fill(BLACK)
  const across = interpolation(columns, width)
  const down = interpolation(rows, height)
  for (let y = 0; y < rows; y++) {
    const [top, bottom] = [3 * width * down.low[y]!, 3 * width * down.high[y]!]
    const fall = down.share[y]!
    let to = 3 * (size * (size - rows + y) + size - columns)
    for (let x = 0; x < columns; x++) {
      const [left, right] = [3 * across.low[x]!, 3 * across.high[x]!]
      const run = across.share[x]!
      for (let channel = 0; channel < 3; channel++) {
        const above = (1 - run) * data[top + left + channel]! + run * data[top + right + channel]!
        const below = (1 - run) * data[bottom + left + channel]! + run * data[bottom + right + channel]!
        out[to++] = (2 * ((1 - fall) * above + fall * below)) / 255 - 1
      }
    }
  }
  return out
}

/** For each of `count` new pixels: the two old ones of `from` that it lies between, and the share of the second. */
function interpolation(count: number, from: number) {
  const low = new Int32Array(count)
  const high = new Int32Array(count)
  const share = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    const at = Math.max(0, ((i + 0.5) * from) / count - 0.5)
    low[i] = Math.min(from - 1, Math.floor(at))
    high[i] = Math.min(from - 1, low[i]! + 1)
    share[i] = at - low[i]!
  }
  return { low, high, share }
}

/** Centres and scales one kind of vector: y = (x - shift) scale + offset, or its inverse. */
export type Scaling = { shift: Float32Array; scale: Float32Array; offset: number }

/**
 * The state as the network takes it: normalised where the checkpoint's statistics have the robot's width, and raw
 * where they are those of another robot; cut or padded with zeros to `slots`.
 */
export function prepareState(state: Float32Array, scaling: Scaling | undefined, slots: number): Float32Array {
  const out = new Float32Array(slots)
  const fits = scaling?.shift.length === state.length
  for (let i = 0; i < Math.min(slots, state.length); i++)
    out[i] = fits ? (state[i]! - scaling.shift[i]!) * scaling.scale[i]! + scaling.offset : state[i]!
  return out
}

/** The inverse of a scaling: an action of the network as the robot's. */
export function restore(values: Float32Array, scaling: Scaling | undefined): Float32Array {
  if (!scaling) return values.slice()
  const { shift, scale, offset } = scaling
  return values.map((y, i) => (scale[i] === 0 ? shift[i]! : (y - offset) / scale[i]! + shift[i]!))
}
