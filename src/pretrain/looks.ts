/** @file Domain randomisation: what a frame looks like under other colours, another light and slightly moved cameras. */
import type { RandomStream } from '../random/stream.ts'
import type { Image } from '../robot/robot.ts'
import { frontCamera, wristCamera } from '../robots/workcell/appearance.ts'
import { Renderer } from '../robots/workcell/render/renderer.ts'
import { type CameraPose, defaultLight, defaultTable, type Rgb } from '../robots/workcell/render/scene.ts'
import type { Vec3 } from '../robots/workcell/truth.ts'
import { type PlayCell, type PlayFrame, sceneAt } from './play-data.ts'

/** Half of all frames look as the workcell does, so that play covers what the tasks will show. */
const PLAIN_SHARE = 0.5
/** Camera offsets, standard deviations: about half a pixel of the front camera. */
const CAMERA_JITTER = { metres: 0.0015, radians: 0.002 }

/** Renders frames of some cells, each time with newly drawn looks. */
export class Looks {
  private readonly renderers: Renderer[]
  private readonly colours: (Rgb | undefined)[][] // as the model has them

  constructor(private readonly cells: readonly PlayCell[]) {
    this.renderers = cells.map(({ scene }) => new Renderer(scene))
    this.colours = cells.map(({ scene }) => scene.geoms.map((geom) => geom?.colour))
  }

  /** Both cameras' views of a frame. `random` left out: exactly as the workcell shows it. */
  render(frame: PlayFrame, random?: RandomStream): Record<'front' | 'wrist', Image> {
    const cell = this.cells[frame.cell]!
    cell.scene.geoms.forEach((geom, g) => {
      if (geom) geom.colour = this.colours[frame.cell]![g]!
    })
    const scene = sceneAt(cell, frame)
    scene.light = defaultLight()
    scene.table = defaultTable()
    const varied = random && random.uniform() > PLAIN_SHARE ? random : undefined
    if (varied) this.recolour(cell, varied)
    const front = frontCamera(cell.workcell.options.frontCamera)
    const wrist = wristCamera(frame.hand)
    const renderer = this.renderers[frame.cell]!
    return {
      front: renderer.render(varied ? jitter(front, varied) : front),
      wrist: renderer.render(varied ? jitter(wrist, varied) : wrist),
    }
  }

  /** Each body's colours move together; the active cradle and slot keep hues by which they can be told from the others. */
  private recolour({ scene, bodies, toys }: PlayCell, random: RandomStream): void {
    const shifts = new Map<string, Vec3>()
    scene.geoms.forEach((geom, g) => {
      if (!geom) return
      const body = bodies[g]!
      let shift = shifts.get(body)
      if (!shift) {
        const spread = toys.length && body.startsWith('toy') ? 0.4 : 0.08
        shift = [spread * random.normal(), spread * random.normal(), spread * random.normal()]
        shifts.set(body, shift)
      }
      geom.colour = geom.colour.map((value, i) => Math.min(1, Math.max(0, value + shift[i]!))) as Rgb
    })
    const { direction } = scene.light
    scene.light = {
      direction: direction.map((x) => x + 0.2 * random.normal()) as Vec3,
      ambient: random.uniform(0.34, 0.5),
      diffuse: random.uniform(0.48, 0.66),
    }
    const tint: Vec3 = [0.06 * random.normal(), 0.06 * random.normal(), 0.06 * random.normal()]
    const tinted = (rgb: Rgb) => rgb.map((value, i) => value + tint[i]!) as Rgb
    scene.table = { even: tinted(scene.table.even), odd: tinted(scene.table.odd) }
  }
}

/** The camera moved and turned by a little. */
function jitter(camera: CameraPose, random: RandomStream): CameraPose {
  const { metres, radians } = CAMERA_JITTER
  const r = Array.from(camera.rotation)
  const [a, b, c] = [radians * random.normal(), radians * random.normal(), radians * random.normal()]
  // R (I + [w]x): first order is exact enough at thousandths of a radian
  const turned = [0, 3, 6].flatMap((row) => {
    const [x, y, z] = [r[row]!, r[row + 1]!, r[row + 2]!]
    return [x + c * y - b * z, y - c * x + a * z, z + b * x - a * y]
  })
  const position = Array.from(camera.position, (x) => x + metres * random.normal())
  return { ...camera, position, rotation: turned }
}
