/** @file Tessellation of the primitives: convex triangle meshes, wound counter-clockwise seen from outside. */
import { InputError } from '../../../errors.ts'
import type { Geom } from './scene.ts'

export type Mesh = {
  vertices: Float64Array // [V, 3] metres, geom frame
  triangles: Uint16Array // [T, 3]
  normals: Float64Array // [T, 3] unit, outwards
  offsets: Float64Array // [T] normal . first vertex: the plane of the triangle
  radius: number // of the bounding sphere about the geom's origin
}

const SEGMENTS = { cylinder: 12, capsule: 10, sphere: 10 }
const CAPSULE_RINGS = 2 // per half sphere, without the pole
const SPHERE_RINGS = 3

/** @throws InputError if the size has too few entries or one is not positive */
export function tessellate(geom: Pick<Geom, 'kind' | 'size'>): Mesh {
  const [a = Number.NaN, b = Number.NaN, c = Number.NaN] = geom.size
  const used = { box: [a, b, c], capsule: [a, b], cylinder: [a, b], sphere: [a] }[geom.kind]
  if (!used.every((x) => x > 0))
    throw new InputError(
      `Geom ${geom.kind}.size`,
      `is [${geom.size}]`,
      `Give ${used.length} positive half sizes in metres`,
    )
  if (geom.kind === 'box') return box(a, b, c)
  if (geom.kind === 'cylinder')
    return revolve(
      [
        [a, b],
        [a, -b],
      ],
      b,
      -b,
      SEGMENTS.cylinder,
    )
  if (geom.kind === 'capsule') {
    const top = arc(a, CAPSULE_RINGS).map(([r, z]): [number, number] => [r, z + b])
    const bottom = top.map(([r, z]): [number, number] => [r, -z]).reverse()
    return revolve([...top, ...bottom], a + b, -a - b, SEGMENTS.capsule)
  }
  const top = arc(a, SPHERE_RINGS)
  const bottom = top
    .slice(0, -1)
    .map(([r, z]): [number, number] => [r, -z])
    .reverse()
  return revolve([...top, ...bottom], a, -a, SEGMENTS.sphere)
}

/** Rings (radius, z) of a half sphere from near the pole down to the equator. */
function arc(radius: number, rings: number): [number, number][] {
  return Array.from({ length: rings }, (_, i) => {
    const angle = ((i + 1) / rings) * (Math.PI / 2)
    return [radius * Math.sin(angle), radius * Math.cos(angle)]
  })
}

/** Surface of revolution about z: rings from top to bottom between two poles. */
function revolve(rings: [radius: number, z: number][], topZ: number, bottomZ: number, segments: number): Mesh {
  const vertices: number[] = []
  for (const [radius, z] of rings)
    for (let s = 0; s < segments; s++) {
      const angle = (2 * Math.PI * s) / segments
      vertices.push(radius * Math.cos(angle), radius * Math.sin(angle), z)
    }
  const topPole = vertices.length / 3
  vertices.push(0, 0, topZ, 0, 0, bottomZ)
  const triangles: number[] = []
  for (let s = 0; s < segments; s++) {
    const next = (s + 1) % segments
    triangles.push(topPole, s, next)
    for (let r = 0; r + 1 < rings.length; r++) {
      const upper = r * segments
      const lower = upper + segments
      triangles.push(upper + s, lower + s, lower + next, upper + s, lower + next, upper + next)
    }
    const last = (rings.length - 1) * segments
    triangles.push(topPole + 1, last + next, last + s)
  }
  return finish(vertices, triangles)
}

function box(x: number, y: number, z: number): Mesh {
  const vertices: number[] = []
  for (let corner = 0; corner < 8; corner++)
    vertices.push(corner & 1 ? x : -x, corner & 2 ? y : -y, corner & 4 ? z : -z)
  const quads = [
    [1, 3, 7, 5],
    [0, 4, 6, 2],
    [2, 6, 7, 3],
    [0, 1, 5, 4],
    [4, 5, 7, 6],
    [0, 2, 3, 1],
  ]
  return finish(
    vertices,
    quads.flatMap(([i, j, k, l]) => [i!, j!, k!, i!, k!, l!]),
  )
}

function finish(vertexList: number[], triangleList: number[]): Mesh {
  const vertices = Float64Array.from(vertexList)
  const triangles = Uint16Array.from(triangleList)
  const count = triangles.length / 3
  const normals = new Float64Array(3 * count)
  const offsets = new Float64Array(count)
  for (let t = 0; t < count; t++) {
    const [i, j, k] = [3 * triangles[3 * t]!, 3 * triangles[3 * t + 1]!, 3 * triangles[3 * t + 2]!]
    const u = [0, 1, 2].map((axis) => vertices[j + axis]! - vertices[i + axis]!)
    const v = [0, 1, 2].map((axis) => vertices[k + axis]! - vertices[i + axis]!)
    const n = [u[1]! * v[2]! - u[2]! * v[1]!, u[2]! * v[0]! - u[0]! * v[2]!, u[0]! * v[1]! - u[1]! * v[0]!]
    const length = Math.hypot(...n)
    for (let axis = 0; axis < 3; axis++) {
      normals[3 * t + axis] = n[axis]! / length
      offsets[t]! += normals[3 * t + axis]! * vertices[i + axis]!
    }
  }
  let radius = 0
  for (let i = 0; i < vertices.length; i += 3)
    radius = Math.max(radius, Math.hypot(vertices[i]!, vertices[i + 1]!, vertices[i + 2]!))
  return { vertices, triangles, normals, offsets, radius }
}
