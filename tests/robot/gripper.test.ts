/** @file The gripper's entry of an action: canonical in what is executed and recorded, and the same to the robot that moves. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RandomStream } from '../../src/random/stream.ts'
import { attempt } from '../../src/robot/attempt.ts'
import { type Channel, vector } from '../../src/robot/channels.ts'
import { canonicalActions } from '../../src/robot/gripper.ts'
import type { Action, Observation, Outcome, Robot } from '../../src/robot/robot.ts'
import { SafeRobot } from '../../src/robot/safety.ts'
import { demonstrator } from '../../src/robots/workcell/demonstrator.ts'
import { type GuardedWorkcell, guardedWorkcell } from '../../src/robots/workcell/guarded.ts'
import { SimulatedOperator } from '../../src/robots/workcell/operator/operator.ts'
import { Workcell } from '../../src/robots/workcell/workcell.ts'
import { LABEL_DEFAULTS, labelInterventions } from '../../src/talk/labels.ts'

const gripping = (entry: number): Action => Float32Array.of(0.25, 0, -0.5, 0, 0, 0.125, entry)
const entries = (actions: readonly Action[]) => actions.map((action) => action[6])

describe('the canonical form of an episode', () => {
  it.each([
    ['a person who presses nothing asks for what is asked for already', -1, [0, 0, 0], [-1, -1, -1]],
    ['an entry up to a half decides nothing, on both sides', 1, [0.5, -0.5, 0.3, -0.49], [1, 1, 1, 1]],
    ['one beyond it does, and stays', -1, [0, 0.51, 0.2, -0.4, -0.75, 0.5, 0], [-1, 1, 1, 1, -1, -1, -1]],
    ['where nobody knows how it began, 0 until something is asked for', 0, [0.2, 0, -0.9, 0.4], [0, 0, -1, -1]],
  ])('%s', (_, start, asked, canonical) =>
    expect(entries(canonicalActions(asked.map(gripping), [start]))).toEqual(canonical),
  )

  it('follows a robot that tells something else than it was asked for', () =>
    expect(entries(canonicalActions([1, 0, 0, 0].map(gripping), [-1, 1, -1, Number.NaN]))).toEqual([1, 1, -1, -1]))

  it('leaves an entry that is no number to whoever refuses it', () =>
    expect(entries(canonicalActions([0, Number.NaN, 0].map(gripping), [1]))).toEqual([1, Number.NaN, 1]))

  const anyEntry = fc.oneof(
    fc.double({ min: -1, max: 1, noNaN: true }).map(Math.fround),
    fc.constantFrom(0, -0, 0.5, -0.5, 1, -1),
  )
  const start = fc.constantFrom(-1, 0, 1)

  it('is -1 or 1 from a known start, changes nothing else, and is its own canonical form', () =>
    fc.assert(
      fc.property(fc.array(anyEntry, { maxLength: 30 }), start, (asked, began) => {
        const actions = asked.map(gripping)
        const canonical = canonicalActions(actions, [began])
        expect(entries(actions)).toEqual(asked) // the originals are as they were
        expect(canonical.map((action) => [...action.slice(0, 6)])).toEqual(actions.map((a) => [...a.slice(0, 6)]))
        if (began !== 0) for (const entry of entries(canonical)) expect(Math.abs(entry!)).toBe(1)
        expect(canonicalActions(canonical, [began])).toEqual(canonical)
      }),
    ))

  it('has the same labels', () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(anyEntry, anyEntry, fc.boolean()), { maxLength: 20 }), start, (steps, began) => {
        const actions = steps.map(([y, entry]) => Float32Array.of(0, y, 0, 0, 0, 0, entry))
        const canonical = canonicalActions(actions, [began])
        const labels = (of: readonly Action[]) =>
          labelInterventions(
            of.map((action, t) => ({ action, intervened: steps[t]![2] })),
            { ...LABEL_DEFAULTS, metresPerUnit: 0.015 },
          )
        expect(labels(canonical)).toEqual(labels(actions))
      }),
    ))
})

describe.each(['panda', 'gantry'] as const)('the workcell with its %s', (arm) => {
  let workcell: Workcell
  let other: Workcell
  beforeAll(async () => {
    ;[workcell, other] = [
      await Workcell.create({ arm, cameras: false }),
      await Workcell.create({ arm, cameras: false }),
    ]
  })
  afterAll(() => {
    workcell.free()
    other.free()
  })

  it.each([
    ['place', -1], // begins open
    ['assemble', 1], // begins with the bolt in its grip
  ])(
    'moves alike, bit for bit, under an episode of %s and its canonical form, which says what it is asked for',
    (task, began) => {
      const random = new RandomStream(7, `gripper/${task}`)
      const actions = Array.from({ length: 40 }, () => {
        const action = Float32Array.from({ length: 7 }, () => 0.4 * (2 * random.uniform() - 1))
        action[6] = 1.3 * (2 * random.uniform() - 1)
        return action
      })
      const canonical = canonicalActions(actions, [began])
      expect(new Set(entries(canonical))).toEqual(new Set([-1, 1]))
      expect(workcell.resetSync(task, 5).proprio[13]).toBe(began)
      other.resetSync(task, 5)
      for (const [t, action] of actions.entries()) {
        const [one, two] = [workcell.stepSync(action), other.stepSync(canonical[t]!)]
        expect(two).toEqual(one)
        expect(other.snapshot().physics).toEqual(workcell.snapshot().physics)
        expect(canonical[t]![6]).toBe(one.observation.proprio[13]) // "gripper.command"
      }
    },
  )
})

/** Keeps what reaches the motors; tells of its gripper where `tells`. */
class Motor implements Robot {
  readonly spec
  readonly actions: Action[] = []
  grip = -1
  private time = 0
  constructor(private readonly tells: boolean) {
    const told: Channel = { name: 'gripper', unit: '-1 open, 1 close', role: 'grip' }
    this.spec = {
      name: 'motor',
      rate: 10,
      cameras: {},
      channels: [...vector('tcp', 'm', { of: 'position' }), ...(tells ? [told] : [])],
      actionFrame: 'base' as const,
      actionScale: { translation: 0.015, rotation: 0.15 },
      tasks: { wait: { instruction: 'wait', maxSteps: 10 } },
    }
  }
  reset = async () => this.observe()
  async observe(): Promise<Observation> {
    return { images: {}, proprio: Float32Array.of(0.5, 0, 0.2, ...(this.tells ? [this.grip] : [])), time: this.time++ }
  }
  async step(action: Action): Promise<Outcome> {
    this.actions.push(action)
    if (action[6] !== 0) this.grip = action[6]! // a robot that would take any entry as an order
    return { observation: await this.observe(), reward: 0, terminated: false }
  }
  stop = async () => {}
}

describe('the safety envelope', () => {
  /** What is executed in each step, by its gripper entry. */
  const run = async (robot: SafeRobot, asked: number[]) => {
    const executed: number[] = []
    for (const entry of asked) {
      await robot.step(gripping(entry))
      executed.push(robot.executed[6]!)
    }
    return executed
  }

  it('sends and tells the canonical form, from what the robot tells of its gripper', async () => {
    const motor = new Motor(true)
    const robot = new SafeRobot(motor)
    motor.grip = 1
    await robot.reset('wait')
    expect(await run(robot, [0, 0.4, -0.3, -0.6, 0.4])).toEqual([1, 1, 1, -1, -1])
    expect(entries(motor.actions)).toEqual([1, 1, 1, -1, -1])
    expect([...motor.actions[0]!.slice(0, 6)]).toEqual([...gripping(0).slice(0, 6)])
    expect(robot.limitedSteps).toBe(0) // nothing was too large
    motor.grip = 1 // somebody else asked for it
    await robot.observe()
    expect(await run(robot, [0])).toEqual([1])
    motor.grip = -1
    await robot.reset('wait')
    expect(await run(robot, [0])).toEqual([-1])
  })

  it('guesses nothing of a gripper that nobody tells of: it is left alone until something is asked for', async () => {
    const motor = new Motor(false)
    const robot = new SafeRobot(motor)
    await robot.reset('wait')
    expect(await run(robot, [0, 0.4, 0.8, 0, -0.4])).toEqual([0, 0, 1, 1, 1])
    expect(entries(motor.actions)).toEqual([0, 0, 1, 1, 1])
    await robot.reset('wait') // which may have opened it
    expect(await run(robot, [0])).toEqual([0])
  })

  it('asks a gripper for nothing while it holds, and tells such a step with what is asked for already', async () => {
    const motor = new Motor(true)
    const robot = new SafeRobot(motor)
    await robot.reset('wait')
    expect(await run(robot, [1])).toEqual([1])
    await robot.halt('a person')
    expect(await run(robot, [-1])).toEqual([1]) // the command to open does not reach it
    expect([...motor.actions.at(-1)!]).toEqual([0, 0, 0, 0, 0, 0, 0])
    expect([...robot.executed]).toEqual([0, 0, 0, 0, 0, 0, 1])
    robot.clearFault()
    expect(await run(robot, [0])).toEqual([1])
  })

  it('tells a step in the middle of which it was stopped with what was asked for', async () => {
    const motor = new Motor(true)
    const robot = new SafeRobot(motor)
    await robot.reset('wait')
    const going = robot.step(gripping(1))
    await robot.halt('a person')
    await going
    expect([...robot.executed]).toEqual([0, 0, 0, 0, 0, 0, 1])
  })
})

describe('whoever acts in the workcell', () => {
  let cell: GuardedWorkcell
  beforeAll(async () => {
    cell = await guardedWorkcell({ arm: 'gantry', cameras: false })
  })
  afterAll(() => cell.workcell.free())
  const told = ({ proprio }: Observation) => proprio[13] // "gripper.command"

  it('demonstrates with what the gripper is then asked for', async () => {
    const { robot, workcell } = cell
    const { steps, success } = await attempt(
      robot,
      'place',
      3,
      demonstrator(() => workcell.truth(), 3, { noise: 0.2 }),
    )
    expect(success).toBe(true)
    expect(steps.map(({ action }) => action[6])).toEqual(steps.map(({ outcome }) => told(outcome.observation)))
    expect(new Set(steps.map(({ action }) => action[6]))).toEqual(new Set([-1, 1]))
  })

  it('corrects a policy that cannot decide with it, too, and so acts the policy', async () => {
    const { robot, workcell } = cell
    const operator = new SimulatedOperator(() => workcell.truth(), 1)
    let observation = await robot.reset('place', 3)
    operator.begin('place')
    const hands = new Set<boolean>()
    for (let t = 0; t < 60; t++) {
      const { takeover } = operator.tend(observation, gripping(0))
      hands.add(takeover !== undefined)
      if (takeover) expect(Math.abs(takeover[6]!)).toBe(1)
      const outcome = await robot.step(takeover ?? Float32Array.of(0, 0, 0, 0, 0, 0, 0.45 * Math.sin(t)))
      observation = outcome.observation
      expect(robot.executed[6]).toBe(told(observation))
      if (outcome.terminated) break
    }
    expect(hands).toEqual(new Set([true, false]))
  })
})
