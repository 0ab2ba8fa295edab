/**
 * @file Where a bout of play begins: the bolt seated, lying or in the grip, anywhere it can get to. Depths in stand and
 * slot come from here, because play never carries a bolt into or out of them: that would demonstrate the tasks.
 */
import type { RandomStream } from '../random/stream.ts'
import { BOLT, type BoltCount, GRIPPER, HOME_ROTATION, nominalFixtures } from '../robots/workcell/layout.ts'
import { fromRotationVector, multiply, toWorld, upOf } from '../robots/workcell/spatial.ts'
import { boltIn, leaning, type Start, scatterFixtures } from '../robots/workcell/start.ts'
import type { Fixture, Pose, Quat, Vec3 } from '../robots/workcell/truth.ts'
import { add, rotate, scale } from '../robots/workcell/vector.ts'

const SCATTER = { translation: 0.015, yaw: 0.1 } // wider than the tasks'

export type PlayStart = Start & { gripped: boolean; inHole: 'none' | 'cradle' | 'stand' | 'slot' }

/** A start of play around bolt `k`; the other bolts lie in their cradles or sit in their slots. */
export function playStart(stream: RandomStream, count: BoltCount, k: number, toys: number): PlayStart {
  const fixtures = scatterFixtures(stream, nominalFixtures(count), SCATTER)
  const others = fixtures.slots.map((slot, j) =>
    j !== k && stream.uniform() < 0.5
      ? boltIn(stream, slot, leaning(stream, 0, 0.05))
      : boltIn(stream, fixtures.cradles[j]!, fromRotationVector([0, 0, 0])),
  )
  const holes = { cradle: fixtures.cradles[k]!, stand: fixtures.stand, slot: fixtures.slots[k]! }
  const where = weighted(stream, { cradle: 0.25, stand: 0.23, slot: 0.2, air: 0.26, table: 0.06 })
  const gripped = where === 'air' || (where !== 'table' && stream.uniform() < 0.5)
  const bolt = boltPose(stream, where, holes, gripped)
  others[k] = bolt
  const tcp = gripped ? gripOn(stream, bolt) : toolNear(stream, bolt, where)
  // Before a free bolt the hand is open, or closed on nothing well above it.
  const closed = gripped || (tcp.position[2] > bolt.position[2] + 0.03 && stream.uniform() < 0.15)
  return {
    fixtures,
    bolts: others,
    toys: Array.from({ length: toys }, (_, i) => toyPose(stream, i)),
    tcp,
    gripper: closed ? 'close' : 'open',
    fingerOpening: gripped ? BOLT.shaftRadius : closed ? 0.001 : GRIPPER.openingPerFinger,
    gripped,
    inHole: where === 'air' || where === 'table' ? 'none' : where,
  }
}

type Where = 'cradle' | 'stand' | 'slot' | 'air' | 'table'

function boltPose(stream: RandomStream, where: Where, holes: Record<string, Fixture>, gripped: boolean): Pose {
  if (where === 'table') {
    // On its side: the head (12 mm) props the axis up a little.
    const heading = fromRotationVector([0, 0, stream.uniform(-Math.PI, Math.PI)])
    const rotation = multiply(heading, fromRotationVector([0, Math.PI / 2 - 0.07, 0]))
    return { position: [stream.uniform(0.42, 0.58), stream.uniform(-0.06, 0.06), 0.0135], rotation }
  }
  if (where === 'air') {
    // Mostly over one of the holes, the tip up to 70 mm above its opening and up to 30 mm beside it.
    const hole = holes[weighted(stream, { cradle: 0.25, stand: 0.35, slot: 0.4 })]!
    const lean = fromRotationVector([
      stream.uniform() < 0.3 ? stream.uniform(0, 0.9) : 0.12 * stream.normal(),
      0.12 * stream.normal(),
      0,
    ])
    const close = stream.uniform() < 0.6
    const aside = close ? 0.006 : 0.025
    const tip: Vec3 = [
      hole.position[0] + aside * stream.normal(),
      hole.position[1] + aside * stream.normal(),
      hole.position[2] + (close ? stream.uniform(0.002, 0.03) : stream.uniform(0.01, 0.09)),
    ]
    const rotation = multiply(lean, fromRotationVector([0, 0, stream.uniform(-Math.PI, Math.PI)]))
    return { position: add(tip, rotate(rotation, [0, 0, BOLT.tipBelowHead])), rotation }
  }
  const hole = holes[where]!
  const above = gripped && stream.uniform() < 0.7 ? stream.uniform(0, hole.depth) : 0.0005
  const play = 0.13 * (1 - above / hole.depth) + 0.1 * (above / hole.depth)
  return boltIn(stream, hole, gripped ? leaning(stream, 0, play / 2) : leaning(stream, 0, play), above)
}

/** The tool on the shaft: its z against the bolt's axis, fingers closing along world x as far as the axis lets them. */
function gripOn(stream: RandomStream, bolt: Pose): Pose {
  const axis = upOf(bolt.rotation)
  const swing = 0.04 * stream.normal()
  const rotation = multiply(fromRotationVector([0, swing, 0]), alongAxis(axis))
  return { position: add(bolt.position, scale(axis, -BOLT.graspBelowHead + stream.uniform(-0.004, 0.003))), rotation }
}

/** Rotation of a tool that looks down the bolt's axis: home, leaned by as much as the axis leans. */
export function alongAxis(axis: Vec3): Quat {
  const aboutX = Math.atan2(-axis[1], axis[2])
  const aboutY = Math.asin(Math.max(-1, Math.min(1, axis[0])))
  return multiply(multiply(fromRotationVector([aboutX, 0, 0]), fromRotationVector([0, aboutY, 0])), HOME_ROTATION)
}

function toolNear(stream: RandomStream, bolt: Pose, where: Where): Pose {
  const axis = where === 'table' ? ([0, 0, 1] as Vec3) : upOf(bolt.rotation)
  const tilt = fromRotationVector([0.08 * stream.normal(), 0.08 * stream.normal(), 0.08 * stream.normal()])
  if (stream.uniform() < 0.35) {
    const low: Vec3 = [0.4, -0.16, 0.13]
    const high: Vec3 = [0.6, 0.16, 0.24]
    const position = low.map((l, i) => stream.uniform(l, high[i]!)) as Vec3
    const lean = fromRotationVector([stream.uniform() < 0.3 ? stream.uniform(0, 0.9) : 0, 0, 0])
    return { position, rotation: multiply(tilt, multiply(lean, HOME_ROTATION)) }
  }
  // Over the head or, open, around the shaft: along the axis, a few millimetres beside it.
  const around = where !== 'table' && stream.uniform() < 0.35
  const height = around
    ? stream.uniform(-0.014, 0.002)
    : where === 'table'
      ? stream.uniform(0.07, 0.12)
      : stream.uniform(0.035, 0.1)
  const beside = around ? 0.004 : 0.012
  const offset: Vec3 = [beside * stream.normal(), beside * stream.normal(), 0]
  const rotation = around ? alongAxis(axis) : multiply(tilt, alongAxis(axis))
  return {
    position: add(toWorld({ position: bolt.position, rotation: [1, 0, 0, 0] }, offset), scale(axis, height)),
    rotation,
  }
}

/** Toys lie between the rows of fixtures, or at the edge of the work area. */
function toyPose(stream: RandomStream, index: number): Pose {
  const side = index % 2 ? -1 : 1
  const x = index === 2 ? stream.uniform(0.36, 0.42) : stream.uniform(0.4, 0.6)
  const y = index === 2 ? stream.uniform(-0.04, 0.04) : side * stream.uniform(0.045, 0.07)
  const yaw = fromRotationVector([0, 0, stream.uniform(-Math.PI, Math.PI)])
  return { position: [x, y, 0.022], rotation: yaw }
}

function weighted<K extends string>(stream: RandomStream, shares: Record<K, number>): K {
  let left = stream.uniform()
  const entries = Object.entries(shares) as [K, number][]
  for (const [key, share] of entries) if ((left -= share) < 0) return key
  return entries.at(-1)![0]
}
