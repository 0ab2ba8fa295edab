/** @file What the rasteriser draws: convex primitives with their poses, one light, a table at z = 0. */

export type Rgb = [red: number, green: number, blue: number] // each 0..1

/** One primitive. `size` holds MuJoCo's half sizes: box (x, y, z), capsule and cylinder (radius, half length along z), sphere (radius). */
export type Geom = {
  kind: 'box' | 'capsule' | 'cylinder' | 'sphere'
  size: readonly number[] // metres; read once, when the renderer is made
  colour: Rgb // may change between frames
  castsShadow: boolean
}

/**
 * Everything a frame depends on but the camera. Colours and light may be changed between frames (randomisation).
 * A null geom is not drawn, so `xpos` and `xmat` can be MuJoCo's own geom arrays with collision-only geoms among them.
 */
export type Scene = {
  geoms: (Geom | null)[]
  xpos: ArrayLike<number> // [geoms, 3] metres, world frame; read anew each frame
  xmat: ArrayLike<number> // [geoms, 9] row-major rotations, geom to world
  light: Light
  table: { even: Rgb; odd: Rgb } // the two colours of its 10 cm squares
  background: Rgb // above the horizon
}

/** `direction` points from the scene towards the light (any length). A face shows colour * (ambient + diffuse * max(0, n.l)). */
export type Light = { direction: readonly [number, number, number]; ambient: number; diffuse: number }

/** MuJoCo's convention: the camera looks along its -z, +y is up in the image. */
export type CameraPose = {
  position: ArrayLike<number> // [3] metres
  rotation: ArrayLike<number> // [9] row-major, camera to world
  fovy: number // radians, full vertical angle
  near: number // metres; nothing closer is drawn
}

/** Light and table that recognise every part of the workcell (docs/simulator.md §8). */
export const defaultLight = (): Light => ({ direction: [0.35, 0.45, 0.82], ambient: 0.42, diffuse: 0.58 })
export const defaultTable = (): Scene['table'] => ({ even: [0.62, 0.6, 0.57], odd: [0.58, 0.56, 0.53] })
export const defaultBackground = (): Rgb => [0.75, 0.8, 0.85]

/** Camera-to-world rotation, row-major, of a camera at `position` that looks at `target` with `up` upwards in the image. */
export function lookAt(
  position: ArrayLike<number>,
  target: ArrayLike<number>,
  up: ArrayLike<number> = [0, 0, 1],
): Float64Array {
  const back = unit([position[0]! - target[0]!, position[1]! - target[1]!, position[2]! - target[2]!])
  const right = unit(cross(up, back))
  const top = cross(back, right)
  return Float64Array.from([0, 1, 2].flatMap((row) => [right[row]!, top[row]!, back[row]!]))
}

const cross = (a: ArrayLike<number>, b: ArrayLike<number>) => [
  a[1]! * b[2]! - a[2]! * b[1]!,
  a[2]! * b[0]! - a[0]! * b[2]!,
  a[0]! * b[1]! - a[1]! * b[0]!,
]

const unit = (v: number[]) => {
  const length = Math.hypot(v[0]!, v[1]!, v[2]!)
  return v.map((x) => x / length)
}
