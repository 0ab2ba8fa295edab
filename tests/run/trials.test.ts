/** @file An evaluation of a real robot that a kill cut short goes on after its last whole trial, with the policy that made it. */
import { appendFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { EpisodeSummary } from '../../src/loop/happening.ts'
import { EvaluationPlan } from '../../src/run/evaluation-plan.ts'
import { Trials } from '../../src/run/trials.ts'

let folder: string
const file = () => join(folder, 'trials.jsonl')
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'duet-trials-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const trial = (seed: number, ending: 'success' | 'failure' = 'success'): EpisodeSummary => ({
  ...{
    task: 'pick',
    seed,
    ending,
    length: 12,
    by: 'person',
    operatorSteps: 0,
    spokenSteps: 0,
    commands: 0,
    segments: [],
  },
})

it('knows the trials of its stage, policy, cell and task, and no others', () => {
  const before = new Trials(file(), { stage: 'final', version: 40 })
  before.keep('A', trial(7, 'failure'))
  const now = new Trials(file(), { stage: 'final', version: 40 })
  expect(now.made('A', 'pick', 7)).toEqual(trial(7, 'failure'))
  for (const [cell, task, seed] of [
    ['B', 'pick', 7],
    ['A', 'place', 7],
    ['A', 'pick', 8],
  ] as const)
    expect(now.made(cell, task, seed)).toBeUndefined()
  expect(new Trials(file(), { stage: 'final', version: 41 }).made('A', 'pick', 7)).toBeUndefined()
  expect(new Trials(file(), { stage: 'step 0', version: 40 }).made('A', 'pick', 7)).toBeUndefined()
})

it('makes a trial again whose line is torn or damaged', () => {
  const before = new Trials(file(), { stage: 'final', version: 40 })
  before.keep('A', trial(7))
  appendFileSync(file(), '{"stage":"final","version":40,"cell":"A","task":"pick","seed":8,"ending":"won","length":3}\n')
  appendFileSync(file(), '{"stage":"final","version":40,"cell":"A","task":"pick","seed":9,"end')
  const now = new Trials(file(), { stage: 'final', version: 40 })
  expect([7, 8, 9].map((seed) => now.made('A', 'pick', seed)?.length)).toEqual([12, undefined, undefined])
  for (const seed of [9, 10]) now.keep('A', trial(seed)) // the first one on a line of its own, too
  const later = new Trials(file(), { stage: 'final', version: 40 })
  expect([7, 9, 10].map((seed) => later.made('A', 'pick', seed)?.length)).toEqual([12, 12, 12])
})

it('is gone when the evaluation is over', () => {
  const trials = new Trials(file(), { stage: 'final', version: 40 })
  trials.keep('A', trial(7))
  trials.remove()
  expect(existsSync(file())).toBe(false)
})

it('a plan says each start in the same words in every evaluation, and what came of it', () => {
  const tasks = {
    pick: { instruction: 'pick', maxSteps: 5, starts: ['left', 'middle', 'right'] },
    turn: { instruction: 'turn', maxSteps: 5 },
  }
  const rig = { cell: 'A', robot: { spec: { tasks } } } as never
  const plan = new EvaluationPlan(rig, ['pick', 'turn'], { stage: 'final', trials: 2, firstSeed: 1_000_001 })
  // 1,000,001 = 3 · 333,333 + 2
  expect(plan.progress.trials.map(({ task, start }) => [task, start])).toEqual([
    ['pick', 'right'],
    ['pick', 'left'],
    ['turn', null],
    ['turn', null],
  ])
  plan.note(trial(1_000_001))
  expect(plan.progress).toMatchObject({ over: false, robot: 'A' })
  expect(plan.progress.trials.map(({ outcome }) => outcome)).toEqual([
    { success: true, length: 12, by: 'person' },
    null,
    null,
    null,
  ])
})
