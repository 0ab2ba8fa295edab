/** @file What a robot tries in practice where its policy stands still: a way at random, or the hand the other way, held for some steps. */
import type { RandomStream } from '../random/stream.ts'
import { vectorOf } from '../robot/channels.ts'
import { GRIPPER_ENTRY, gripAfter, toldGrip } from '../robot/gripper.ts'
import type { Rig } from '../robot/rig.ts'
import { ACTION_WIDTH, type Action, type Observation, type RobotSpec } from '../robot/robot.ts'

export type ExplorationSettings = {
  after: number // steps without motion; more than 0
  hold: number // steps for which it is tried
  reach: number // largest entry of a translation that is tried, 0 to 1
  gripper: number // how often it is the hand, 0 to 1
}

/** Of one step's largest translation: a tool that came less far in all that time stands still, whatever it turned. */
const STILL = 0.25

/** What those who stand beside real robots have to know before anything moves: one line each, in practice and in evaluations. */
export function explorationNotices(
  rigs: readonly { robot: { spec: RobotSpec }; real: Rig['real'] }[],
  { practice = 0, evaluation = 0 }: { practice?: number; evaluation?: number }, // steps without motion; 0: never
): string[] {
  const times = Object.entries({ practice, evaluations: evaluation })
    .filter(([, after]) => after > 0)
    .map(([when, after]) => `in ${when} after ${after} steps`)
  if (times.length === 0) return []
  return rigs
    .filter(({ real }) => real)
    .map(({ robot: { spec } }) => {
      if (!vectorOf(spec.channels, 'position'))
        return `${spec.name} does not tell where its tool is: nothing is tried where its policy stands still (exploration).`
      return `${spec.name} moves by itself where its policy stands still, ${times.join(', ')}: some way at random, or its hand the other way, which lets go of what it holds (exploration). Keep clear of it.`
    })
}

/**
 * Most of what a cloned policy fails at ends in a place where it wants nothing: beside the bolt, or with the bolt in its slot
 * and the hand closed. Noise on every action does not lead out of there, and where it succeeds it has nothing to learn from
 * (decision 74). One episode at a time.
 */
export class Exploration {
  private readonly path: number[][] = [] // of the tool, since it last tried something, the latest last
  private readonly position: readonly number[] | null
  private trying: { action: Action; left: number } | undefined
  private readonly settings: ExplorationSettings

  constructor(
    settings: ExplorationSettings,
    private readonly spec: Pick<RobotSpec, 'channels' | 'actionScale'>,
    private readonly random: RandomStream,
  ) {
    this.settings = { ...settings }
    this.position = vectorOf(spec.channels, 'position')
  }

  /** An episode begins, or somebody else acted: what came before is no standing still of the policy. */
  begin(): void {
    this.path.length = 0
    this.trying = undefined
  }

  /** [7] What is tried at this moment in place of what the policy plans; undefined where that is to go on. */
  instead(now: Observation): Action | undefined {
    if (!this.trying && this.standsStill(now)) this.trying = { action: this.drawn(now), left: this.settings.hold }
    if (!this.trying) return undefined
    const { action } = this.trying
    if (--this.trying.left === 0) this.begin()
    return action.slice()
  }

  private standsStill({ proprio }: Observation): boolean {
    const { path, position, spec } = this
    if (!position) return false // a robot that does not tell where it is
    const here = position.map((i) => proprio[i]!) // a robot may use its array again
    path.push(here)
    if (path.length <= this.settings.after) return false
    const then = path.shift()!
    return Math.hypot(...here.map((x, axis) => x - then[axis]!)) < STILL * spec.actionScale.translation
  }

  private drawn({ proprio }: Observation): Action {
    const { reach, gripper } = this.settings
    const action = new Float32Array(ACTION_WIDTH)
    const asked = gripAfter(toldGrip(this.spec.channels, proprio), 0)
    if (asked !== 0 && this.random.uniform() < gripper) action[GRIPPER_ENTRY] = -asked
    else this.random.fillUniform(action.subarray(0, 3), -reach, reach)
    return action
  }
}
