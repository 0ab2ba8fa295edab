/** @file Where an episode begins: fixtures, bolts, tool and gripper, drawn from a seeded stream. Pure; workcell.ts applies it. */
import type { RandomStream } from '../../random/stream.ts'
import { BOLT, type Fixtures, GRIPPER, HOME_ROTATION, nominalFixtures } from './layout.ts'
import type { StartMargins, WorkcellOptions } from './options.ts'
import { fromRotationVector, IDENTITY, multiply, toWorld } from './spatial.ts'
import type { GripperCommand } from './target.ts'
import type { Task } from './tasks/task.ts'
import type { Fixture, Pose, Quat, Vec3 } from './truth.ts'
import { add, rotate } from './vector.ts'

export type Start = {
  fixtures: Fixtures
  bolts: Pose[]
  toys: Pose[]
  tcp: Pose
  gripper: GripperCommand
  fingerOpening: number // metres per finger
  hidden?: boolean // a panel stands before the front camera
}

const FIXTURE_RANGE = { translation: 0.01, yaw: 0.06 } // ± metres, radians
const START_CENTRE: Vec3 = [0.5, 0, 0.18]
const START_RANGE: Vec3 = [0.04, 0.04, 0.03]

export const around = (stream: RandomStream, centre: Vec3, range: Vec3): Vec3 =>
  centre.map((c, i) => c + stream.uniform(-range[i]!, range[i])) as Vec3

/** Where the tool of most tasks begins: over the middle of the table, `beside` metres to the left. */
export const overTable = (stream: RandomStream, { tool }: StartMargins, beside = 0): Vec3 =>
  around(stream, add(START_CENTRE, [0, beside, 0]), START_RANGE.map((range) => range + tool) as Vec3)

export const smallTurn = (stream: RandomStream, range: number): Quat =>
  fromRotationVector([stream.uniform(-range, range), stream.uniform(-range, range), stream.uniform(-range, range)])

/** Every fixture moved by up to ± `translation` in x and y and turned by up to ± `yaw` about the vertical. */
export function scatterFixtures(
  stream: RandomStream,
  nominal: Fixtures,
  range: { translation: number; yaw: number },
): Fixtures {
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

/** What a start state has of itself: the fixtures and the bolts that are not the task's, and how the tool is turned. */
export type Furnished = {
  fixtures: Fixtures
  bolts: Pose[] // the active one in its cradle, for the task to place
  rotation: Quat
  active: number // which bolt it is about
  margins: StartMargins
}

/** The gripper as most tasks find it. */
export const OPEN = { gripper: 'open', fingerOpening: GRIPPER.openingPerFinger } as const

/** What of a workcell decides where its episodes begin. */
export type StartOptions = Pick<WorkcellOptions, 'bolts' | 'clearance' | 'starts'>

/** Start state of a task for bolt k: bolts j < k assembled, j > k in their cradles; the rest is the task's. */
export function startOf(task: Task, stream: RandomStream, options: StartOptions, k: number): Start {
  const { bolts: count, clearance, starts: margins } = options
  const fixtures = scatterFixtures(stream, nominalFixtures(count, clearance), {
    translation: FIXTURE_RANGE.translation + margins.fixtures,
    yaw: FIXTURE_RANGE.yaw + margins.yaw,
  })
  const bolts = fixtures.slots.map((slot, j) =>
    boltIn(stream, j < k ? slot : fixtures.cradles[j]!, j < k ? leaning(stream, 0, 0.05) : IDENTITY),
  )
  const rotation = multiply(smallTurn(stream, 0.03 + margins.turn), HOME_ROTATION)
  return task.start(stream, { fixtures, bolts, rotation, active: k, margins })
}

/** `low` to `high` metres over a fixture, about its middle. */
export const above = (stream: RandomStream, fixture: Fixture, low: number, high: number): Vec3 => {
  const [x, y, z] = around(stream, fixture.position, [0.008, 0.008, 0])
  return [x, y, z + stream.uniform(low, high)]
}
