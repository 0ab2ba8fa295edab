/** @file Toys that lie about among the fixtures: shapes that are no part of any task, to be seen and not to be minded. */
import type { RandomStream } from '../../random/stream.ts'
import type { Fixtures } from './layout.ts'
import type { Toy } from './options.ts'
import { fromRotationVector } from './spatial.ts'
import type { Pose } from './truth.ts'

/** A red box, a blue cylinder, a green ball: those of pretraining. */
export const TOYS: readonly [Toy, Toy, Toy] = [
  { kind: 'box', size: [0.014, 0.02, 0.016], colour: [0.7, 0.2, 0.2] },
  { kind: 'cylinder', size: [0.014, 0.018], colour: [0.25, 0.3, 0.75] },
  { kind: 'sphere', size: [0.016], colour: [0.2, 0.6, 0.25] },
]

const REACH = { low: [0.4, -0.16], high: [0.6, 0.16] } as const // where they lie, metres: in view of the front camera
const APART = 0.055 // metres between the middles of a toy and of a fixture, or of two toys
const TRIES = 200

/** Each in a place of its own, beside all fixtures; where the table is too full for one it lies at its edge. */
export function scatterToys(stream: RandomStream, toys: readonly Toy[], fixtures: Fixtures): Pose[] {
  const taken = [...fixtures.cradles, fixtures.stand, ...fixtures.slots].map(({ position: [x, y] }) => [x, y] as const)
  return toys.map((toy, i) => {
    const draw = () => [0, 1].map((axis) => stream.uniform(REACH.low[axis]!, REACH.high[axis]!)) as [number, number]
    const isFree = ([x, y]: readonly [number, number]) => taken.every(([u, v]) => Math.hypot(x - u, y - v) > APART)
    let place: [number, number] | undefined
    for (let tries = 0; tries < TRIES && !place; tries++) {
      const drawn = draw()
      if (isFree(drawn)) place = drawn
    }
    place ??= [0.36 + 0.1 * i, 0.22]
    taken.push(place)
    const turn = fromRotationVector([0, 0, stream.uniform(-Math.PI, Math.PI)])
    return { position: [...place, halfHeight(toy) + 0.001], rotation: turn }
  })
}

/** Metres from its middle to the table. */
const halfHeight = ({ size }: Toy): number => size.at(-1)!
