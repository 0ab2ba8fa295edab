/** @file Corrections by the simulated operator of a policy that wanders, with what a still hand would have done in each of their steps. */

import { type Displacement, directionOf } from '../review/audit/triplets.ts'
import type { Observation } from '../robot/robot.ts'
import { demonstrator } from '../robots/workcell/demonstrator.ts'
import { stillHand } from '../robots/workcell/operator/intention.ts'
import { SimulatedOperator } from '../robots/workcell/operator/operator.ts'
import type { SimulatedOperatorOptions } from '../robots/workcell/operator/options.ts'
import type { Truth } from '../robots/workcell/truth.ts'
import { Workcell } from '../robots/workcell/workcell.ts'
import { type LabelRule, labelInterventions } from '../talk/labels.ts'
import type { Direction } from '../talk/vocabulary.ts'

/** One intervention: actions [steps][7] as the hand did them, and as a hand that does not tremble would have. */
export type CorrectionSegment = { task: string; seed: number; pushed: number[][]; still: number[][] }

const TASKS = ['place', 'pick', 'assemble']
const WANDERING = { noise: 0.5, memory: 0.8 } // of the policy, action units: an expert whose aim strays and returns
const MOST_STEPS = 80

/** The metres of a step at |a| = 1, for the rules that read these segments. */
export const METRES_PER_UNIT = 0.015

/** Runs `episodes` episodes of each task. Start states and all noise follow from `seed`. */
export async function collectSegments(
  options: SimulatedOperatorOptions,
  { seed, episodes }: { seed: number; episodes: number },
): Promise<CorrectionSegment[]> {
  const workcell = await Workcell.create({ cameras: false })
  const operator = new SimulatedOperator(() => workcell.truth(), seed, options)
  const push = stillHand(options)
  const segments: CorrectionSegment[] = []
  for (let episode = 0; episode < episodes * TASKS.length; episode++) {
    const task = TASKS[episode % TASKS.length]!
    const start = 10_000 * (seed + 1) + episode
    let observation: Observation = workcell.resetSync(task, start)
    const plan = demonstrator(() => workcell.truth(), start, WANDERING)
    const seen: Truth[] = []
    let open: CorrectionSegment | undefined
    operator.begin(task)
    for (let step = 0; step < MOST_STEPS; step++) {
      seen.unshift(workcell.truth())
      const planned = plan()
      const { takeover } = operator.tend(observation, planned)
      if (!takeover) open = undefined
      else {
        if (!open) segments.push((open = { task, seed, pushed: [], still: [] }))
        open.pushed.push([...takeover])
        open.still.push([...push(seen)])
      }
      const outcome = workcell.stepSync(takeover ?? planned)
      observation = outcome.observation
      if (outcome.terminated) break
    }
  }
  workcell.free()
  return segments
}

/** One labelled step of a segment. */
export type CorrectionSample = {
  task: string
  window: number // steps
  delta: Displacement // metres, as pushed
  intended: Displacement // metres, by the still hand
  said: Direction
  meant: Direction
  /** Rotation among the motion of the still hand, 0 to 1, in action units: 0.15 rad counts as 15 mm, a lever of 0.1 m. */
  rotationShare: number
  /** Radians that the still hand turns the tool over the window. */
  turn: number
  gripperChanges: boolean
  /** An axis is pushed one way and then the other within the window, by more than the threshold each. */
  reverses: boolean
  group: string // the intervention
}

export function samplesOf(
  segments: readonly CorrectionSegment[],
  rule: LabelRule,
  radiansPerUnit = 0.15,
): CorrectionSample[] {
  return segments.flatMap(({ task, pushed, still }, intervention) => {
    const label = (actions: number[][]) =>
      labelInterventions(
        actions.map((action) => ({ action, intervened: true })),
        rule,
      )
    const meant = label(still)
    return label(pushed).map((said, step) => {
      const { window } = said!
      const part = still.slice(step, step + window)
      const sums = [0, 1, 2, 3, 4, 5].map((axis) => part.reduce((sum, action) => sum + action[axis]!, 0))
      const [translation, rotation] = [Math.hypot(...sums.slice(0, 3)), Math.hypot(...sums.slice(3))]
      return {
        task,
        group: String(intervention),
        window,
        delta: said!.delta,
        intended: meant[step]!.delta,
        said: said!.direction,
        meant: meant[step]!.direction,
        rotationShare: translation + rotation === 0 ? 0 : rotation / (translation + rotation),
        turn: radiansPerUnit * rotation,
        gripperChanges: part.some((action) => Math.sign(action[6]!) !== Math.sign(part[0]![6]!)),
        reverses: [0, 1, 2].some((axis) =>
          turnsBack(
            part.map((action) => rule.metresPerUnit * action[axis]!),
            rule,
          ),
        ),
      }
    })
  })
}

/** True if the positive and the negative pushes of one axis both sum to more than the threshold. */
function turnsBack(pushes: readonly number[], rule: Pick<LabelRule, 'threshold' | 'tie'>): boolean {
  const along = pushes.reduce((sum, push) => sum + Math.max(0, push), 0)
  const against = pushes.reduce((sum, push) => sum + Math.min(0, push), 0)
  return directionOf([along, against, 0], rule)
    .slice(0, 2)
    .every((sign) => sign !== 0)
}
