/**
 * @file Play: short scripted motions among the things of the workcell, each with an instruction. Privileged and noisy.
 * Play never demonstrates a task: it neither carries a bolt into or out of stand or slot nor sets it upright.
 */
import type { RandomStream } from '../random/stream.ts'
import { ACTION_WIDTH, type Action } from '../robot/robot.ts'
import { BOLT, HOME_ROTATION } from '../robots/workcell/layout.ts'
import {
  conjugate,
  fromRotationVector,
  multiply,
  rotationVector,
  toLocal,
  toWorld,
  upOf,
} from '../robots/workcell/spatial.ts'
import { ACTION_SCALE, type GripperCommand } from '../robots/workcell/target.ts'
import type { BoltState, Fixture, Pose, Quat, Truth, Vec3 } from '../robots/workcell/truth.ts'
import { across, add, dot, length, scale, subtract } from '../robots/workcell/vector.ts'
import { alongAxis } from './play-start.ts'

/** A toy as play sees it: its name in instructions, and where it is now. */
export type PlayToy = { name: string; pose: () => Pose }

/** Where the tool should be now, and how fast it may go there (share of full speed). */
type Goal = { position: Vec3; rotation: Quat; gripper: GripperCommand; speed: number }

/** One bout of play: `goal` is asked anew each step. */
export type Bout = { instruction: string; steps: number; goal: (truth: Truth) => Goal }

const LAG = 0.1 // s by which the arm trails its target, see expert.ts
const GAIN = 0.8

/** The noise-free action towards a goal. */
export function actionTowards({ position, rotation, gripper, speed }: Goal, tcp: Truth['tcp']): Action {
  const action = new Float32Array(ACTION_WIDTH)
  const move = subtract(subtract(position, tcp.position), scale(tcp.velocity, LAG))
  const turn = subtract(rotationVector(multiply(rotation, conjugate(tcp.rotation))), scale(tcp.angularVelocity, LAG))
  const write = (error: Vec3, unit: number, at: number) => {
    const wanted = scale(error, GAIN / unit)
    const shrink = Math.min(1, speed / Math.max(1e-9, ...wanted.map(Math.abs)))
    for (let i = 0; i < 3; i++) action[at + i] = wanted[i]! * shrink
  }
  write(move, ACTION_SCALE.translation, 0)
  write(turn, ACTION_SCALE.rotation, 3)
  action[6] = gripper === 'close' ? 1 : -1
  return action
}

/** What can be done next depends on where the bolt is. */
export function nextBout(stream: RandomStream, truth: Truth, toys: readonly PlayToy[]): Bout {
  const bolt = truth.bolts[truth.bolt]!
  const hole = holeAround(truth, bolt)
  const choices = bolt.held ? (hole ? heldInHole(hole) : heldInAir()) : freeHand(truth, hole, toys)
  return stream.pick(choices)(stream, truth)
}

type Choice = (stream: RandomStream, truth: Truth) => Bout
const HOLES = ['cradle', 'stand', 'slot'] as const
type HoleName = (typeof HOLES)[number]

const holesOf = (truth: Truth): Record<HoleName, Fixture> => ({
  cradle: truth.cradles[truth.bolt]!,
  stand: truth.stand,
  slot: truth.slots[truth.bolt]!,
})

/** The hole that the bolt's tip is in. */
function holeAround(truth: Truth, bolt: BoltState): HoleName | undefined {
  return HOLES.find((name) => {
    const tip = toLocal(holesOf(truth)[name], bolt.tip)
    return Math.hypot(tip[0], tip[1]) < 0.012 && tip[2] < 0.003 && tip[2] > -0.04
  })
}

const heldInHole = (hole: HoleName): Choice[] =>
  hole === 'cradle' ? [liftBolt, liftBolt, wiggleBolt, openGripper] : [wiggleBolt, wiggleBolt, holdBolt, openGripper]

const heldInAir = (): Choice[] => [
  ...HOLES.flatMap((hole) => [carryOver(hole), carryOver(hole)]),
  turnBolt,
  wander,
  wander,
  holdBolt,
]

function freeHand(truth: Truth, hole: HoleName | undefined, toys: readonly PlayToy[]): Choice[] {
  const bolt = truth.bolts[truth.bolt]!
  const upright = dot(upOf(bolt.rotation), [0, 0, 1]) > 0.4
  return [
    reachBolt,
    hoverOver('bolt', ({ bolts, bolt: k }) => bolts[k]!.position),
    ...(upright && truth.gripper.command === 'open' ? [graspBolt, graspBolt] : []),
    ...HOLES.filter((name) => name !== hole).map((name) => hoverOver(name, (now) => holesOf(now)[name].position)),
    wander,
    wander,
    openGripper,
    ...toys.flatMap((toy) => [pushToy(toy), hoverOver(toy.name, () => toy.pose().position)]),
  ]
}

const leanOf = (stream: RandomStream, spread: number): Quat =>
  fromRotationVector([spread * stream.normal(), spread * stream.normal(), spread * stream.normal()])

const jitter = (stream: RandomStream, spread: number): Vec3 => [
  spread * stream.normal(),
  spread * stream.normal(),
  spread * stream.normal(),
]

const atLeast = ([x, y, z]: Vec3, height: number): Vec3 => [x, y, Math.max(height, z)]

/** The grasp point and the tool's rotation there; from the side the goal stays above the head until the tool is over it. */
function graspPose(truth: Truth, height: number): { position: Vec3; rotation: Quat } {
  const bolt = truth.bolts[truth.bolt]!
  const axis = upOf(bolt.rotation)
  const grasp = add(bolt.position, scale(axis, height - BOLT.graspBelowHead))
  const beside = length(across(subtract(truth.tcp.position, grasp), axis))
  const raised = beside > 0.007 ? Math.max(0, 0.05 - height) : 0
  return { position: add(grasp, scale(axis, raised)), rotation: alongAxis(axis) }
}

const reachBolt: Choice = (stream) => {
  const height = stream.uniform(-0.004, 0.02)
  const offset = jitter(stream, 0.002)
  return {
    instruction: stream.pick(['reach the bolt', 'move to the bolt', 'reach for the head of the bolt']),
    steps: 14,
    goal: (truth) => {
      const { position, rotation } = graspPose(truth, height)
      return { position: add(position, offset), rotation, gripper: 'open', speed: 1 }
    },
  }
}

const graspBolt: Choice = (stream) => {
  const height = stream.uniform(-0.004, 0.003)
  return {
    instruction: stream.pick(['grasp the bolt', 'close the gripper on the bolt', 'hold the bolt']),
    steps: 16,
    goal: (truth) => {
      const { position, rotation } = graspPose(truth, height)
      const near = length(subtract(truth.tcp.position, position)) < 0.006
      const gripper = near || truth.gripper.command === 'close' ? 'close' : 'open'
      return { position, rotation, gripper, speed: 1 }
    },
  }
}

/** Out of the cradle along its axis, where the tool began; then it stays. */
const liftBolt: Choice = (stream, { tcp, bolts, bolt }) => {
  const up = scale(upOf(bolts[bolt]!.rotation), stream.uniform(0.015, 0.07))
  const position = add(tcp.position, up)
  const rotation = multiply(leanOf(stream, 0.05), tcp.rotation)
  return {
    instruction: stream.pick(['lift the bolt', 'lift the bolt up', 'move the bolt up']),
    steps: 9,
    goal: () => ({ position, rotation, gripper: 'close', speed: 1 }),
  }
}

/** A few millimetres to and fro, never far enough to come out of the hole or to go in. */
const wiggleBolt: Choice = (stream, { tcp }) => {
  const position = add(tcp.position, jitter(stream, 0.004))
  const rotation = multiply(leanOf(stream, 0.04), tcp.rotation)
  return {
    instruction: stream.pick(['shake the bolt', 'turn the bolt slightly', 'hold the bolt']),
    steps: 6,
    goal: () => ({ position, rotation, gripper: 'close', speed: 0.5 }),
  }
}

const holdBolt: Choice = (_, { tcp }) => ({
  instruction: 'hold the bolt',
  steps: 4,
  goal: () => ({ position: tcp.position, rotation: tcp.rotation, gripper: 'close', speed: 1 }),
})

/** Lets go, then backs off along the tool by a random way. */
const openGripper: Choice = (stream, { tcp }) => {
  const back = stream.uniform() < 0.5 ? stream.uniform(0, 0.06) : 0
  const away = toWorld(tcp, [0, 0, -back])
  return {
    instruction: stream.pick(['open the gripper', 'release the bolt', 'open the hand']),
    steps: back ? 9 : 4,
    goal: (truth) => ({
      position: truth.gripper.width > 0.035 ? away : tcp.position,
      rotation: tcp.rotation,
      gripper: 'open',
      speed: 1,
    }),
  }
}

/** The held bolt's tip to a place over a hole, millimetres to centimetres beside it, leaning by some. */
function carryOver(hole: HoleName): Choice {
  return (stream) => {
    const close = stream.uniform() < 0.6
    const spread = close ? 0.004 : 0.015
    const offset: Vec3 = [
      spread * stream.normal(),
      spread * stream.normal(),
      stream.uniform(0.006, close ? 0.03 : 0.07),
    ]
    const lean = leanOf(stream, 0.08)
    return {
      instruction: stream.pick([`move to the ${hole}`, `move the bolt over the ${hole}`, `hover over the ${hole}`]),
      steps: 14,
      goal: ({ tcp, bolts, bolt, ...rest }) => {
        const fixture = holesOf({ tcp, bolts, bolt, ...rest })[hole]
        const wanted = multiply(lean, alongAxis(upOf(fixture.rotation)))
        const { tip } = bolts[bolt]!
        const move = subtract(add(fixture.position, offset), tip)
        const aside = Math.hypot(move[0], move[1])
        const raised = aside > 0.02 ? Math.max(0, 0.02 + move[2]) - move[2] : 0 // over the rims on the way
        return {
          position: add(tcp.position, add(move, [0, 0, raised])),
          rotation: wanted,
          gripper: 'close',
          speed: 1,
        }
      },
    }
  }
}

const turnBolt: Choice = (stream, { tcp }) => {
  const turn = fromRotationVector([0.25 * stream.normal(), 0.15 * stream.normal(), 0.4 * stream.normal()])
  const rotation = multiply(turn, tcp.rotation)
  return {
    instruction: stream.pick(['turn the bolt', 'rotate the bolt', 'tilt the bolt']),
    steps: 8,
    goal: () => ({ position: tcp.position, rotation, gripper: 'close', speed: 1 }),
  }
}

function hoverOver(name: string, place: (truth: Truth) => Vec3): Choice {
  return (stream) => {
    const offset: Vec3 = [0.012 * stream.normal(), 0.012 * stream.normal(), stream.uniform(0.05, 0.12)]
    const rotation = multiply(leanOf(stream, 0.08), HOME_ROTATION)
    return {
      instruction: stream.pick([`hover over the ${name}`, `move over the ${name}`, `reach the ${name}`]),
      steps: 14,
      goal: (truth) => ({
        position: add(place(truth), offset),
        rotation,
        gripper: truth.gripper.command,
        speed: 1,
      }),
    }
  }
}

/** Down beside the toy, then through it along y, away from the nearer row of fixtures. */
function pushToy(toy: PlayToy): Choice {
  return (stream) => {
    const from = toy.pose().position
    const direction = from[1] > 0 ? -1 : 1
    let behind = true
    return {
      instruction: `push the ${toy.name}`,
      steps: 18,
      goal: ({ tcp }) => {
        const now = toy.pose().position
        const start: Vec3 = [now[0], now[1] - direction * 0.045, 0.03]
        if (behind && length(subtract(tcp.position, start)) < 0.012) behind = false
        const high = Math.hypot(tcp.position[0] - start[0], tcp.position[1] - start[1]) > 0.02
        const position: Vec3 = behind
          ? [start[0], start[1], high ? 0.12 : 0.03]
          : [from[0], from[1] + direction * 0.04, 0.03]
        return { position, rotation: HOME_ROTATION, gripper: 'close', speed: behind ? 1 : stream.uniform(0.4, 0.8) }
      },
    }
  }
}

/** To a random place over the work area, with or without the bolt, sometimes leaning towards the cradles. */
const wander: Choice = (stream, { tcp, gripper, bolts, bolt }) => {
  const held = bolts[bolt]!.held
  const low: Vec3 = [0.42, -0.15, held ? 0.1 : 0.07]
  const high: Vec3 = [0.58, 0.15, 0.22]
  const near = stream.uniform() < 0.5
  const place = near
    ? add(tcp.position, jitter(stream, 0.03))
    : (low.map((l, i) => stream.uniform(l, high[i]!)) as Vec3)
  const lean = fromRotationVector([stream.uniform() < 0.3 ? stream.uniform(0, 0.9) : 0, 0, 0])
  const rotation = multiply(leanOf(stream, 0.1), multiply(lean, HOME_ROTATION))
  return {
    instruction: stream.pick(['wander around', 'move around', held ? 'move the bolt around' : 'stay over the table']),
    steps: 10,
    goal: () => ({
      position: atLeast(place, held ? 0.1 : 0.06),
      rotation,
      gripper: gripper.command,
      speed: stream.uniform(0.5, 1),
    }),
  }
}
