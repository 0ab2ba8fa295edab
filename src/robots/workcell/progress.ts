/**
 * @file How far a state is from success: the potential Φ, in expert steps still to go. Inferred from the state alone,
 * so that it can be asked of any state, whoever brought it about.
 */
import { expertPlan } from './expert.ts'
import { BOLT, CRADLE } from './layout.ts'
import { EXPERT, type ExpertPlan, inFixture, travel } from './plan.ts'
import { upOf } from './spatial.ts'
import { TASKS } from './tasks/index.ts'
import type { Truth, Vec3 } from './truth.ts'
import { add, scale, subtract } from './vector.ts'

const goalOf = (truth: Truth) => TASKS[truth.task]!.goal?.(truth)

/** Steps that a phase costs beside its free travel (docs/simulator.md §7). */
const COST = { descend: 5, close: 2, insert: 6, release: 2, retreat: 4 }
const PICKED = 0.027 // m: a tip this high over the stand counts as picked

/** The phases after the bolt is out of its hole with its tip at `tip`; nothing but the lift itself for a pick. */
function afterLift(truth: Truth, tip: Vec3): number {
  const target = goalOf(truth)
  if (!target) return 0
  const hover = add(target.fixture.position, scale(upOf(target.fixture.rotation), EXPERT.hover))
  return travel(subtract(hover, tip)) + COST.insert + COST.release + COST.retreat
}

/** Φ(state) ≥ 0, steps. Falls by about one a step while the expert acts. */
export function stepsToGo(truth: Truth): number {
  const plan = expertPlan(truth)
  return TASKS[truth.task]!.stepsToGo?.(truth, plan) ?? boltToGo(plan, truth)
}

function boltToGo(plan: ExpertPlan, truth: Truth): number {
  const bolt = truth.bolts[truth.bolt]!
  const axis = upOf(bolt.rotation)
  switch (plan.phase) {
    case 'approach':
    case 'descend':
    case 'close': {
      // From the waypoint down in `descend` steps; between the two the share of the way that is left.
      const down = COST.descend * Math.min(1, Math.max(plan.aside, Math.abs(plan.height) / EXPERT.approach))
      const there = plan.phase === 'close' ? 0 : plan.aside * travel(plan.translation, plan.rotation)
      const closing = COST.close * (plan.phase === 'close' ? (truth.gripper.width > 0.03 ? 1 : 0.5) : 1)
      const lift = truth.task === 'pick' ? PICKED + truth.stand.depth : CRADLE.depth + 0.006
      const lifted = add(bolt.tip, scale(axis, lift))
      return there + down + closing + travel([lift, 0, 0]) + afterLift(truth, lifted)
    }
    case 'lift': {
      const target = goalOf(truth)
      if (!target) return 1 + travel([Math.max(0, PICKED - inFixture(truth.stand, bolt.tip).height), 0, 0])
      const out = Math.max(0, 0.006 - plan.height)
      return travel([out, 0, 0]) + afterLift(truth, add(bolt.tip, scale(axis, out)))
    }
    case 'transport':
    case 'insert': {
      const { fixture } = goalOf(truth)!
      const { height, offset, up } = inFixture(fixture, bolt.tip)
      const aside = subtract(scale(up, EXPERT.hover - height), offset)
      const down = (height + fixture.depth) / (EXPERT.hover + fixture.depth)
      const insert = COST.insert * (plan.aside + (1 - plan.aside) * Math.min(1, Math.max(0, down)))
      return plan.aside * travel(aside, plan.rotation) + insert + COST.release + COST.retreat
    }
    case 'release':
      return COST.retreat + COST.release * (truth.gripper.command === 'close' ? 1 : 0.5)
    case 'push': // of `slide` alone
    case 'retreat':
      return (COST.retreat * Math.max(0, BOLT.headHeight + 0.022 - plan.height)) / (BOLT.headHeight + 0.044)
  }
}
