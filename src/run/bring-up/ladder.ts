/**
 * @file The ladder by which a robot is brought up: from looking at it to its first whole motion. A rung that fails, or that a
 * person says no to, ends it there: nothing above is tried, and the robot stays where it is.
 */
import { InputError } from '../../errors.ts'
import type { Rig } from '../../robot/rig.ts'
import { axes, gripper } from './first-motion.ts'
import { Hand } from './hand.ts'
import { dryRun, motion } from './in-time.ts'
import { cameras, state } from './look.ts'
import type { Findings, Rung, Site } from './rung.ts'

const LADDER: readonly Rung[] = [state, cameras, gripper, axes, dryRun, motion]

export type RungReport = {
  rung: string
  passed: boolean
  look: string
  findings: Findings
  seconds: number
  why?: string // it failed
  remedy?: string
}

export type BringUpReport = { robot: string; task: string; passed: boolean; rungs: RungReport[]; notTried: string[] }

/** Whoever stands beside the robot. */
export type Witness = {
  /** Before the first motion. @throws to leave it at that */
  mayMove(): Promise<void>
  /** What the robot did is as it should be. */
  agrees(rung: RungReport): Promise<boolean>
}

export type ClimbOptions = {
  task: string
  keep: Site['keep']
  plan?: Site['plan'] // of a policy, whose commands the dry run looks at
  onRung: (rung: Pick<Rung, 'name' | 'moves'>) => void
  /** After each rung: what is known so far. */
  onReport: (report: BringUpReport) => void
}

/** Leaves the robot stopped. @throws InputError where the ladder is not for it; errors that are no finding about the robot */
export async function climb(rig: Rig, witness: Witness, options: ClimbOptions): Promise<BringUpReport> {
  const { robot } = rig
  const { task, keep, plan, onRung, onReport } = options
  const site: Site = { rig, hand: new Hand(rig), task, keep, plan }
  robot.supervisedBy([]) // whoever started this sits at the terminal
  const report: BringUpReport = {
    robot: robot.spec.name,
    task,
    passed: false,
    rungs: [],
    notTried: LADDER.map(({ name }) => name),
  }
  let asked = false
  for (const rung of LADDER) {
    if (rung.moves && !asked) await witness.mayMove()
    asked ||= rung.moves
    onRung(rung)
    const result = await tried(rung, site)
    if (result.passed && !(await witness.agrees(result)))
      Object.assign(result, {
        passed: false,
        why: 'the person beside it says no',
        remedy: 'Find out what differs from what the numbers say, then begin again',
      })
    report.rungs.push(result)
    report.notTried.shift()
    report.passed = result.passed && report.notTried.length === 0
    onReport(report)
    if (!result.passed) break
  }
  return report
}

async function tried(rung: Rung, site: Site): Promise<RungReport> {
  const since = performance.now()
  const told = { rung: rung.name, look: rung.look }
  const seconds = () => Math.round((performance.now() - since) / 100) / 10
  try {
    const findings = await rung.climb(site)
    return { ...told, passed: true, findings, seconds: seconds() }
  } catch (error) {
    await site.rig.robot.stop().catch(() => {}) // one that cannot be told has a fault, which is kept
    if (!(error instanceof InputError)) throw error
    const { where, what, remedy } = error
    return { ...told, passed: false, findings: {}, seconds: seconds(), why: `${where}: ${what}`, remedy }
  }
}
