/** @file What simulated cameras see of a simulated arm: its links and its gripper as strokes over a table, and a mark at a place. */
import type { RandomStream } from '../../../random/stream.ts'
import { project } from '../../../robot/projection.ts'
import type { CameraMount, CameraSpec, Image } from '../../../robot/robot.ts'
import { multiply, rotate, unit, type Vec3 } from '../../../robot/rotation.ts'
import { posture } from '../chain.ts'
import { GRIPPER_JOINT, type JointVector } from '../joints.ts'

type Colour = readonly [number, number, number]

const TABLE: Colour = [96, 104, 112]
const GRID: Colour = [120, 128, 136]
const MARK: Colour = [220, 60, 50]
const LINK: Colour = [240, 200, 60]
const FINGER: Colour = [40, 40, 44]
const SIZE = { width: 128, height: 128 }

/** From ahead and above, looking at the middle of the table; and behind the fingers, looking along them. */
export const SIMULATED_CAMERAS = {
  front: { ...SIZE, mount: { mount: 'base', ...looking([0.62, 0, 0.38], [0.2, 0, 0.06]), fovy: 0.75 } },
  wrist: { ...SIZE, mount: { mount: 'tool', ...looking([-0.11, 0, 0.06], [0.04, 0, 0]), fovy: 1.2 } },
} as const satisfies Record<string, CameraSpec>

/** Where a camera at one point, upright, looks at another. */
function looking(from: Vec3, to: Vec3): Pick<CameraMount, 'position' | 'rotation'> {
  const d = to.map((value, i) => value - from[i]!) as Vec3
  const yaw = Math.atan2(d[1], d[0]) - Math.PI / 2
  const pitch = Math.atan2(d[2], Math.hypot(d[0], d[1])) + Math.PI / 2
  const about = (angle: number, axis: 1 | 3): [number, number, number, number] =>
    axis === 3 ? [Math.cos(angle / 2), 0, 0, Math.sin(angle / 2)] : [Math.cos(angle / 2), Math.sin(angle / 2), 0, 0]
  return { position: from, rotation: unit(multiply(about(yaw, 3), about(pitch, 1))) }
}

/** `angles`: of the six joints. `place`: what is marked. */
export function simulatedPictures(angles: JointVector, place?: Vec3): Record<string, Image> {
  const { tool, joints } = posture(angles)
  const along = (x: number, y: number, z: number): Vec3 => {
    const [dx, dy, dz] = rotate(tool.rotation, [x, y, z])
    return [tool.position[0] + dx, tool.position[1] + dy, tool.position[2] + dz]
  }
  const spread = 0.006 + 0.03 * angles[GRIPPER_JOINT]!
  const draw = (mount: CameraMount): Image => {
    const canvas = new Canvas(inBase(mount, tool))
    for (let k = -2; k <= 2; k++) {
      canvas.stroke([0.05, 0.1 * k, 0], [0.45, 0.1 * k, 0], 0.001, GRID)
      canvas.stroke([0.25 + 0.1 * k, -0.25, 0], [0.25 + 0.1 * k, 0.25, 0], 0.001, GRID)
    }
    if (place) canvas.stroke(place, place, 0.012, MARK)
    const points = [...joints.map(({ position }) => position), along(-0.06, 0, 0)]
    for (let j = 1; j < points.length; j++) canvas.stroke(points[j - 1]!, points[j]!, 0.014, LINK)
    for (const side of [-1, 1]) canvas.stroke(along(-0.06, side * spread, 0), along(0, side * spread, 0), 0.005, FINGER)
    return canvas.image
  }
  return { front: draw(SIMULATED_CAMERAS.front.mount), wrist: draw(SIMULATED_CAMERAS.wrist.mount) }
}

/** As a sensor gives it, in place: each number one more or less in half of the cases. A camera never sees the same twice. */
export function withSensorNoise(image: Image, random: RandomStream): Image {
  const { data } = image
  for (let i = 0; i < data.length; ) {
    let bits = random.bits()
    for (const end = Math.min(data.length, i + 16); i < end; i++, bits >>>= 2) data[i]! += NOISE[bits & 3]!
  }
  return image
}
const NOISE = [-1, 0, 0, 1] // grey levels; no colour here is so dark or bright that it would wrap round

function inBase(mount: CameraMount, tool: { position: Vec3; rotation: CameraMount['rotation'] }): CameraMount {
  if (mount.mount === 'base') return mount
  const [x, y, z] = rotate(tool.rotation, mount.position)
  const position: Vec3 = [tool.position[0] + x, tool.position[1] + y, tool.position[2] + z]
  return { ...mount, position, rotation: unit(multiply(tool.rotation, mount.rotation)) }
}

const BITS = 24 // dots a stroke

class Canvas {
  readonly image: Image = { ...SIZE, data: new Uint8Array(3 * SIZE.width * SIZE.height) }

  constructor(private readonly mount: CameraMount) {
    const { data } = this.image
    for (let i = 0; i < data.length; i++) data[i] = TABLE[i % 3]!
  }

  /** A row of dots, metres wide. Later strokes cover earlier ones. */
  stroke(from: Vec3, to: Vec3, radius: number, colour: Colour): void {
    const { width, height } = SIZE
    const focal = height / (2 * Math.tan(this.mount.fovy / 2))
    for (let k = 0; k <= BITS; k++) {
      const point = from.map((value, i) => value + ((to[i]! - value) * k) / BITS) as Vec3
      const { pixel, ahead } = project(this.mount, width, height, point)
      if (ahead > 0.01) this.dot(pixel, Math.max(0.6, (focal * radius) / ahead), colour)
    }
  }

  private dot([x, y]: readonly [number, number], radius: number, colour: Colour): void {
    const { width, height } = SIZE
    for (let row = Math.max(0, Math.ceil(y - radius)); row <= Math.min(height - 1, y + radius); row++)
      for (let column = Math.max(0, Math.ceil(x - radius)); column <= Math.min(width - 1, x + radius); column++)
        if (Math.hypot(column - x, row - y) <= radius) this.image.data.set(colour, 3 * (row * width + column))
  }
}
