/** @file Runs that nobody trained, with outcomes as a test wants them, written like real ones. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { score } from '../../src/loop/evaluate.ts'
import type { Metric, TaskScore } from '../../src/metrics/metrics.ts'
import { summarise } from '../../src/metrics/summary.ts'
import type { RunConfig } from '../../src/run/config.ts'
import { RunFolder } from '../../src/run/folder.ts'
import { resolveConfig } from '../../src/run/resolve.ts'
import type { Measured } from '../../src/studies/outcomes.ts'
import { DiskWorkbench, type WorkbenchParts } from '../../src/studies/workbench.ts'
import { anEpisode, anEvaluation } from '../run/builders.ts'

/** A folder for the tests of one file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'duet-experiments-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** One letter a trial: `s` is a success of 10 steps, plus its number; `f` a failure of 80. Trial k has seed 1000 + k. */
export const scoreOf = (task: string, trials: string): TaskScore =>
  score(
    [...trials].map((letter, k) => ({
      task,
      seed: 1000 + k,
      ending: letter === 's' ? 'success' : 'failure',
      length: letter === 's' ? 10 + k : 80,
      operatorSteps: 0,
      spokenSteps: 0,
      commands: 0,
      segments: [],
    })),
  )

export const scoresOf = (tasks: Record<string, string>) =>
  Object.fromEntries(Object.entries(tasks).map(([task, trials]) => [task, scoreOf(task, trials)]))

export const anEvaluationOf = (
  stage: 'step 0' | 'on the way' | 'final',
  tasks: Record<string, string>,
  fields: { time?: number; seconds?: number; robotSteps?: number } = {},
) => anEvaluation({ stage, tasks: scoresOf(tasks), ...fields })

/** A finished run of one robot minute a task; its operator took a tenth of 600 steps. */
export function measured(
  seed: number,
  step0: Record<string, string>,
  final: Record<string, string>,
  { metrics = [], set = {} }: { metrics?: Metric[]; set?: Record<string, unknown> } = {},
): Measured {
  const tasks = Object.keys(final)
  const config = resolveConfig('quick', undefined, [{ seed, tasks, online: { robotMinutes: 1 } }, set])
  const all: Metric[] = [
    anEvaluationOf('step 0', step0, { time: 60, seconds: 30 }),
    anEpisode({ time: 90, robotSteps: 300, length: 300, operatorSteps: 60, success: true }),
    ...metrics,
    anEpisode({ time: 120, robotSteps: 600, length: 300, operatorSteps: 0, success: true }),
    anEvaluationOf('final', final, { time: 150, seconds: 20, robotSteps: 600 }),
  ]
  return { folder: new RunFolder('fabricated'), config, summary: summarise(all, config), metrics: all }
}

/** Writes what a run leaves behind; without a final evaluation it is one that was stopped. `trials`: as in `scoreOf`. */
export function writeRun(folder: RunFolder, config: RunConfig, finished: boolean, trials = 'sf'): void {
  const tasks = Object.fromEntries(config.tasks.map((task) => [task, trials]))
  const metrics: Metric[] = [
    anEvaluationOf('step 0', tasks, { time: 60 }),
    ...(finished ? [anEvaluationOf('final', tasks, { time: 600, robotSteps: 600 })] : []),
  ]
  writeFileSync(folder.metrics, metrics.map((metric) => `${JSON.stringify(metric)}\n`).join(''))
  writeFileSync(folder.summary, JSON.stringify(summarise(metrics, config)))
  if (finished) mkdirSync(join(folder.checkpoints, 'step-600-update-9'), { recursive: true })
}

/** On preset tiny, one run at a time, by workers who fabricate. */
export const aWorkbench = (
  parts: Pick<WorkbenchParts, 'options' | 'runs' | 'workers'> & Partial<WorkbenchParts>,
): DiskWorkbench =>
  new DiskWorkbench({
    experiment: { name: 'fake' },
    preset: 'tiny',
    jobs: 1,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...parts,
  })
