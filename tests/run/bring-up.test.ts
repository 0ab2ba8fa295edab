/** @file The ladder by which a robot is brought up: all of it with a sound arm, and where it ends with one that is not. */
import { describe, expect, it } from 'vitest'
import { vector } from '../../src/robot/channels.ts'
import type { Rig } from '../../src/robot/rig.ts'
import type { Action, Observation, Outcome, Robot } from '../../src/robot/robot.ts'
import { SafeRobot } from '../../src/robot/safety.ts'
import { type BringUpReport, climb } from '../../src/run/bring-up/ladder.ts'
import { linesOf } from '../../src/run/bring-up/report.ts'

const START = [0.5, 0, 0.2]

/** Goes where it is told at once, from `START`; what is wrong with it is set by the tests. */
class ToyArm implements Robot {
  readonly spec = {
    name: 'toy',
    rate: 10,
    cameras: { wrist: { width: 4, height: 4 } },
    channels: [
      ...vector('tcp', 'm', { of: 'position' as const }),
      { name: 'gripper.opening', unit: '0 closed, 1 open', role: 'opening' as const },
      { name: 'gripper.command', unit: '-1 open, 1 close', role: 'grip' as const },
    ],
    actionFrame: 'base' as const,
    actionScale: { translation: 0.01, rotation: 0.1 },
    tasks: { reach: { instruction: 'reach', maxSteps: 10 } },
  }
  readonly actions: number[][] = []
  resets = 0
  at = [...START]
  order = [0, 1, 2] // of its axes
  follows = 1 // share of what it is told
  glides = 0 // m a reading after a stop
  sinks = 0 // m a step
  shakes = 0 // m
  lens: (i: number) => number = (i) => 40 * (i % 5)
  gripperMoves = true
  private opening = 1
  private grip = -1
  private readings = 0
  private gliding = 0

  async reset(): Promise<Observation> {
    this.resets++
    this.at = [...START]
    return this.told()
  }
  observe = async () => this.told()
  async stop(): Promise<void> {
    this.gliding = this.glides
  }
  async step(action: Action): Promise<Outcome> {
    this.actions.push([...action])
    this.gliding = 0
    for (let i = 0; i < 3; i++) this.at[this.order[i]!]! += 0.01 * this.follows * action[i]!
    this.at[2]! -= this.sinks
    this.grip = action[6]! || this.grip
    if (this.gripperMoves) this.opening = this.grip > 0 ? 0 : 1
    return { observation: this.told(), reward: 0, terminated: false }
  }

  private told(): Observation {
    this.readings++
    this.at[2]! += this.gliding
    const shaken = this.shakes * (this.readings % 2)
    const data = Uint8Array.from({ length: 48 }, (_, i) => this.lens(i + this.readings))
    return {
      images: { wrist: { width: 4, height: 4, data } },
      proprio: Float32Array.of(this.at[0]! + shaken, this.at[1]!, this.at[2]!, this.opening, this.grip),
      time: this.readings / 10,
    }
  }
}

const BOX = { low: [0.3, -0.2, 0.05], high: [0.7, 0.2, 0.4] }

async function climbed(
  meddle: (arm: ToyArm) => void = () => {},
  agrees: (rung: string) => boolean = () => true,
  plan?: (seen: Observation) => Promise<Action>,
) {
  const arm = new ToyArm()
  meddle(arm)
  const robot = new SafeRobot(arm, { limits: { workBox: BOX, suspectSteps: 1e6, blindSteps: 1e6 } })
  const rig: Rig = { cell: 'A', robot, reset: 'person', real: false, close: async () => {} }
  const kept: string[] = []
  const asked: number[] = []
  const reports: BringUpReport[] = []
  const report = await climb(
    rig,
    {
      mayMove: async () => void asked.push(arm.actions.length + arm.resets),
      agrees: async ({ rung }) => agrees(rung),
    },
    {
      task: 'reach',
      plan,
      keep: (name) => {
        kept.push(name)
        return name
      },
      onRung: () => {},
      onReport: (known) => reports.push(structuredClone(known)),
    },
  )
  return { arm, report, kept, asked, reports }
}

describe('with a sound arm the ladder', () => {
  it('is climbed to its end, asks once, before the first motion, and keeps to the work box and to a slow hand', async () => {
    const { arm, report, kept, asked, reports } = await climbed()
    expect(report).toMatchObject({ robot: 'toy', passed: true, notTried: [] })
    const names = ['state', 'cameras', 'gripper', 'axes', 'dry run', 'motion']
    expect(report.rungs.map(({ rung }) => rung)).toEqual(names)
    expect(reports.map(({ rungs }) => rungs.length)).toEqual([1, 2, 3, 4, 5, 6])
    expect([kept, asked]).toEqual([['camera-wrist.png'], [0]])
    const full = arm.actions.filter(([x, y, z]) => Math.max(Math.abs(x!), Math.abs(y!), Math.abs(z!)) > 0.301)
    expect(full).toEqual(Array(4).fill([0, 0, 1, 0, 0, 0, -1])) // the last rung's steps
    expect(report.rungs[3]!.findings.y).toBe('+y: 9 mm there, 0 mm aside, 0 mm left on return')
    expect(report.rungs[5]!.findings).toMatchObject({ 'full steps': '40 of 40 mm along +z', 'after the stop [mm]': 0 })
    expect(Math.hypot(...arm.at.map((value, i) => value - START[i]!))).toBeLessThan(0.002)
  })

  it('goes to the start first where there is no room for a centimetre', async () => {
    const { report } = await climbed((arm) => {
      arm.at = [0.5, 0, 0.01] // below the box
    })
    expect(report.passed).toBe(true)
    expect(report.rungs[0]!.findings).toMatchObject({ 'within its work box': false })
    expect(report.rungs[3]!.findings.before).toContain('to its start first')
  })
})

describe('the ladder ends, and nothing above is tried, where', () => {
  it.each<[string, (arm: ToyArm) => void, string, RegExp]>([
    ['readings move', (arm) => Object.assign(arm, { shakes: 0.01 }), 'state', /reads as moving by 10 mm/],
    ['a lens is covered', (arm) => Object.assign(arm, { lens: () => 2 }), 'cameras', /camera wrist: shows nothing/],
    ['a gripper stays', (arm) => Object.assign(arm, { gripperMoves: false }), 'gripper', /1.00 closed and 1.00 open/],
    ['it sinks', (arm) => Object.assign(arm, { sinks: 0.0005 }), 'gripper', /moved its tool by 20 mm/],
    [
      'axes are exchanged',
      (arm) => Object.assign(arm, { order: [1, 0, 2] }),
      'axes',
      /along \+x .* gone x -3, y 6, z 0/,
    ],
    ['a sign is wrong', (arm) => Object.assign(arm, { follows: -1 }), 'axes', /along \+x .* gone x -6/],
    ['it does not follow', (arm) => Object.assign(arm, { follows: 0.001 }), 'axes', /gone x 0.2/],
    [
      'it goes on after a stop',
      (arm) => Object.assign(arm, { glides: 0.004 }),
      'motion',
      /went on for 60 mm after a stop/,
    ],
  ])('%s', async (_, meddle, rung, why) => {
    const { arm, report } = await climbed(meddle)
    const last = report.rungs.at(-1)!
    expect([last.rung, last.passed, report.passed]).toEqual([rung, false, false])
    expect(last.why).toMatch(why)
    expect(last.remedy!.length).toBeGreaterThan(10)
    if (rung === 'state' || rung === 'cameras') expect(arm.actions.length + arm.resets).toBe(0)
    if (rung !== 'motion') expect(linesOf(report).at(-1)).toMatch(/^not tried: .*motion$/)
  })

  it('the person beside it says no', async () => {
    const { arm, report } = await climbed(undefined, (rung) => rung !== 'cameras')
    expect(report.rungs.at(-1)).toMatchObject({ rung: 'cameras', passed: false, why: 'the person beside it says no' })
    expect(report.notTried).toEqual(['gripper', 'axes', 'dry run', 'motion'])
    expect(arm.actions).toEqual([])
  })
})

describe('a policy that is tried in the dry run', () => {
  const planned = (dx: number, close = 0) => Float32Array.of(dx, 0, -0.5, 0, 0, 0.2, close)

  it('has its commands told, in millimetres, and as the envelope would let them through; none of them is sent', async () => {
    const seen: number[] = []
    const { arm, report } = await climbed(undefined, undefined, async ({ time }) => {
      seen.push(time)
      return planned(seen.length <= 10 ? 0.5 : 1.5, 1)
    })
    expect(report.passed).toBe(true)
    const { findings } = report.rungs[4]!
    expect(findings).toMatchObject({
      'drift [mm]': 0,
      'commands, not sent': 50,
      'of them larger than allowed': 40,
      'after 0.0 s': '+5.0 +0.0 -5.0 mm, +0.00 +0.00 +0.02 rad, closes',
      // from 0.5 to 1, which is the most there is
      'after 1.0 s':
        '+15.0 +0.0 -5.0 mm, +0.00 +0.00 +0.02 rad, closes; let through: +10.0 +0.0 -5.0 mm, +0.00 +0.00 +0.02 rad',
    })
    expect(new Set(seen).size).toBe(50) // each is made of a new observation
    const closing = arm.actions.filter((action) => action[2] === -0.5 || action[5] !== 0)
    expect(closing).toEqual([])
  })

  it('ends it where the envelope would have stopped the robot, and nothing above is tried', async () => {
    let asked = 0
    const { report } = await climbed(undefined, undefined, async () => planned(++asked === 4 ? Number.NaN : 0.5))
    const { rung, passed, why } = report.rungs.at(-1)!
    expect([rung, passed]).toEqual(['dry run', false])
    expect(why).toBe('toy, its policy: would have stopped it after 3 commands, not a number: action[0] is NaN')
    expect(report.notTried).toEqual(['motion'])
  })
})
