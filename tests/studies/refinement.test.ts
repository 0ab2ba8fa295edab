/** @file What the refinement actor is compared with, and the tables of it, worked out by hand. */
import { describe, expect, it } from 'vitest'
import type { SteerResult } from '../../src/review/steer.ts'
import type { Trained } from '../../src/run/trained.ts'
import { type InCell, type Obeyed, sectionOf } from '../../src/studies/refinement.ts'
import { scriptedPush } from '../../src/studies/scripted-push.ts'
import { heardBy } from '../../src/studies/spoken.ts'
import { LABEL_DEFAULTS } from '../../src/talk/labels.ts'
import { ruleTranslator } from '../../src/talk/translator.ts'
import { measured } from './fabricated.ts'

const seen = { h: new Float32Array(), features: [], proprio: new Float32Array() }
const xi = Float32Array.of(0.5, 0, 0, 0, 0, 0, 0)

describe('a scripted push', () => {
  const primary = async (_: unknown, noise: Float32Array) => Float32Array.of(noise[0]!, -0.9, 0.2, 0.1, 0, 0, 1)
  const push = scriptedPush({ primary }, ruleTranslator({ ...LABEL_DEFAULTS, metresPerUnit: 0.015 }), 0.3)
  const said = async (command: string) => [...(await push.refined(seen, command, xi))].map((x) => Number(x.toFixed(6)))

  it('adds so much along each axis that was said to what the policy does, and no more than the robot can', async () => {
    expect(await said('move right and forward')).toEqual([0.8, -1, 0.2, 0.1, 0, 0, 1]) // x forward, y left
    expect(await said('move up')).toEqual([0.5, -0.9, 0.5, 0.1, 0, 0, 1])
  })

  it('is the policy itself where nothing is said', async () => {
    expect(await said('[null]')).toEqual([0.5, -0.9, 0.2, 0.1, 0, 0, 1])
    expect([...(await push.primary(seen, xi))]).toEqual([...(await primary(0, xi))])
  })
})

it('who is heard is the policy itself, but for a push, which is as far as the run asked for in training', async () => {
  const policy = { primary: async () => new Float32Array(7) }
  const translator = ruleTranslator({ ...LABEL_DEFAULTS, metresPerUnit: 0.015 })
  const trained = {
    policy,
    session: { translator },
    config: { learner: { refinement: { shift: 0.25 } } },
  } as unknown as Trained
  expect([heardBy(trained), heardBy(trained, 'actor')]).toEqual([policy, policy])
  expect((await heardBy(trained, 'push').refined(seen, 'move up', xi))[2]).toBe(0.25)
})

describe('the section', () => {
  const runs = (pick: string) => [measured(0, { pick: 'ffff' }, { pick })]
  const cells: InCell[] = [
    { cell: 'A', runs: { silence: runs('sfff'), push: runs('ssff'), commands: runs('sssf') } },
    { cell: 'B', runs: { silence: runs('ffff'), push: runs('sfff'), commands: runs('ffff') } },
  ]
  const score = (further: number, millimetres: number, asAsked: number) => ({
    trials: 4,
    further,
    everyAxis: 1,
    millimetres,
    asAsked,
  })
  const result = (millimetres: number): SteerResult => ({
    commands: { 'move up': score(1, millimetres, 0.5), 'move left and up': score(0.5, 2 * millimetres, 1) },
    directions: 1,
    pairs: 0.5,
    nullChange: 0.01,
    states: 4,
  })
  const obeyed: Obeyed = {
    push: [{ result: result(20), millimetres: 22.5 }],
    actor: [{ result: result(11), millimetres: 22.5 }],
  }
  const [home, away, told] = sectionOf(cells, obeyed).tables

  it('sets the actor against silence and against the push, where it was trained and elsewhere', () => {
    expect(home!.rows.map((row) => row[2]!.split(' ')[0])).toEqual(['25', '50', '75'])
    expect(home!.rows[2]!.slice(3, 5).map((cell) => cell.split(' ')[0])).toEqual(['+50.0', '+25.0'])
    expect(away!.title).toBe('In cell B')
    expect(away!.rows[2]!.slice(3, 5).map((cell) => cell.split(' ')[0])).toEqual(['0.0', '−25.0'])
  })

  it('says how far the tool went along single axes, and how often as far as asked', () => {
    expect(told!.rows).toEqual([
      ['scripted push', '100.0 %', '50.0 %', '20.0', '22.5', '75.0 %', '1.0 %'],
      ['refinement actor', '100.0 %', '50.0 %', '11.0', '22.5', '75.0 %', '1.0 %'],
    ])
  })
})
