/** @file Where an episode begins: fixtures, bolts, tool and gripper, drawn from a seeded stream. Pure; workcell.ts applies it. */
import type { RandomStream } from '../../random/stream.ts'
import {
  BOLT,
  type BoltCount,
  type Fixtures,
  GRIPPER,
  HOME_ROTATION,
  nominalFixtures,
  OPENING_HEIGHT,
  RAIL,
} from './layout.ts'
import { fromRotationVector, IDENTITY, multiply, toWorld } from './spatial.ts'
import type { GripperCommand } from './target.ts'
import type { TaskName } from './tasks.ts'
import type { Fixture, Pose, Quat, Vec3 } from './truth.ts'
import { add, rotate } from './vector.ts'

export type Start = {
  fixtures: Fixtures
  bolts: Pose[]
  toys: Pose[]
  tcp: Pose
  gripper: GripperCommand
  fingerOpening: number // metres per finger
}

const FIXTURE_RANGE = { translation: 0.01, yaw: 0.06 } // ± metres, radians
const START_CENTRE: Vec3 = [0.5, 0, 0.18]
const START_RANGE: Vec3 = [0.04, 0.04, 0.03]

const around = (stream: RandomStream, centre: Vec3, range: Vec3): Vec3 =>
  centre.map((c, i) => c + stream.uniform(-range[i], range[i])) as Vec3

const smallTurn = (stream: RandomStream, range: number): Quat =>
  fromRotationVector([stream.uniform(-range, range), stream.uniform(-range, range), stream.uniform(-range, range)])

/** Every fixture moved by up to ± `translation` in x and y and turned by up to ± `yaw` about the vertical. */
export function scatterFixtures(stream: RandomStream, bolts: BoltCount, range = FIXTURE_RANGE): Fixtures {
  const nominal = nominalFixtures(bolts)
  const scatter = (fixture: Fixture): Fixture => ({
    ...fixture,
    position: around(stream, fixture.position, [range.translation, range.translation, 0]),
    rotation: multiply(fromRotationVector([0, 0, stream.uniform(-range.yaw, range.yaw)]), fixture.rotation),
  })
  return { cradles: nominal.cradles.map(scatter), stand: scatter(nominal.stand), slots: nominal.slots.map(scatter) }
}

/** A bolt in a hole, its tip `above` metres over the floor, rolled at random and leaning by `lean` about its tip. */
export function boltIn(stream: RandomStream, fixture: Fixture, lean: Quat, above = 0.0005): Pose {
  const tip = toWorld(fixture, [0, 0, -fixture.depth + above])
  const roll = fromRotationVector([0, 0, stream.uniform(-Math.PI, Math.PI)])
  const rotation = multiply(multiply(lean, fixture.rotation), roll)
  return { position: add(tip, rotate(rotation, [0, 0, BOLT.tipBelowHead])), rotation }
}

/** A lean of `low` to `high` radians in a random horizontal direction. */
export function leaning(stream: RandomStream, low: number, high: number): Quat {
  const direction = stream.uniform(-Math.PI, Math.PI)
  const angle = stream.uniform(low, high)
  return fromRotationVector([angle * Math.cos(direction), angle * Math.sin(direction), 0])
}

/** A bolt held at `tcp`: `slip` metres off the grasp point along the shaft, swung by `swing` radians about the closing axis. */
export function boltInGrip(stream: RandomStream, tcp: Pose, slip: number, swing: number): Pose {
  const closing = rotate(tcp.rotation, [0, 1, 0])
  const upright = multiply(
    tcp.rotation,
    fromRotationVector([Math.PI, 0, 0]), // the hand's z points down, the bolt's up
  )
  const roll = fromRotationVector([0, 0, stream.uniform(-Math.PI, Math.PI)])
  const swung = fromRotationVector([closing[0] * swing, closing[1] * swing, closing[2] * swing])
  const rotation = multiply(multiply(swung, upright), roll)
  return { position: add(tcp.position, rotate(rotation, [0, 0, BOLT.graspBelowHead + slip])), rotation }
}

/**
 * Start state of a task for bolt k: bolts j < k assembled, j > k in their cradles. A tool start above the last slot or above
 * the standing bolt, half of the time, is what the task before leaves behind. For `slide` the stand is at its travel 0.
 */
export function startOf(task: TaskName, stream: RandomStream, count: BoltCount, k: number): Start {
  const fixtures = scatterFixtures(stream, count)
  const bolts = fixtures.slots.map((slot, j) =>
    boltIn(stream, j < k ? slot : fixtures.cradles[j], j < k ? leaning(stream, 0, 0.05) : IDENTITY),
  )
  if (task === 'slide') fixtures.stand.position[1] += RAIL.start
  const turned = multiply(smallTurn(stream, 0.03), HOME_ROTATION)
  const open = { gripper: 'open' as const, fingerOpening: GRIPPER.openingPerFinger }

  if (task === 'slide')
    return {
      fixtures,
      bolts,
      toys: [],
      tcp: { position: around(stream, START_CENTRE, START_RANGE), rotation: turned },
      ...open,
    }
  if (task === 'place') {
    bolts[k] = boltIn(stream, fixtures.cradles[k], smallTurn(stream, 0.08), 0.001)
    const centre = add(START_CENTRE, [0, 0.01, 0])
    let position = around(stream, centre, START_RANGE)
    if (k > 0 && stream.uniform() < 0.5) position = above(stream, fixtures.slots[k - 1], 0.05, 0.08)
    return { fixtures, bolts, toys: [], tcp: { position, rotation: turned }, ...open }
  }
  if (task === 'pick') {
    bolts[k] = boltIn(stream, fixtures.stand, leaning(stream, 0.02, 0.15), 0.001)
    let position = around(stream, START_CENTRE, START_RANGE)
    // the head's top is 42 mm above the opening; a place ends with the tool more than 10 mm over it
    if (stream.uniform() < 0.5) position = above(stream, fixtures.stand, 0.055, 0.085)
    return { fixtures, bolts, toys: [], tcp: { position, rotation: turned }, ...open }
  }
  const tipToGrasp = BOLT.tipBelowHead - BOLT.graspBelowHead
  const tcp: Pose = {
    position: around(
      stream,
      [fixtures.stand.position[0], fixtures.stand.position[1], OPENING_HEIGHT + 0.04 + tipToGrasp],
      [0.01, 0.01, 0.01],
    ),
    rotation: turned,
  }
  bolts[k] = boltInGrip(stream, tcp, stream.uniform(-0.002, 0.002), stream.uniform(-0.04, 0.04))
  return { fixtures, bolts, toys: [], tcp, gripper: 'close', fingerOpening: BOLT.shaftRadius }
}

const above = (stream: RandomStream, fixture: Fixture, low: number, high: number): Vec3 => {
  const [x, y, z] = around(stream, fixture.position, [0.008, 0.008, 0])
  return [x, y, z + stream.uniform(low, high)]
}
