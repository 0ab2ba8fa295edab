/** @file The experiment `distances`: whom it asks, in which cell, under which name that is kept, and which row shows it. */
import { mkdirSync } from 'node:fs'
import { basename } from 'node:path'
import { expect, it, vi } from 'vitest'
import type { SteerRollout } from '../../src/review/steer.ts'
import { RunFolder } from '../../src/run/folder.ts'
import { experiment, sectionOf } from '../../src/studies/distances.ts'
import { LABEL_DEFAULTS } from '../../src/talk/labels.ts'
import { ruleTranslator } from '../../src/talk/translator.ts'
import { aWorkbench, temporaryFolder, writeRun } from './fabricated.ts'

const asked = vi.hoisted(
  () => [] as { cell: string; run: string; up: number; as: string; firstSeed: number; closed: boolean }[],
)

vi.mock('../../src/run/trained.ts', () => ({
  openTrained: async (path: string, { cells: [cell] }: { cells: string[] }) => {
    const trial = { cell: cell!, run: basename(path), up: Number.NaN, as: '', firstSeed: 0, closed: false }
    asked.push(trial)
    const refined = async () => Float32Array.of(0, 0, 0.7, 0, 0, 0, 0)
    return {
      config: RunFolder.open(path).config,
      session: {
        rigs: [{ robot: {}, simulation: {} }],
        translator: ruleTranslator({ ...LABEL_DEFAULTS, metresPerUnit: 0.015 }),
      },
      policy: { primary: async () => new Float32Array(7), refined },
      close: async () => {
        trial.closed = true
      },
    }
  },
}))

vi.mock('../../src/review/distances.ts', () => ({
  distances: async (
    { policy }: SteerRollout,
    { as, seed, millimetres }: { as: string; seed: number; millimetres: number[] },
  ) => {
    const trial = asked.at(-1)!
    const [, , up] = await policy.refined({} as never, 'move up', new Float32Array(7))
    Object.assign(trial, { up: Number(up!.toFixed(3)), as, firstSeed: seed })
    return millimetres.map((mm) => ({ asked: mm, came: mm / 2, asAsked: up, inTime: 1, seconds: 2 }))
  },
}))

it('sends the tool of every run in both cells: in silence, told a direction by a push and by the refinement actor, and a distance', async () => {
  const bench = aWorkbench({
    experiment,
    options: { purpose: 'tuning', seeds: [0, 1], trials: 10, robotMinutes: 1, overrides: {} },
    runs: temporaryFolder(),
    workers: {
      train: async (folder) => writeRun(folder, RunFolder.open(folder.path).config, true, 'sssssfffff'),
      record: async (path) => void mkdirSync(path, { recursive: true }),
    },
  })
  const { tables } = await experiment.run(bench)
  const each = ['standard-dual-seed0', 'standard-dual-seed1'].flatMap((run) => [
    { run, up: 0.7, as: 'silent' }, // the policy itself
    { run, up: 0.3, as: 'asks' }, // as far as commands ask for in training
    { run, up: 0.7, as: 'asks' },
    { run, up: 0.7, as: 'carries' },
  ])
  const wanted = ['A', 'B'].flatMap((cell) => each.map((one) => ({ ...one, cell, firstSeed: 1_000_000, closed: true })))
  expect(asked).toEqual(wanted)
  expect(tables.map(({ title }) => title)).toEqual(['Where it was trained', 'In cell B'])
  expect(tables[1]!.rows.map((row) => [row[0], row[1], row[3]])).toEqual(
    ['10', '20', '40'].flatMap((mm) => [
      [mm, 'nothing is said', '70 %'],
      [mm, 'a direction, to a scripted push', '30 %'],
      [mm, 'a direction, to the refinement actor', '70 %'],
      [mm, 'a distance', '70 %'],
    ]),
  )
  const { length } = asked
  await experiment.run(bench)
  expect(asked).toHaveLength(length) // kept
})

it('means over the seeds, which stand beside', () => {
  const score = (asked: number, asAsked: number) => ({
    asked,
    came: asked * asAsked,
    asAsked,
    inTime: asAsked,
    seconds: asAsked,
  })
  const came = (...shares: number[]) => shares.map((share) => [10, 20, 40].map((asked) => score(asked, share)))
  const cell = {
    cell: 'A',
    came: { silence: came(0, 0.2), push: came(0.5, 0.7), actor: came(0.1, 0.3), distance: came(0.8, 1) },
  }
  const [table] = sectionOf([cell], [15, 16]).tables
  expect(table!.header.slice(4, 6)).toEqual(['seed 15', 'seed 16'])
  expect(table!.rows[7]).toEqual(['20', 'a distance', '18.0', '90 %', '80 %', '100 %', '90 %', '0.9'])
})
