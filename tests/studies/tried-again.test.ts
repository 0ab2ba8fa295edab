/** @file What experiments ask of policies that have been trained: whom, where and beside whom, under which name it is kept, and which row shows it. */
import { mkdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { RunFolder } from '../../src/run/folder.ts'
import { experiment as regimes } from '../../src/studies/across-regimes.ts'
import { experiment as criticCalibration } from '../../src/studies/critic-calibration.ts'
import type { Experiment, FinishedRun, Table, Workbench } from '../../src/studies/experiment.ts'
import { experiment as fourthTask } from '../../src/studies/fourth-task.ts'
import { inRegime } from '../../src/studies/in-regime.ts'
import { experiment as longHorizon } from '../../src/studies/long-horizon.ts'
import { experiment as refinement } from '../../src/studies/refinement.ts'
import { regimeCalled } from '../../src/studies/regimes.ts'
import type { Listener } from '../../src/studies/spoken.ts'
import { experiment as twoRobots } from '../../src/studies/two-robots.ts'
import type { DiskWorkbench, WorkbenchParts } from '../../src/studies/workbench.ts'
import { aWorkbench, measured, scoresOf, temporaryFolder, writeRun } from './fabricated.ts'

const root = temporaryFolder()
const asked = vi.hoisted(() => [] as [run: string, says: string | undefined, cell: string | undefined][])

/** Successes of ten: each way of asking has its own, so that no row can show another's. */
const TENTHS: Record<string, number> = {
  'undefined in A': 1,
  'push in A': 2,
  'actor in A': 3,
  'undefined in B': 4,
  'push in B': 5,
  'actor in B': 6,
  'actor in undefined': 7,
}

vi.mock('../../src/studies/spoken.ts', () => {
  const tryOut = async ({ folder, config }: FinishedRun, says?: Listener, cell?: string) => {
    if (!folder.latestCheckpoint()) throw new Error(`${folder.path} has no policy to try`)
    asked.push([folder.path, says, cell])
    const successes = TENTHS[`${says} in ${cell}`]!
    const trials = 's'.repeat(successes).padEnd(10, 'f')
    const report = { steps: 100, spokenSteps: 5, commands: 2, wordless: 0, reasons: {} }
    return { tasks: scoresOf(Object.fromEntries(config.tasks.map((task) => [task, trials]))), report }
  }
  return { tryOut, evaluateWithCommands: (run: FinishedRun) => tryOut(run, 'actor'), heardBy: () => undefined }
})

/** Runs it on runs that nobody trained: half of their ten trials succeed. */
async function sectionOf(experiment: Experiment, parts: Partial<WorkbenchParts> = {}) {
  asked.length = 0
  const bench = aWorkbench({
    experiment,
    options: { purpose: 'tuning', seeds: [0, 1], trials: 10, robotMinutes: 1, overrides: {} },
    runs: root,
    workers: {
      train: async (folder) => writeRun(folder, RunFolder.open(folder.path).config, true, 'sssssfffff'),
      record: async (path) => void mkdirSync(path, { recursive: true }),
    },
    ...parts,
  })
  const section = await experiment.run(withoutSteering(bench))
  return { section, bench }
}

/** What needs a policy's network is taken as measured. */
function withoutSteering(bench: DiskWorkbench): DiskWorkbench {
  const once = bench.once.bind(bench)
  const result = { commands: {}, directions: 1, pairs: 1, nullChange: 0, states: 1 }
  bench.once = ((name: string, make: () => Promise<unknown>) =>
    name.includes('obeyed') ? Promise.resolve({ result, millimetres: 1 }) : once(name, make)) as typeof bench.once
  return bench
}

/** Means by the first cells of their rows. */
const means = (table: Table, names = 1) =>
  Object.fromEntries(
    table.rows.map((row) => [row.slice(0, names).join(' on '), row[table.header.indexOf('mean')]!.split(' ')[0]]),
  )

it('refinement: each condition in each cell is tried, kept and shown as itself', async () => {
  const { section } = await sectionOf(refinement)
  const [home, away] = section.tables
  const titles = ['nothing is said', 'commands, each a scripted push', 'commands to the refinement actor']
  expect(means(home!)).toEqual({ [titles[0]!]: '10', [titles[1]!]: '20', [titles[2]!]: '30' })
  expect(means(away!)).toEqual({ [titles[0]!]: '40', [titles[1]!]: '50', [titles[2]!]: '60' })
  expect(new Set(asked.map((each) => each.join())).size).toBe(12) // three conditions, two cells, two seeds
  const again = await sectionOf(refinement)
  expect(asked).toEqual([]) // all of it was found again
  expect(again.section.tables).toEqual(section.tables)
})

it('two-robots: a policy is tried on the robot that it was not trained on, its own is what its run measured', async () => {
  const { section, bench } = await sectionOf(twoRobots)
  expect(means(section.tables[0]!, 2)).toEqual({
    'A on A': '50',
    'A on B': '40',
    'B on A': '10',
    'B on B': '50',
    'A+B on A': '50',
    'A+B on B': '50',
  })
  const cells = (run: string) => bench.used.get(run)!.settings['robot.cells']
  expect(['standard-dual', 'standard-dual-b', 'standard-dual-ab'].map(cells)).toEqual([undefined, ['B'], ['A', 'B']])
})

it('regimes: commands are said to the policies of the dual actor, whose row without them stands beside', async () => {
  const { section, bench } = await sectionOf(regimes, { regime: regimeCalled('few') })
  expect(means(section.tables[1]!)).toEqual({
    'no online phase': '50',
    'dual actor': '50',
    'dual actor, with commands': '70',
  })
  expect(asked.map(([run, says]) => [new RunFolder(run).path, says])).toEqual(
    [0, 1].map((seed) => [expect.stringMatching(new RegExp(`few-dual-seed${seed}$`)), 'actor']),
  )
  expect(bench.used.get('few-dual')!.settings['demonstrations.perTask']).toBe(3)
})

it('says of a run which settings its regime gives it, whatever its experiment sets itself', async () => {
  const { bench } = await sectionOf(twoRobots, { regime: regimeCalled('few') })
  for (const [, { settings }] of bench.used) expect(settings['demonstrations.perTask']).toBe(3)
})

it.each([refinement, twoRobots, regimes].map((experiment) => inRegime(experiment, regimeCalled('few'))))(
  '$name: its tables are drawn of what was kept, and no policy is trained for them; what is missing is tried with the policy',
  async (experiment) => {
    const { name } = experiment
    const regime = regimeCalled('few')
    const kept = join(root, `kept-${name}`)
    const made = await sectionOf(experiment, { kept, regime, runs: join(root, `${name}-here`) })
    const mayMake = () => {
      throw new Error('nothing is to be made')
    }
    const drawn = await sectionOf(experiment, { kept, regime, runs: join(root, `${name}-there`), mayMake })
    expect(asked).toEqual([])
    expect(drawn.section.tables).toEqual(made.section.tables)
    rmSync(join(kept, 'tiny', basename(made.bench.path)), { recursive: true })
    const tried = await sectionOf(experiment, { kept, regime, runs: join(root, `${name}-elsewhere`) })
    expect(asked.length).toBeGreaterThan(0)
    expect(tried.section.tables).toEqual(made.section.tables)
  },
)

it.each([
  ['fourth-task', fourthTask, []],
  ['long-horizon', longHorizon, []],
  ['critic-calibration, for its checkpoints', criticCalibration, []],
  ['critic-calibration, for what they say', criticCalibration, ['step-00000000-update-00001000']],
] as const)('%s: asks for the whole run before it looks into it', async (_, experiment, stages) => {
  const options = { purpose: 'tuning' as const, seeds: [0], trials: 1, robotMinutes: 1, overrides: {} }
  const once = async (name: string, make: () => Promise<unknown>) =>
    name.endsWith('-stages') && stages.length > 0 ? stages : make()
  const bench = {
    options,
    path: '',
    train: async () => measured(0, { pick: 's' }, { pick: 's' }),
    whole: async () => Promise.reject(new Error('it is asked for')),
    once: once as Workbench['once'],
    progress: () => {},
  }
  await expect(experiment.run(bench)).rejects.toThrow('it is asked for')
})
