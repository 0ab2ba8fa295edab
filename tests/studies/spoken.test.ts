/** @file A finished run's policy tried once more: who acts where something is said, in which cell, and on which starts. */
import { beforeEach, expect, it, vi } from 'vitest'
import type { Action } from '../../src/robot/robot.ts'
import { SafeRobot } from '../../src/robot/safety.ts'
import { RunFolder } from '../../src/run/folder.ts'
import { resolveConfig } from '../../src/run/resolve.ts'
import type { FinishedRun } from '../../src/studies/experiment.ts'
import { evaluateWithCommands, tryOut } from '../../src/studies/spoken.ts'
import { LABEL_DEFAULTS } from '../../src/talk/labels.ts'
import { ruleTranslator } from '../../src/talk/translator.ts'
import { filled, perceptionOf, planning, ScriptedRobot } from '../loop/scripted.ts'

const opened = vi.hoisted(() => ({ asked: [] as unknown[], trained: {} as unknown, closed: 0 }))
vi.mock('../../src/run/trained.ts', () => ({
  openTrained: async (...asked: unknown[]) => {
    opened.asked.push(asked)
    return opened.trained
  },
}))

/** Keeps how each of its trials began. */
class Begun extends ScriptedRobot {
  readonly first: number[] = []

  override async step(action: Action) {
    if (this.executed.length === 0) this.first.push(Number(action[1]!.toFixed(4)))
    return super.step(action)
  }
}

const config = resolveConfig('quick', undefined, [
  { evaluation: { trials: 2, firstSeed: 60 }, learner: { refinement: { shift: 0.25 } } },
])
const run: FinishedRun = { folder: new RunFolder('a run'), config, summary: {} as FinishedRun['summary'] }
let robot: Begun
beforeEach(() => {
  robot = new Begun()
  const report = { steps: 10, spokenSteps: 10, commands: 1, wordless: 0, reasons: {} }
  const speaker = () => ({ begin: () => {}, tend: () => ({ command: 'move left' }), report: () => report })
  Object.assign(opened, {
    asked: [],
    closed: 0,
    trained: {
      config: { ...config, tasks: ['push'] },
      session: {
        rigs: [{ robot: new SafeRobot(robot), simulation: { speaker } }],
        translator: ruleTranslator({ ...LABEL_DEFAULTS, metresPerUnit: 0.015 }),
      },
      perception: perceptionOf(),
      policy: planning(filled(0.1)), // told to move left, it answers with 0.7
      close: async () => opened.closed++,
    },
  })
})

it.each([
  [undefined, 0.1],
  ['push' as const, 0.1 + 0.25], // y points to the left
  ['actor' as const, 0.7],
])('%s hears what is said, on the starts of the run', async (says, begins) => {
  const { tasks, report } = await tryOut(run, says)
  expect(robot.first).toEqual([begins, begins])
  expect(tasks.push!.outcomes!.map(({ seed }) => seed)).toEqual([60, 61])
  expect(report?.commands).toBe(says && 1)
  expect(opened.asked).toEqual([[run.folder.path, {}]])
  expect(opened.closed).toBe(1)
})

it('another cell is asked for by its name', async () => {
  await tryOut(run, undefined, 'B')
  expect(opened.asked).toEqual([[run.folder.path, { cells: ['B'] }]])
})

it('an evaluation with commands is heard by the policy itself', async () => {
  const { report } = await evaluateWithCommands(run)
  expect(robot.first).toEqual([0.7, 0.7])
  expect(report.spokenSteps).toBe(10)
})
