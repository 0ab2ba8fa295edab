/** @file Where things land in a rendered frame: expected pixels and colours are worked out by hand from the pinhole model. */
import { describe, expect, it } from 'vitest'
import type { Image } from '../../../src/robot/robot.ts'
import { tessellate } from '../../../src/robots/workcell/render/mesh.ts'
import { Renderer } from '../../../src/robots/workcell/render/renderer.ts'
import { type CameraPose, type Geom, lookAt, type Scene } from '../../../src/robots/workcell/render/scene.ts'

const UPRIGHT = [1, 0, 0, 0, 1, 0, 0, 0, 1]
type Placed = Omit<Geom, 'castsShadow'> & { at: number[]; turn?: number[]; castsShadow?: boolean }

/** Light from straight above; every face at full ambient unless `light` says otherwise; a grey table without squares. */
function aScene(placed: Placed[], light: Scene['light'] = { direction: [0, 0, 1], ambient: 1, diffuse: 0 }): Scene {
  return {
    geoms: placed.map(({ kind, size, colour, castsShadow = false }) => ({ kind, size, colour, castsShadow })),
    xpos: placed.flatMap(({ at }) => at),
    xmat: placed.flatMap(({ turn = UPRIGHT }) => turn),
    light,
    table: { even: [0.5, 0.5, 0.5], odd: [0.5, 0.5, 0.5] },
    background: [0, 0, 0],
  }
}

/** 1 m above the table, looking straight down (camera axes = world axes), 90 degrees: f = 64 pixels. */
const ABOVE: CameraPose = { position: [0, 0, 1], rotation: UPRIGHT, fovy: Math.PI / 2, near: 0.01 }
const pixel = (image: Image, column: number, row: number) => [
  ...image.data.subarray(3 * (row * image.width + column), 3 * (row * image.width + column) + 3),
]
const GREY = [128, 128, 128]
const RED = [255, 0, 0]
const GREEN = [0, 255, 0]

/** Centroid (pixel coordinates, centres at .5) and number of pixels where `is` holds. */
function blob(image: Image, is: (rgb: number[]) => boolean) {
  let [count, column, row] = [0, 0, 0]
  for (let y = 0; y < image.height; y++)
    for (let x = 0; x < image.width; x++)
      if (is(pixel(image, x, y))) {
        count++
        column += x + 0.5
        row += y + 0.5
      }
  return { count, column: column / count, row: row / count }
}
const isRed = ([r, g]: number[]) => r! > 0 && g === 0

describe('Renderer', () => {
  it('draws a sphere at the pixel that the pinhole model gives, at the right size', () => {
    // (0.25, 0.125) at depth 0.5: column 64 + 64 * 0.25 / 0.5 = 96, row 64 - 64 * 0.125 / 0.5 = 48; radius about 6.4.
    const scene = aScene([{ kind: 'sphere', size: [0.05], colour: [1, 0, 0], at: [0.25, 0.125, 0.5] }])
    const { count, column, row } = blob(new Renderer(scene).render(ABOVE), isRed)
    expect(column).toBeCloseTo(96.3, 0) // off axis an image of a sphere leans outwards by a fraction of a pixel
    expect(row).toBeCloseTo(47.9, 0)
    expect(count).toBeGreaterThan(0.85 * Math.PI * 6.4 ** 2) // a decagon-like outline lies inside the circle
    expect(count).toBeLessThan(1.2 * Math.PI * 6.4 ** 2)
  })

  it('fills exactly the pixels whose centres lie in the projected face', () => {
    // Top face at depth 0.5, half sizes 4.2 and 2.2 pixels about (64, 64): centres 60.5..67.5 and 62.5..65.5.
    const scene = aScene([{ kind: 'box', size: [4.2 / 128, 2.2 / 128, 0.1], colour: [1, 0, 0], at: [0, 0, 0.4] }])
    const image = new Renderer(scene).render(ABOVE)
    expect(blob(image, isRed)).toEqual({ count: 8 * 4, column: 64, row: 64 })
    expect(pixel(image, 60, 62)).toEqual(RED)
    expect(pixel(image, 59, 62)).toEqual(GREY)
    expect(pixel(image, 60, 61)).toEqual(GREY)
  })

  it('looks along its -z with +y upwards', () => {
    // From (1, 0, 0.5) towards -x the world's +y is to the right, +z is up; f = 64.
    const camera = { position: [1, 0, 0.5], rotation: lookAt([1, 0, 0.5], [0, 0, 0.5]), fovy: Math.PI / 2, near: 0.01 }
    const scene = aScene([{ kind: 'box', size: [0.001, 0.02, 0.02], colour: [1, 0, 0], at: [0, 0.5, 0.75] }])
    const { column, row } = blob(new Renderer(scene).render(camera), isRed)
    expect(column).toBeCloseTo(64 + 64 * 0.5, 0)
    expect(row).toBeCloseTo(64 - 64 * 0.25, 0)
  })

  it('lets the nearer geom hide the farther one, whichever is listed first', () => {
    const near: Placed = { kind: 'box', size: [0.05, 0.05, 0.05], colour: [1, 0, 0], at: [0, 0, 0.6] }
    const far: Placed = { kind: 'box', size: [0.15, 0.15, 0.05], colour: [0, 1, 0], at: [0, 0, 0.2] }
    for (const order of [
      [near, far],
      [far, near],
    ]) {
      const image = new Renderer(aScene(order)).render(ABOVE)
      expect(pixel(image, 64, 64)).toEqual(RED)
      expect(pixel(image, 64 + 10, 64)).toEqual(GREEN) // 64 * 0.15 / 0.75 = 12.8 pixels wide, the near one 9.1
    }
  })

  it('resolves crossing geoms pixel by pixel', () => {
    // A thin bar through a post: beside the post its top (z 0.5) shows, at the centre the post's (z 0.6).
    const bar: Placed = { kind: 'box', size: [0.2, 0.02, 0.01], colour: [1, 0, 0], at: [0, 0, 0.49] }
    const post: Placed = { kind: 'cylinder', size: [0.05, 0.3], colour: [0, 1, 0], at: [0, 0, 0.3] }
    const image = new Renderer(aScene([bar, post])).render(ABOVE)
    expect(pixel(image, 64, 64)).toEqual(GREEN)
    expect(pixel(image, 84, 64)).toEqual(RED)
  })

  it('hides what lies under the table', () => {
    const scene = aScene([{ kind: 'box', size: [0.1, 0.1, 0.1], colour: [1, 0, 0], at: [0, 0, -0.11] }])
    expect(blob(new Renderer(scene).render(ABOVE), isRed).count).toBe(0)
  })

  it('turns a geom by its rotation matrix', () => {
    // 90 degrees about z maps local x to world y: the long side stands upright in the image.
    const turn = [0, -1, 0, 1, 0, 0, 0, 0, 1]
    const scene = aScene([{ kind: 'box', size: [0.2, 0.02, 0.1], colour: [1, 0, 0], at: [0, 0, 0.4], turn }])
    const image = new Renderer(scene).render(ABOVE)
    expect(pixel(image, 64, 44)).toEqual(RED)
    expect(pixel(image, 84, 64)).toEqual(GREY)
  })

  it('shades a face by ambient + diffuse * max(0, n.l)', () => {
    // l is 60 degrees from vertical: top 0.3 + 0.6 * 0.5 = 0.6.
    const light: Scene['light'] = { direction: [Math.sqrt(3), 0, 1], ambient: 0.3, diffuse: 0.6 }
    const scene = aScene([{ kind: 'box', size: [0.2, 0.2, 0.1], colour: [1, 0, 0], at: [0, 0, 0.1] }], light)
    expect(pixel(new Renderer(scene).render(ABOVE), 64, 64)).toEqual([Math.round(0.6 * 255), 0, 0])
  })

  it('throws a shadow along the light onto the table, where the geom asks for one', () => {
    // Light at 45 degrees from +x: a box centred 0.2 above the table darkens the table 0.2 m to -x: 12.8 pixels left.
    const light: Scene['light'] = { direction: [1, 0, 1], ambient: 0.5, diffuse: 0.5 }
    const box: Placed = { kind: 'box', size: [0.03, 0.03, 0.001], colour: [1, 0, 0], at: [0, 0, 0.2] }
    const sunny = Math.round(0.5 * (0.5 + 0.5 * Math.SQRT1_2) * 255)
    const shaded = Math.round(0.5 * 0.5 * 255)
    const withShadow = new Renderer(aScene([{ ...box, castsShadow: true }], light)).render(ABOVE)
    const { column, row } = blob(withShadow, ([r, g]) => r === shaded && g === shaded)
    expect(column).toBeCloseTo(64 - 12.8, 0)
    expect(row).toBeCloseTo(64, 0)
    expect(pixel(withShadow, 100, 64)).toEqual([sunny, sunny, sunny])
    expect(blob(new Renderer(aScene([box], light)).render(ABOVE), ([r]) => r === shaded).count).toBe(0)
  })

  it('paints the table in 10 cm squares and the background above the horizon', () => {
    const scene = aScene([])
    scene.table = { even: [1, 1, 1], odd: [0, 0, 0] }
    scene.background = [0, 0, 1]
    const down = new Renderer(scene).render(ABOVE)
    // 6.4 pixels a square; (0.05, 0.05) is even, (0.15, 0.05) is odd.
    expect(pixel(down, 67, 60)).toEqual([255, 255, 255])
    expect(pixel(down, 73, 60)).toEqual([0, 0, 0])
    const level = { position: [0, 0, 1], rotation: lookAt([0, 0, 1], [1, 0, 1]), fovy: Math.PI / 2, near: 0.01 }
    const ahead = new Renderer(scene).render(level)
    expect(pixel(ahead, 64, 63)).toEqual([0, 0, 255])
    expect(pixel(ahead, 64, 64)).not.toEqual([0, 0, 255])
  })

  it('cuts a face at the near plane instead of dropping or mirroring it', () => {
    // A long plank from behind the camera to ahead of it, its top 0.1 below the eye; near 0.05.
    const level = { position: [0, 0, 1], rotation: lookAt([0, 0, 1], [1, 0, 1]), fovy: Math.PI / 2, near: 0.05 }
    const scene = aScene([{ kind: 'box', size: [2, 0.5, 0.05], colour: [1, 0, 0], at: [0, 0, 0.85] }])
    const image = new Renderer(scene).render(level)
    // The plank ends 2 m ahead: its far edge is at row 64 + 64 * 0.1 / 2 = 67.2. Below it everything is plank.
    expect(pixel(image, 64, 66)).toEqual(GREY)
    for (const row of [68, 90, 127]) expect(pixel(image, 64, row)).toEqual(RED)
    for (const row of [0, 40, 63]) expect(pixel(image, 64, row)).toEqual([0, 0, 0])
  })

  it('draws a geom that is only partly in view', () => {
    const scene = aScene([{ kind: 'sphere', size: [0.2], colour: [1, 0, 0], at: [-1.05, 0, 0] }])
    expect(pixel(new Renderer(scene).render(ABOVE), 0, 64)).toEqual(RED) // from -1.25 to -0.85, the view ends at -1
  })

  it('follows poses, colours and light that change between frames, and draws into the given array', () => {
    const scene = aScene([{ kind: 'box', size: [0.05, 0.05, 0.05], colour: [1, 0, 0], at: [0, 0, 0.2] }])
    const renderer = new Renderer(scene)
    const out = new Uint8Array(128 * 128 * 3)
    expect(pixel(renderer.render(ABOVE, out), 64, 64)).toEqual(RED)
    scene.geoms[0]!.colour = [0, 1, 0]
    expect(renderer.render(ABOVE, out).data).toBe(out)
    expect(pixel({ width: 128, height: 128, data: out }, 64, 64)).toEqual(GREEN)
    scene.xpos = [0.5, 0, 0.2]
    expect(pixel(renderer.render(ABOVE), 64, 64)).toEqual(GREY)
  })

  it('says which array has the wrong length', () => {
    const scene = aScene([{ kind: 'sphere', size: [0.1], colour: [1, 0, 0], at: [0, 0, 0.5] }])
    expect(() => new Renderer(scene).render(ABOVE, new Uint8Array(5))).toThrow(
      'Renderer.render.out is [5], expected [49152]',
    )
    scene.xmat = [1, 0, 0]
    expect(() => new Renderer(scene).render(ABOVE)).toThrow('Scene.xmat is [3], expected [9]')
    expect(() => tessellate({ kind: 'box', size: [0.1, 0.1] })).toThrow('3 positive half sizes')
  })
})

describe('tessellate', () => {
  // Volumes by the divergence theorem must approach the solid's from below: a hole or a wrongly wound face shows at once.
  const solids: [Geom['kind'], number[], number][] = [
    ['box', [0.1, 0.2, 0.3], 8 * 0.1 * 0.2 * 0.3],
    ['cylinder', [0.1, 0.2], Math.PI * 0.01 * 0.4],
    ['capsule', [0.1, 0.2], Math.PI * 0.01 * 0.4 + (4 / 3) * Math.PI * 0.001],
    ['sphere', [0.1], (4 / 3) * Math.PI * 0.001],
  ]
  it.each(solids)('%s is closed and wound outwards', (kind, size, expected) => {
    const { vertices, triangles, normals } = tessellate({ kind, size })
    let volume = 0
    for (let t = 0; t < triangles.length; t += 3) {
      const [a, b, c] = [0, 1, 2].map((n) => [...vertices.subarray(3 * triangles[t + n]!, 3 * triangles[t + n]! + 3)])
      const cross = [
        b![1]! * c![2]! - b![2]! * c![1]!,
        b![2]! * c![0]! - b![0]! * c![2]!,
        b![0]! * c![1]! - b![1]! * c![0]!,
      ]
      volume += (a![0]! * cross[0]! + a![1]! * cross[1]! + a![2]! * cross[2]!) / 6
      const outward = a![0]! * normals[t]! + a![1]! * normals[t + 1]! + a![2]! * normals[t + 2]!
      expect(outward).toBeGreaterThan(0) // the origin is inside
    }
    expect(volume).toBeGreaterThan(0.78 * expected)
    expect(volume).toBeLessThanOrEqual(expected * (1 + 1e-9))
  })
})
