/** @file Chains: what starts the next operation, where a chain ends, and the arithmetic of attrition. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Normaliser } from '../../src/learn/normaliser.ts'
import type { Policy } from '../../src/learn/policy.ts'
import { attrition, attritionTable, type Chain, type ChainRollout, runChain, runChains } from '../../src/loop/chain.ts'
import type { Recorder } from '../../src/loop/episode.ts'
import { evaluate, scores } from '../../src/loop/evaluate.ts'
import type { EpisodeSummary } from '../../src/loop/happening.ts'
import { NO_COPIES, Perception } from '../../src/loop/perception.ts'
import type { Action } from '../../src/robot/robot.ts'
import { ChainStarts } from '../../src/robots/workcell/chain-starts.ts'
import { expertAction } from '../../src/robots/workcell/expert.ts'
import { type GuardedWorkcell, guardedWorkcell } from '../../src/robots/workcell/guarded.ts'
import { operationAfter, operationsOf } from '../../src/robots/workcell/operations.ts'
import { Speaker } from '../../src/robots/workcell/operator/speaker.ts'
import { simulationOf } from '../../src/robots/workcell/rig.ts'
import { LABEL_DEFAULTS } from '../../src/talk/labels.ts'
import { ruleTranslator } from '../../src/talk/translator.ts'
import type { VlaEncoder } from '../../src/vla/encoder.ts'

const identity = new Normaliser({ mean: [0], deviation: [1] })
const encoder = {
  encode: async () => [{ h: Float32Array.of(0), features: Float32Array.of(0) }],
} as unknown as VlaEncoder

let one: GuardedWorkcell
let four: GuardedWorkcell
beforeAll(async () => {
  one = await guardedWorkcell({ arm: 'gantry', cameras: false })
  four = await guardedWorkcell({ arm: 'gantry', cameras: false, bolts: 4 })
})
afterAll(() => {
  one.workcell.free()
  four.workcell.free()
})

const crewOf = (cell: GuardedWorkcell, act: () => Action): ChainRollout => ({
  robot: cell.robot,
  simulation: simulationOf(cell),
  perception: new Perception(encoder, {}, { h: identity, proprio: new Normaliser(wide(cell)) }),
  policy: { primary: async () => act() } as unknown as Policy,
  noise: () => new Float32Array(7),
})
const wide = ({ robot }: GuardedWorkcell) => ({
  mean: robot.spec.channels.map(() => 0),
  deviation: robot.spec.channels.map(() => 1),
})
const expert = (cell: GuardedWorkcell) => () => expertAction(cell.workcell.truth())

describe('operationsOf', () => {
  it('finishes one bolt before the next', () => {
    expect(operationsOf(5, 4).map(({ task, bolt }) => `${task} ${bolt}`)).toEqual([
      'place 0',
      'pick 0',
      'assemble 0',
      'place 1',
      'pick 1',
    ])
  })

  it('asks for no more than the bolts allow', () => {
    expect(() => operationsOf(6, 1)).toThrow('6 operations cannot be done with 1 bolt. Ask for 1 to 3 operations')
    expect(() => operationsOf(0, 4)).toThrow('Ask for 1 to 12 operations')
  })
})

describe('chain starts', () => {
  const starts = (share: number) => new ChainStarts(one, share, 0)
  const leftBy = async (task: string, seed: number) => {
    const chain = await runChain(crewOf(one, expert(one)), [{ task, bolt: 0 }], seed)
    return chain.episodes[0]!
  }

  it('know what follows on what', () => {
    expect(operationAfter({ task: 'place', bolt: 2 }, 4)).toEqual({ task: 'pick', bolt: 2 })
    expect(operationAfter({ task: 'assemble', bolt: 2 }, 4)).toEqual({ task: 'place', bolt: 3 })
    expect(operationAfter({ task: 'assemble', bolt: 3 }, 4)).toBeUndefined()
    expect(operationAfter({ task: 'slide', bolt: 0 }, 4)).toBeUndefined()
  })

  it('go on in the scene that a success left behind, whatever was evaluated in between', async () => {
    const chained = starts(1)
    chained.ended(await leftBy('place', 5))
    const { tcp, bolts } = one.workcell.truth()
    const begin = chained.begin(1, 'pick')!
    one.workcell.resetSync('assemble', 77)
    await begin()
    const now = one.workcell.truth()
    expect(now).toMatchObject({ task: 'pick', tcp, bolts })
  })

  it('reset after a failure, before a task that does not follow, and always at a share of 0', async () => {
    const summary = await leftBy('place', 5)
    const [chained, never] = [starts(1), starts(0)]
    for (const each of [chained, never]) each.ended(summary)
    expect(never.begin(1, 'pick')).toBeUndefined()
    expect(chained.begin(1, 'assemble')).toBeUndefined()
    expect(chained.begin(1, 'pick')).toBeDefined()
    chained.ended({ ...summary, ending: 'timeout' })
    expect(chained.begin(1, 'pick')).toBeUndefined()
  })

  it('are as frequent as asked, and the same for the same episode', async () => {
    const half = starts(0.5)
    half.ended(await leftBy('place', 5))
    const draws = () => Array.from({ length: 400 }, (_, episode) => half.begin(episode, 'pick') !== undefined)
    const chosen = draws().filter(Boolean).length
    expect(Math.abs(chosen - 200)).toBeLessThan(40) // four standard deviations of 400 coin throws
    expect(draws()).toEqual(draws())
  })
})

describe('a chain', () => {
  it('of three operations is completed by the expert, the bolt at its end in the slot', async () => {
    const chain = await runChain(crewOf(one, expert(one)), operationsOf(3, 1), 11)
    expect(chain.episodes.map(({ task, ending }) => [task, ending])).toEqual([
      ['place', 'success'],
      ['pick', 'success'],
      ['assemble', 'success'],
    ])
    expect(chain.completed).toBe(3)
    const { bolts, slots } = one.workcell.truth()
    const below = slots[0]!.position[2] - bolts[0]!.tip[2]
    expect(below).toBeGreaterThan(0.025)
  })

  it('goes on to the second bolt while the first one stays assembled', async () => {
    const chain = await runChain(crewOf(four, expert(four)), operationsOf(6, 4), 2)
    expect(chain.completed).toBe(6)
    const { bolts, slots, cradles } = four.workcell.truth()
    const near = (k: number, holes: typeof slots) =>
      Math.hypot(bolts[k]!.tip[0] - holes[k]!.position[0], bolts[k]!.tip[1] - holes[k]!.position[1]) < 0.01
    expect([0, 1].map((k) => near(k, slots))).toEqual([true, true])
    expect([2, 3].map((k) => Math.hypot(bolts[k]!.tip[0] - cradles[k]!.position[0]) < 0.01)).toEqual([true, true])
  })

  it('never resets between operations: each begins where the tool and the bolt were', async () => {
    const first: Float32Array[] = []
    const last: Float32Array[] = []
    const recorder: Recorder = {
      copies: NO_COPIES,
      observationId: () => 0,
      begin: (_task, _seed, { proprio }) => void first.push(proprio),
      step: (_happening, { proprio }) => void (last[first.length - 1] = proprio),
      end: () => {},
    }
    await runChain(crewOf(one, expert(one)), operationsOf(3, 1), 11, () => recorder)
    expect(first.length).toBe(3)
    for (const i of [1, 2]) expect([...first[i]!]).toEqual([...last[i - 1]!])
  })

  it('ends with its first failed operation: who does nothing completes none', async () => {
    const chain = await runChain(
      crewOf(four, () => new Float32Array(7)),
      operationsOf(12, 4),
      1,
    )
    expect(chain).toMatchObject({ completed: 0, asked: 12, seed: 1 })
    expect(chain.episodes.map(({ ending, length }) => [ending, length])).toEqual([['timeout', 80]])
  })

  it('starts from the same scene for the same seed, whatever was before', async () => {
    const lengths = async () =>
      (await runChain(crewOf(one, expert(one)), operationsOf(3, 1), 7)).episodes.map((e) => e.length)
    const fresh = await lengths()
    await runChain(
      crewOf(one, () => new Float32Array(7).fill(0.5)),
      operationsOf(3, 1),
      8,
    )
    expect(await lengths()).toEqual(fresh)
  })

  it('gives chain k the seed firstSeed + k', async () => {
    const chains = await runChains(crewOf(one, expert(one)), { operations: 1, chains: 3, firstSeed: 40 })
    expect(chains.map(({ seed }) => seed)).toEqual([40, 41, 42])
  })
})

describe('an operator who speaks', () => {
  const translator = ruleTranslator({ ...LABEL_DEFAULTS, metresPerUnit: 0.015 })
  /** Says something at every second look, and thinks ahead for it. */
  const talkative = { delay: 0, speaking: 0, hold: 1, quiet: 0, patience: { steps: 1, fall: 100 } }

  it('changes nothing in an evaluation of a policy that hears no commands, however much it says', async () => {
    const crew = crewOf(one, expert(one))
    const options = { trials: 2, firstSeed: 30, draws: () => crew }
    const alone = scores(await evaluate(crew, ['place', 'pick'], options))
    const operator = new Speaker(one.workcell, translator, talkative)
    expect(scores(await evaluate({ ...crew, operator }, ['place', 'pick'], options))).toEqual(alone)
    expect(operator.report().commands).toBeGreaterThan(20)
  })

  it('is heard by one that does: its steps are those of the refinement actor', async () => {
    const crew = crewOf(one, () => new Float32Array(7))
    const heard: string[] = []
    const refined = async (_seen: unknown, command: string) => {
      heard.push(command)
      return new Float32Array(7)
    }
    const policy = { ...crew.policy, followsCommands: true, refined } as unknown as Policy
    const operator = new Speaker(one.workcell, translator, { hold: 15 })
    await runChain({ ...crew, policy, operator }, operationsOf(1, 1), 3)
    const { commands, spokenSteps } = operator.report()
    // nothing moves: stuck after 15 steps, 5 to speak, 15 of command; the second time the same; a third would come at step 90 of 80
    expect([commands, spokenSteps]).toEqual([2, 15 + 15])
    expect(heard.length).toBe(spokenSteps)
    expect(new Set(heard).size).toBe(1)
  })
})

describe('attrition', () => {
  const chainOf = (...lengths: number[]): Chain => ({
    seed: 0,
    asked: 3,
    completed: lengths.filter((length) => length < 80).length,
    episodes: lengths.map(
      (length): EpisodeSummary => ({
        task: '',
        seed: 0,
        ending: length < 80 ? 'success' : 'timeout',
        length,
        operatorSteps: 0,
        spokenSteps: 0,
        commands: 0,
        segments: [],
      }),
    ),
  })

  it('counts who came so far and who came further', () => {
    const chains = [chainOf(30, 10, 20), chainOf(40, 80), chainOf(80), chainOf(50, 20, 80)]
    const rows = attrition(chains, operationsOf(3, 1))
    expect(rows.map(({ tried, succeeded }) => [tried, succeeded])).toEqual([
      [4, 3],
      [3, 2],
      [2, 1],
    ])
    expect(rows.map(({ reached }) => reached)).toEqual([3 / 4, 2 / 4, 1 / 4])
    expect(rows.map(({ rate }) => rate)).toEqual([3 / 4, 2 / 3, 1 / 2])
    expect(rows.map(({ meanSteps }) => meanSteps)).toEqual([40, 15, 20])
    // Wilson by hand: n = 4, k = 2, z = 1.96: centre 0.5, half 1.96 / (1 + 3.8416 / 4) * sqrt(1 / 16 + 3.8416 / 64)
    const half = (1.96 / (1 + 3.8416 / 4)) * Math.sqrt(1 / 16 + 3.8416 / 64)
    expect(rows[1]!.interval[0]).toBeCloseTo(0.5 - half, 4)
    expect(rows[1]!.interval[1]).toBeCloseTo(0.5 + half, 4)
  })

  it('has no rate where no chain came', () => {
    const rows = attrition([chainOf(80)], operationsOf(2, 1))
    expect(rows[1]).toMatchObject({ tried: 0, rate: Number.NaN, reached: 0 })
  })
  it('is a table with a dash where nothing was measured', () => {
    const { header, rows } = attritionTable(attrition([chainOf(30, 80), chainOf(80)], operationsOf(3, 1)))
    expect(header.length).toBe(rows[0]!.length)
    expect(rows[0]!.slice(0, 6)).toEqual(['1 place', '1', '2', '1', '50 %', '50 %'])
    expect(rows[2]!.slice(2, 6)).toEqual(['0', '0', '-', '0 %'])
    expect(rows[2]!.at(-1)).toBe('-')
  })
})
