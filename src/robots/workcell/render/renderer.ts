/** @file The workcell's cameras: a z-buffer rasteriser in plain TypeScript, about half a millisecond a frame (docs/simulator.md §8). */
import { ShapeError } from '../../../errors.ts'
import type { Image } from '../../../robot/robot.ts'
import { type Mesh, tessellate } from './mesh.ts'
import type { CameraPose, Scene } from './scene.ts'

const SQUARES_PER_METRE = 10

/**
 * Draws a scene from any camera. Flat Lambert shading; the table is found by one ray a pixel; geoms throw their
 * shadows on the table only. Pixel (column, row) has its centre at (column + 0.5, row + 0.5); with focal length
 * f = height / (2 tan(fovy / 2)) a camera-frame point (x, y, -d) lands at (width / 2 + f x / d, height / 2 - f y / d).
 */
export class Renderer {
  private readonly meshes: (Mesh | null)[]
  private readonly inverseDepth: Float32Array // [pixels] 1 / metres; larger is nearer
  private readonly colour: Uint32Array // [pixels] 0xBBGGRR of the nearest face; TABLE where none
  private readonly shadow: Uint8Array // [pixels] 1 where a shadow falls on the table
  private readonly points: Float64Array // [vertices, 3] camera frame, of the geom at hand
  private readonly clipped = new Float64Array(12) // a triangle cut by the near plane: up to 4 corners

  constructor(
    private readonly scene: Scene,
    private readonly width = 128,
    private readonly height = 128,
  ) {
    this.meshes = scene.geoms.map((geom) => geom && tessellate(geom))
    this.inverseDepth = new Float32Array(width * height)
    this.colour = new Uint32Array(width * height)
    this.shadow = new Uint8Array(width * height)
    this.points = new Float64Array(Math.max(3, ...this.meshes.map((mesh) => mesh?.vertices.length ?? 0)))
  }

  /**
   * @param out [height * width * 3] to draw into; a new array if left out
   * @throws ShapeError if `out` or the scene's pose arrays have the wrong length
   */
  render(camera: CameraPose, out = new Uint8Array(3 * this.width * this.height)): Image {
    if (out.length !== 3 * this.width * this.height)
      throw new ShapeError('Renderer.render.out', [out.length], [3 * this.width * this.height])
    const { geoms, xpos, xmat } = this.scene
    if (xpos.length < 3 * geoms.length) throw new ShapeError('Scene.xpos', [xpos.length], [3 * geoms.length])
    if (xmat.length < 9 * geoms.length) throw new ShapeError('Scene.xmat', [xmat.length], [9 * geoms.length])
    const focal = this.height / (2 * Math.tan(camera.fovy / 2))
    this.clear(camera, focal)
    for (let g = 0; g < geoms.length; g++) {
      if (!this.meshes[g]) continue
      if (geoms[g]!.castsShadow) this.drawGeom(g, camera, focal, true)
      this.drawGeom(g, camera, focal, false)
    }
    this.resolve(camera, focal, out)
    return { width: this.width, height: this.height, data: out }
  }

  /** Fills the depth buffer with the table: 1 / depth of a plane is linear in the pixel. */
  private clear(camera: CameraPose, focal: number): void {
    const { position: p, rotation: r } = camera
    this.colour.fill(TABLE)
    this.shadow.fill(0)
    let pixel = 0
    for (let row = 0; row < this.height; row++) {
      const y = (this.height / 2 - row - 0.5) / focal
      for (let column = 0; column < this.width; column++) {
        const x = (column + 0.5 - this.width / 2) / focal
        const descent = r[8]! - r[6]! * x - r[7]! * y // metres down per metre of depth
        this.inverseDepth[pixel++] = Math.max(0, descent / p[2]!)
      }
    }
  }

  private drawGeom(g: number, camera: CameraPose, focal: number, asShadow: boolean): void {
    const mesh = this.meshes[g]!
    const { xpos, xmat, light, geoms } = this.scene
    const { position: p, rotation: r, near } = camera
    const [gx, gy, gz] = [xpos[3 * g]!, xpos[3 * g + 1]!, xpos[3 * g + 2]!]
    const o = 9 * g
    const lightScale = 1 / Math.hypot(...light.direction)
    const lx = light.direction[0] * lightScale
    const ly = light.direction[1] * lightScale
    const lz = light.direction[2] * lightScale
    if (asShadow) {
      if (lz <= 0.05 || gz + mesh.radius <= 0) return
    } else if (this.outside(gx - p[0]!, gy - p[1]!, gz - p[2]!, mesh.radius, camera, focal)) return

    const vertices = mesh.vertices
    const points = this.points
    for (let i = 0; i < vertices.length; i += 3) {
      const [vx, vy, vz] = [vertices[i]!, vertices[i + 1]!, vertices[i + 2]!]
      let wx = gx + xmat[o]! * vx + xmat[o + 1]! * vy + xmat[o + 2]! * vz
      let wy = gy + xmat[o + 3]! * vx + xmat[o + 4]! * vy + xmat[o + 5]! * vz
      let wz = gz + xmat[o + 6]! * vx + xmat[o + 7]! * vy + xmat[o + 8]! * vz
      if (asShadow) {
        const travel = Math.max(0, wz) / lz
        wx -= lx * travel
        wy -= ly * travel
        wz = 0
      }
      wx -= p[0]!
      wy -= p[1]!
      wz -= p[2]!
      points[i] = r[0]! * wx + r[3]! * wy + r[6]! * wz
      points[i + 1] = r[1]! * wx + r[4]! * wy + r[7]! * wz
      points[i + 2] = -(r[2]! * wx + r[5]! * wy + r[8]! * wz)
    }

    // Facing and shading are decided in the geom's own frame: no normal has to be turned.
    const [ex, ey, ez] = [p[0]! - gx, p[1]! - gy, p[2]! - gz]
    const eyeX = xmat[o]! * ex + xmat[o + 3]! * ey + xmat[o + 6]! * ez
    const eyeY = xmat[o + 1]! * ex + xmat[o + 4]! * ey + xmat[o + 7]! * ez
    const eyeZ = xmat[o + 2]! * ex + xmat[o + 5]! * ey + xmat[o + 8]! * ez
    const lightX = xmat[o]! * lx + xmat[o + 3]! * ly + xmat[o + 6]! * lz
    const lightY = xmat[o + 1]! * lx + xmat[o + 4]! * ly + xmat[o + 7]! * lz
    const lightZ = xmat[o + 2]! * lx + xmat[o + 5]! * ly + xmat[o + 8]! * lz
    const [red, green, blue] = geoms[g]!.colour
    const { triangles, normals, offsets } = mesh
    for (let t = 0; t < offsets.length; t++) {
      const [nx, ny, nz] = [normals[3 * t]!, normals[3 * t + 1]!, normals[3 * t + 2]!]
      const lit = nx * lightX + ny * lightY + nz * lightZ
      if (asShadow ? lit <= 0 : nx * eyeX + ny * eyeY + nz * eyeZ <= offsets[t]!) continue
      const shade = light.ambient + light.diffuse * Math.max(0, lit)
      const colour = asShadow ? SHADOW : pack(red * shade, green * shade, blue * shade)
      this.drawTriangle(
        3 * triangles[3 * t]!,
        3 * triangles[3 * t + 1]!,
        3 * triangles[3 * t + 2]!,
        near,
        focal,
        colour,
      )
    }
  }

  /** True if the sphere about the world offset (x, y, z) from the camera lies wholly outside the view. */
  private outside(x: number, y: number, z: number, radius: number, camera: CameraPose, focal: number): boolean {
    const r = camera.rotation
    const depth = -(r[2]! * x + r[5]! * y + r[8]! * z)
    if (depth + radius < camera.near) return true
    const across = Math.abs(r[0]! * x + r[3]! * y + r[6]! * z)
    const upward = Math.abs(r[1]! * x + r[4]! * y + r[7]! * z)
    const slopeX = this.width / 2 / focal
    const slopeY = this.height / 2 / focal
    return (
      across - depth * slopeX > radius * Math.hypot(1, slopeX) ||
      upward - depth * slopeY > radius * Math.hypot(1, slopeY)
    )
  }

  /** Cuts the triangle at the near plane (Sutherland-Hodgman) and fills what is left. i, j, k: offsets into `points`. */
  private drawTriangle(i: number, j: number, k: number, near: number, focal: number, colour: number): void {
    const q = this.points
    const [di, dj, dk] = [q[i + 2]!, q[j + 2]!, q[k + 2]!]
    if (di >= near && dj >= near && dk >= near) {
      this.fill(q[i]!, q[i + 1]!, di, q[j]!, q[j + 1]!, dj, q[k]!, q[k + 1]!, dk, focal, colour)
      return
    }
    if (di < near && dj < near && dk < near) return
    const c = this.clipped
    let count = 0
    for (let edge = 0; edge < 3; edge++) {
      const a = edge === 0 ? i : edge === 1 ? j : k
      const b = edge === 0 ? j : edge === 1 ? k : i
      const da = q[a + 2]!
      const db = q[b + 2]!
      if (da >= near) {
        c[count++] = q[a]!
        c[count++] = q[a + 1]!
        c[count++] = da
      }
      if (da >= near !== db >= near) {
        const s = (near - da) / (db - da)
        c[count++] = q[a]! + s * (q[b]! - q[a]!)
        c[count++] = q[a + 1]! + s * (q[b + 1]! - q[a + 1]!)
        c[count++] = near
      }
    }
    this.fill(c[0]!, c[1]!, c[2]!, c[3]!, c[4]!, c[5]!, c[6]!, c[7]!, c[8]!, focal, colour)
    if (count === 12) this.fill(c[0]!, c[1]!, c[2]!, c[6]!, c[7]!, c[8]!, c[9]!, c[10]!, c[11]!, focal, colour)
  }

  /** Fills the pixels whose centres lie in the projected triangle, row by row, where it is nearest. Arguments: camera-frame corners. */
  private fill(
    ax: number,
    ay: number,
    ad: number,
    bx: number,
    by: number,
    bd: number,
    cx: number,
    cy: number,
    cd: number,
    focal: number,
    colour: number,
  ): void {
    const { width, height } = this
    const [ia, ib, ic] = [1 / ad, 1 / bd, 1 / cd]
    // Screen corners relative to pixel centres, so that integer coordinates are sample points.
    const x0 = width / 2 - 0.5 + focal * ax * ia
    const y0 = height / 2 - 0.5 - focal * ay * ia
    let x1 = width / 2 - 0.5 + focal * bx * ib
    let y1 = height / 2 - 0.5 - focal * by * ib
    let x2 = width / 2 - 0.5 + focal * cx * ic
    let y2 = height / 2 - 0.5 - focal * cy * ic
    const top = Math.max(0, Math.ceil(Math.min(y0, y1, y2)))
    const bottom = Math.min(height - 1, Math.floor(Math.max(y0, y1, y2)))
    if (top > bottom) return
    const left = Math.max(0, Math.ceil(Math.min(x0, x1, x2)))
    const right = Math.min(width - 1, Math.floor(Math.max(x0, x1, x2)))
    if (left > right) return
    let [i1, i2] = [ib, ic]
    let area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    if (Math.abs(area) < 1e-9) return
    if (area < 0) {
      ;[x1, x2] = [x2, x1]
      ;[y1, y2] = [y2, y1]
      ;[i1, i2] = [i2, i1]
      area = -area
    }
    // 1 / depth is linear on the screen.
    const slopeX = ((i1 - ia) * (y2 - y0) - (i2 - ia) * (y1 - y0)) / area
    const slopeY = ((i2 - ia) * (x1 - x0) - (i1 - ia) * (x2 - x0)) / area
    const shadowing = colour === SHADOW
    const { inverseDepth, colour: colours, shadow } = this
    for (let row = top; row <= bottom; row++) {
      let from = left
      let to = right
      // Inside is where each edge function dx (row - y) - dy (x - x_edge) >= 0.
      for (let edge = 0; edge < 3; edge++) {
        const px = edge === 0 ? x0 : edge === 1 ? x1 : x2
        const py = edge === 0 ? y0 : edge === 1 ? y1 : y2
        const dx = (edge === 0 ? x1 : edge === 1 ? x2 : x0) - px
        const dy = (edge === 0 ? y1 : edge === 1 ? y2 : y0) - py
        if (dy > 0) {
          const limit = px + (dx * (row - py)) / dy
          if (limit < to) to = Math.floor(limit)
        } else if (dy < 0) {
          const limit = px + (dx * (row - py)) / dy
          if (limit > from) from = Math.ceil(limit)
        } else if (dx * (row - py) < 0) to = -1
      }
      let value = ia + slopeX * (from - x0) + slopeY * (row - y0)
      const end = row * width + to
      for (let pixel = row * width + from; pixel <= end; pixel++) {
        if (shadowing) shadow[pixel] = 1
        else if (value > inverseDepth[pixel]!) {
          inverseDepth[pixel] = value
          colours[pixel] = colour
        }
        value += slopeX
      }
    }
  }

  /** Unpacks the faces' colours and paints the table, its squares and shadows where no face is nearer. */
  private resolve(camera: CameraPose, focal: number, out: Uint8Array): void {
    const { position: p, rotation: r } = camera
    const { light, table, background } = this.scene
    const rise = Math.max(0, light.direction[2] / Math.hypot(...light.direction))
    const paint = (rgb: readonly number[], shade: number) => pack(rgb[0]! * shade, rgb[1]! * shade, rgb[2]! * shade)
    const sunny = light.ambient + light.diffuse * rise
    const palette = [table.even, table.odd].flatMap((rgb) => [paint(rgb, sunny), paint(rgb, light.ambient)])
    const sky = paint(background, 1)
    let pixel = 0
    let o = 0
    for (let row = 0; row < this.height; row++) {
      const y = (this.height / 2 - row - 0.5) / focal
      for (let column = 0; column < this.width; column++, pixel++) {
        let colour = this.colour[pixel]!
        if (colour === TABLE) {
          if (this.inverseDepth[pixel] === 0) colour = sky
          else {
            const x = (column + 0.5 - this.width / 2) / focal
            const depth = 1 / this.inverseDepth[pixel]!
            const hitX = p[0]! + depth * (r[0]! * x + r[1]! * y - r[2]!)
            const hitY = p[1]! + depth * (r[3]! * x + r[4]! * y - r[5]!)
            const odd = (Math.floor(hitX * SQUARES_PER_METRE) + Math.floor(hitY * SQUARES_PER_METRE)) & 1
            colour = palette[2 * odd + this.shadow[pixel]!]!
          }
        }
        out[o++] = colour & 255
        out[o++] = (colour >> 8) & 255
        out[o++] = (colour >> 16) & 255
      }
    }
  }
}

const TABLE = 0xffffffff // marks a pixel no face covers
const SHADOW = 0xfffffffe // marks a triangle that only darkens the table

const byte = (x: number) => (x <= 0 ? 0 : x >= 1 ? 255 : (x * 255 + 0.5) | 0)
const pack = (red: number, green: number, blue: number) => byte(red) | (byte(green) << 8) | (byte(blue) << 16)
