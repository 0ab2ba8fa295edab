/** @file What the person of a proof knows of a robot's task: when to take over, what to do then, and which word would help. */
import type { Action } from '../../src/robot/robot.ts'
import type { Vec3 } from '../../src/robot/rotation.ts'
import { demonstrator } from '../../src/robots/workcell/demonstrator.ts'
import { expertAction } from '../../src/robots/workcell/expert.ts'
import { SimulatedOperator } from '../../src/robots/workcell/operator/operator.ts'
import type { Truth } from '../../src/robots/workcell/truth.ts'
import type { TruthChannel } from './truth.ts'

export interface Minder {
  begin(task: string): void
  /** Called once a step: what the hand does, where it is on the robot. */
  tend(): Action | undefined
  /** Shows how it is done; one for each demonstration. */
  hand(): () => Action
  /** Where to go next, as a command. */
  word(): string
}

const WORDS = [
  ['backward', 'forward'],
  ['right', 'left'],
  ['down', 'up'],
] as const

const wordFor = (motion: Action | Vec3): string => {
  const axis = [0, 1, 2].reduce((most, i) => (Math.abs(motion[i]!) > Math.abs(motion[most]!) ? i : most), 0)
  return `move ${WORDS[axis]![motion[axis]! > 0 ? 1 : 0]}`
}

/** Beside the workcell, whatever it is served as: the operator of its simulation. */
function workcellMinder(channel: TruthChannel): Minder {
  const truth = () => structuredClone(channel.now.truth) as Truth
  const operator = new SimulatedOperator(truth, 0)
  const nothing = new Float32Array(7)
  let shown = 0
  return {
    begin: (task) => operator.begin(task),
    tend: () => operator.tend({ images: {}, proprio: nothing, time: 0 }, nothing).takeover,
    hand: () => demonstrator(truth, shown++, { noise: 0.1, memory: 0.9 }),
    word: () => wordFor(expertAction(truth())),
  }
}

const SCALE = 0.01 // m a step of the arm at |a| = 1
const PATIENCE = 15 // steps without coming nearer
const NEARER = 0.005 // m
const RELIEF = 0.02 // m nearer, and it is let go

/** Beside an SO-101 that is to reach a mark. */
function reachMinder(channel: TruthChannel): Minder {
  const away = () => (channel.now as unknown as { away: Vec3 }).away // m, from the tool to the mark
  const far = () => Math.hypot(...away())
  let best = Infinity
  let waited = 0
  let taken: number | null = null
  const towards = (): Action => {
    const size = Math.max(SCALE, far())
    const share = Math.min(1, far() / SCALE)
    return Float32Array.from([...away().map((value) => (share * value) / size), 0, 0, 0, 0])
  }
  return {
    begin() {
      best = Infinity
      waited = 0
      taken = null
    },
    tend() {
      const now = far()
      if (taken !== null && now < taken - RELIEF) {
        best = now
        waited = 0
        taken = null
      }
      waited = now < best - NEARER ? 0 : waited + 1
      best = Math.min(best, now)
      if (waited > PATIENCE) taken ??= now
      return taken === null ? undefined : towards()
    },
    hand: () => towards,
    word: () => wordFor(away()),
  }
}

export const minderOf = (kind: string, channel: TruthChannel): Minder =>
  kind === 'so101' ? reachMinder(channel) : workcellMinder(channel)
