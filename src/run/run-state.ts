/** @file Where a run stands: its own part of a checkpoint, and its clock. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../errors.ts'
import { metricsSoFar } from '../metrics/metrics.ts'
import { ofKind } from '../metrics/of-kind.ts'
import type { RunFolder } from './folder.ts'

export const STATE_FILE = 'run.json'

/** The run's own part of a checkpoint; the learner's lies beside it. */
export type RunState = {
  warmUpUpdates: number
  onlineUpdatesAsked: number
  wallSeconds: number
  robotSteps?: Record<string, number> // by the robot's cell; its log may hold fewer, where a repair dropped episodes
  operators?: Record<string, unknown> // what simulated operators keep, by the robot's cell
}

/** Wall time over all parts of a run, and the last update heard of. */
export class RunClock {
  private readonly startedAt = performance.now()
  private before = 0
  update = 0

  /** Time goes on from where an earlier part of the run stopped. */
  goOnFrom(seconds: number): void {
    this.before = seconds
  }

  get seconds(): number {
    return this.before + (performance.now() - this.startedAt) / 1000
  }
}

const FRESH: RunState = { warmUpUpdates: 0, onlineUpdatesAsked: 0, wallSeconds: 0 }

function parseState(path: string): RunState {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as RunState
  } catch (cause) {
    throw new InputError(
      path,
      'cannot be read as the state of a run',
      'Remove this checkpoint to resume from the one before',
      { cause },
    )
  }
}

/** The newest checkpoint, and the state in it. The metrics may be ahead of it; their clock counts. */
export function readRunState(folder: RunFolder): {
  checkpoint: string | undefined
  state: RunState
  evaluatedAt: number | undefined
} {
  const checkpoint = folder.latestCheckpoint()
  const state = checkpoint ? parseState(join(checkpoint, STATE_FILE)) : { ...FRESH }
  const past = metricsSoFar(folder.metrics)
  for (const { time } of past) state.wallSeconds = Math.max(state.wallSeconds, time)
  return { checkpoint, state, evaluatedAt: ofKind(past, 'evaluation').at(-1)?.robotSteps }
}
