/** @file The simulated operator: when it takes over, what its hands do, when it hands back, and what it is worth. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RandomStream } from '../../../src/random/stream.ts'
import { attempt } from '../../../src/robot/attempt.ts'
import type { Action, Observation } from '../../../src/robot/robot.ts'
import { demonstrator } from '../../../src/robots/workcell/demonstrator.ts'
import { expertAction, expertPlan } from '../../../src/robots/workcell/expert.ts'
import { contactOffset, Gate, type Glance } from '../../../src/robots/workcell/operator/gate.ts'
import { OperatorHand } from '../../../src/robots/workcell/operator/hand.ts'
import { SimulatedOperator } from '../../../src/robots/workcell/operator/operator.ts'
import { DEFAULT_OPERATOR, PERSON, WEAK_OPERATOR } from '../../../src/robots/workcell/operator/options.ts'
import type { Truth } from '../../../src/robots/workcell/truth.ts'
import { Workcell } from '../../../src/robots/workcell/workcell.ts'

const nothing: Observation = { images: {}, proprio: new Float32Array(0), time: 0 }
const idle: Action = new Float32Array(7)
const calm: Glance = { potential: 30, force: 1, offset: null }

/** The reasons that a gate gives for a sequence of glances. */
const watch = (glances: Partial<Glance>[]) => {
  const gate = new Gate(DEFAULT_OPERATOR)
  return glances.map((glance) => gate.look({ ...calm, ...glance }))
}
const last = <T>(values: T[]) => values.at(-1)

describe('the gate', () => {
  const falling = (by: number, steps: number) => Array.from({ length: steps }, (_, i) => ({ potential: 30 - by * i }))

  it('is content with steady progress', () =>
    expect(watch(falling(1, 30)).every((reason) => reason === null)).toBe(true))

  it('says stuck when Φ fell by less than 2.5 in 15 steps, not before, and not at 2.5', () => {
    expect(watch(falling(0.16, 15)).every((reason) => reason === null)).toBe(true)
    expect(last(watch(falling(0.16, 16)))).toBe('stuck')
    expect(last(watch(falling(0.17, 16)))).toBeNull()
  })

  it('says off when Φ is more than 4 above its best', () => {
    expect(watch([{ potential: 20 }, { potential: 23.9 }])).toEqual([null, null])
    expect(watch([{ potential: 20 }, { potential: 24.1 }])).toEqual([null, 'off'])
  })

  it('says funnel when a misalignment near a contact has not shrunk within eight steps, whatever it did between', () => {
    const beside = (...millimetres: (number | null)[]) =>
      watch(millimetres.map((offset) => ({ offset: offset && offset / 1000 })))
    expect(beside(7, 8, 6, 9, 6, 8, 8, 8, 7)).toEqual([...Array<null>(8).fill(null), 'funnel'])
    expect(last(beside(7, 8, 6, 9, 6, 8, 8, 8, 6.9))).toBeNull()
    expect(last(beside(9, 7, 8, 6, 9, 6, 8, 8, 8, 7))).toBe('funnel')
    expect(last(beside(4, 4.1, 4.2, 4.3, 4.4, 4.6, 4.7, 4.8, 4.9))).toBeNull()
    expect(last(beside(7, 8, 4.9, 9, 6, 8, 8, 8, 7))).toBeNull()
    expect(last(beside(7, 8, null, 9, 6, 8, 8, 8, 7))).toBeNull()
  })

  it('says force after two steps above 60 N', () => {
    const pressing = (...forces: number[]) => watch(forces.map((force) => ({ force })))
    expect(pressing(61, 59, 61, 61)).toEqual([null, null, null, 'force'])
  })

  it('waits longer as the weak one: 20 steps for progress, 12 beside a contact', () => {
    const firstReason = (glance: (i: number) => Partial<Glance>) => {
      const gate = new Gate(WEAK_OPERATOR)
      const reasons = Array.from({ length: 30 }, (_, i) => gate.look({ ...calm, ...glance(i) }))
      return reasons.flatMap((reason, i) => (reason ? [[reason, i]] : []))[0]
    }
    expect(firstReason(() => ({}))).toEqual(['stuck', 20])
    expect(firstReason((i) => ({ potential: 30 - i, offset: 0.009 }))).toEqual(['funnel', 12])
  })

  it('looks at the misalignment only around a contact', () => {
    const plan = { phase: 'insert' as const, offset: 0.008, height: 0.011 }
    const at = (changes: object) => contactOffset({ ...expertPlanOf, ...plan, ...changes })
    expect(at({})).toBe(0.008)
    expect(at({ height: 0.013 })).toBeNull()
    expect(at({ height: -0.007 })).toBeNull()
    expect(at({ phase: 'descend', height: 0.03 })).toBe(0.008)
    expect(at({ phase: 'descend', height: 0.045 })).toBeNull()
    expect(at({ phase: 'retreat' })).toBeNull()
  })
})
const expertPlanOf = {
  translation: [0, 0, 0] as [number, number, number],
  rotation: [0, 0, 0] as [number, number, number],
  speed: 1,
  close: true,
  aside: 0,
}

describe('the hand', () => {
  const steady = { ...DEFAULT_OPERATOR, strength: 0.9, sparsity: 0.3, deadZone: 0.1, tremor: 0 }

  it('pushes with 0.9 of the intention, leaves small axes and the dead zone alone, and passes the gripper on', () => {
    const action = new OperatorHand(steady, new RandomStream(0, 'hand')).push(
      Float32Array.of(1, 0.29, -0.31, 0.5, 0.2, 0, -1),
    )
    for (const [axis, wanted] of [0.9, 0, -0.279, 0.45, 0, 0, -1].entries()) expect(action[axis]).toBeCloseTo(wanted, 6)
    const small = new OperatorHand(steady, new RandomStream(0, 'hand')).push(Float32Array.of(0.1, 0.12, 0, 0, 0, 0, 1))
    expect(small[0]).toBe(0) // 0.09 is inside the dead zone of 0.1
    expect(small[1]).toBeCloseTo(0.108, 6)
  })

  it('trembles with spread 0.05 and memory 0.7 on the axes it pushes, on no others', () => {
    const hand = new OperatorHand(DEFAULT_OPERATOR, new RandomStream(1, 'hand'))
    hand.take('open')
    const actions = Array.from({ length: 20_000 }, () => hand.push(Float32Array.of(0.5, 0, 0, 0, 0, 0, 1)))
    expect(actions.every((action) => action[1] === 0)).toBe(true)
    const tremor = actions.map((action) => action[0]! - 0.5)
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length
    const variance = mean(tremor.map((x) => x * x))
    expect(mean(tremor)).toBeCloseTo(0, 2)
    expect(Math.sqrt(variance)).toBeCloseTo(0.05, 2)
    expect(mean(tremor.slice(1).map((x, i) => x * tremor[i]!)) / variance).toBeCloseTo(0.7, 1)
  })
})

describe('the hand of a person at a device', () => {
  const still = { ...PERSON, strength: 0.8, deadZone: 0.1, sparsity: 0.3, tremor: 0, axes: 2, levels: 5, button: 2 }
  const hand = () => {
    const taken = new OperatorHand(still, new RandomStream(0, 'hand'))
    taken.take('open')
    return taken
  }

  it('pushes the two axes that want most, at one of five speeds', () => {
    const action = hand().push(Float32Array.of(1, 0.6, -0.4, 0.9, 0, 0, -1))
    // 0.8 · 1 = 0.8 and 0.8 · 0.9 = 0.72, the nearest fifth of which is 0.8
    for (const [axis, wanted] of [0.8, 0, 0, 0.8, 0, 0, -1].entries()) expect(action[axis]).toBeCloseTo(wanted, 6)
  })

  it('takes two steps to press the button of the gripper, and pushes nothing meanwhile', () => {
    const closing = Float32Array.of(1, 0, 0, 0, 0, 0, 1)
    const pressing = hand()
    const steps = Array.from({ length: 4 }, () => pressing.push(closing))
    expect(steps.map((action) => action[6])).toEqual([-1, -1, 1, 1])
    expect(steps.map((action) => action[0])).toEqual([0, 0, expect.closeTo(0.8, 6), expect.closeTo(0.8, 6)])
  })

  it('lets go of the button where the gripper is no longer to be changed', () => {
    const pressing = hand()
    const wanted = [1, -1, 1, -1, 1, -1]
    const told = wanted.map((grip) => pressing.push(Float32Array.of(0, 0, 0, 0, 0, 0, grip))[6])
    expect(told).toEqual(wanted.map(() => -1))
  })
})

describe('the simulated operator', () => {
  let cell: Workcell
  const truth = () => cell.truth()
  beforeAll(async () => {
    cell = await Workcell.create({ cameras: false })
  })
  afterAll(() => cell.free())

  /** Episodes under a policy, with or without an operator. Counts successes. */
  async function run(policy: (seed: number) => () => Action, episodes: number, operator?: SimulatedOperator) {
    let successes = 0
    for (let i = 0; i < episodes; i++) {
      const task = ['place', 'pick', 'assemble'][i % 3]!
      const seed = 500 + i
      const plan = policy(seed)
      operator?.begin(task)
      const act = () => {
        const planned = plan()
        return operator?.tend(nothing, planned).takeover ?? planned
      }
      if ((await attempt(cell, task, seed, act)).success) successes++
    }
    return successes
  }
  const frozen = () => () => idle
  /** Two episodes of each task in which nobody but the operator moves. */
  async function rescue(options: Partial<typeof DEFAULT_OPERATOR> = {}) {
    const operator = new SimulatedOperator(truth, 0, options)
    return { successes: await run(frozen, 6, operator), report: operator.report() }
  }
  let rescued: ReturnType<typeof rescue> | undefined
  const rescuedByDefault = () => (rescued ??= rescue()) // once for all tests

  it('leaves an expert alone', async () => {
    const operator = new SimulatedOperator(truth, 0)
    expect(await run((seed) => demonstrator(truth, seed), 9, operator)).toBe(9)
    expect(operator.report().operatorSteps).toBe(0)
    expect(operator.report().steps).toBeGreaterThan(9 * 10)
  })

  it('rescues a policy that does not move, which it sees as stuck', async () => {
    expect(await run(frozen, 3)).toBe(0)
    const { successes, report } = await rescuedByDefault()
    expect(successes).toBeGreaterThanOrEqual(3)
    const { takeovers, share, steps, operatorSteps } = report
    expect(takeovers.stuck).toBeGreaterThan(5)
    expect(share).toBe(operatorSteps / steps)
    expect(share).toBeGreaterThan(0.2)
  })

  it('rescues a policy that aims 8 mm beside the bolt and the hole, trembles, and stalls', async () => {
    const astray = (seed: number) => {
      const random = new RandomStream(seed, 'astray')
      const angle = random.uniform(0, 2 * Math.PI)
      let stalled = 0
      return () => {
        const action = expertAction(displaced(cell.truth(), 0.008 * Math.cos(angle), 0.008 * Math.sin(angle)))
        for (let axis = 0; axis < 6; axis++) action[axis]! += 0.15 * random.normal()
        stalled = stalled > 0 ? stalled - 1 : random.uniform() < 0.03 ? 25 : 0
        return stalled > 0 ? idle : action
      }
    }
    const operator = new SimulatedOperator(truth, 0)
    const alone = await run(astray, 18)
    const helped = await run(astray, 18, operator)
    expect(helped).toBeGreaterThanOrEqual(alone + 3)
    expect(helped).toBeGreaterThanOrEqual(12)
  })

  it('a weak one is worth less than the default one', async () => {
    const weak = await rescue(WEAK_OPERATOR)
    const usual = await rescuedByDefault()
    expect(weak.successes).toBeLessThan(usual.successes)
  })

  /** The steps at which a frozen pick is taken over. */
  function takeoverSteps(operator: SimulatedOperator, steps: number, seed = 501): number[] {
    cell.resetSync('pick', seed)
    operator.begin('pick')
    const taken: number[] = []
    for (let step = 0; step < steps; step++) {
      const { takeover } = operator.tend(nothing, idle)
      if (takeover) taken.push(step)
      cell.stepSync(takeover ?? idle)
    }
    return taken
  }

  it('takes over two steps after it sees the reason', () => {
    // stuck needs 16 glances at a scene that does not change: at step 15 the reason is there, at step 17 the hands
    const first = (options: Partial<typeof DEFAULT_OPERATOR>) =>
      takeoverSteps(new SimulatedOperator(truth, 0, options), 25)[0]
    expect(first({})).toBe(17)
    expect(first({ reaction: 5 })).toBe(20)
    expect(first({ reaction: 0 })).toBe(15)
  })

  it.each([0, 1, 3])('with the hands on, follows a change of the scene %d steps late', (handDelay) => {
    cell.resetSync('assemble', 506)
    const onTheRight = cell.truth()
    const onTheLeft = structuredClone(onTheRight)
    onTheLeft.slots[0]!.position[1] *= -1
    const changesAt = 19 // within the first takeover, which begins at step 17
    let step = 0
    const operator = new SimulatedOperator(() => (step < changesAt ? onTheRight : onTheLeft), 0, {
      handDelay,
      relief: 100,
    })
    operator.begin('assemble')
    const pushesLeft = () => (operator.tend(nothing, idle).takeover ?? idle)[1]! > 0
    for (; !pushesLeft(); step++) expect(step).toBeLessThan(30)
    expect(step).toBe(changesAt + handDelay)
  })

  it.each([0, 2, 4])('watching, notices %d steps late that things got worse', (delay) => {
    cell.resetSync('assemble', 506)
    const good = cell.truth()
    const bad = structuredClone(good)
    bad.slots[0]!.position[0] += 0.2
    const changesAt = 6
    let step = 0
    const patient = { steps: 100, fall: 0 }
    const operator = new SimulatedOperator(() => (step < changesAt ? good : bad), 0, {
      delay,
      reaction: 2,
      patience: patient,
    })
    operator.begin('assemble')
    while (!operator.tend(nothing, idle).takeover) expect(++step).toBeLessThan(30)
    expect(step).toBe(changesAt + delay + 2)
  })

  it('hands back when Φ fell by 4, after 3 steps at the least and 15 at the most, then is quiet for 4', () => {
    const lengths = (options: Partial<typeof DEFAULT_OPERATOR>) => {
      const taken = takeoverSteps(new SimulatedOperator(truth, 0, options), 60)
      const first = taken[0]!
      return taken.findIndex((step, i) => step !== first + i)
    }
    const usual = lengths({})
    expect(usual).toBeGreaterThanOrEqual(3)
    expect(usual).toBeLessThan(15)
    expect(lengths({ relief: 0 })).toBe(3)
    expect(lengths({ relief: 100, strength: 0 })).toBe(15)
  })

  it('does not look at what the policy plans, only at the scene', () => {
    const plans: Action[] = [idle, new Float32Array(7).fill(Number.NaN), new Float32Array(7).fill(1)]
    const taken = plans.map((plan) => {
      const operator = new SimulatedOperator(truth, 0)
      cell.resetSync('pick', 502)
      operator.begin('pick')
      return Array.from({ length: 30 }, () => {
        const { takeover } = operator.tend(nothing, plan)
        cell.stepSync(takeover ?? idle)
        return takeover ? [...takeover] : null
      })
    })
    expect(taken[1]).toEqual(taken[0])
    expect(taken[2]).toEqual(taken[0])
  })

  it('mixes up left and right at first when it is confused', () => {
    const firstAction = (confusion: number) => {
      const operator = new SimulatedOperator(truth, 0, { confusion, tremor: 0 })
      cell.resetSync('assemble', 503)
      operator.begin('assemble')
      for (let step = 0; step < 20; step++) {
        const { takeover } = operator.tend(nothing, idle)
        if (takeover) return takeover
        cell.stepSync(idle)
      }
      throw new Error('no takeover')
    }
    // the slots are on the right, at -y
    expect(firstAction(0)[1]).toBeLessThan(-0.5)
    expect(firstAction(1)[1]).toBeCloseTo(-firstAction(0)[1]!, 6)
  })

  it('goes on exactly where it was saved, between two episodes', () => {
    const record = (operator: SimulatedOperator) => {
      cell.resetSync('pick', 504)
      operator.begin('pick')
      return Array.from({ length: 25 }, () => {
        const { takeover } = operator.tend(nothing, idle)
        cell.stepSync(takeover ?? idle)
        return takeover ? [...takeover] : null
      })
    }
    const first = new SimulatedOperator(truth, 7)
    record(first)
    const saved = JSON.parse(JSON.stringify(first.save()))
    const resumed = new SimulatedOperator(truth, 8)
    resumed.restore(saved)
    expect(record(resumed)).toEqual(record(first))
    expect(resumed.report()).toEqual(first.report())
    const other = new SimulatedOperator(truth, 8)
    expect(record(other)).not.toEqual(record(new SimulatedOperator(truth, 7)))
  })

  it('infers the phase anew at each takeover: a bolt lost in between is fetched', () => {
    cell.resetSync('assemble', 505)
    const drop = Float32Array.of(0, 0, 0, 0, 0, 0, -1)
    expect(expertPlan(cell.truth()).phase).toBe('transport')
    cell.stepSync(drop)
    cell.stepSync(drop)
    expect(expertPlan(cell.truth()).phase).not.toBe('transport')
  })

  it('refuses settings that make no sense, by name', () => {
    expect(() => new SimulatedOperator(truth, 0, { reaction: -1 })).toThrow('simulated operator, reaction: is -1')
    expect(() => new SimulatedOperator(truth, 0, { strength: 1.5 })).toThrow('strength')
    expect(() => new SimulatedOperator(truth, 0, { shortest: 9, longest: 5 })).toThrow('longest')
  })
})

/** What a policy sees whose picture of the fixtures and of a loose bolt is off by (x, y) metres. */
function displaced(truth: Truth, x: number, y: number): Truth {
  const move = <P extends { position: [number, number, number] }>(thing: P): P => ({
    ...thing,
    position: [thing.position[0] + x, thing.position[1] + y, thing.position[2]],
  })
  const bolts = truth.bolts.map((bolt) =>
    bolt.held
      ? bolt
      : { ...move(bolt), tip: [bolt.tip[0] + x, bolt.tip[1] + y, bolt.tip[2]] as [number, number, number] },
  )
  return { ...truth, bolts, stand: move(truth.stand), slots: truth.slots.map(move), cradles: truth.cradles.map(move) }
}
