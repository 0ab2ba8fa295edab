/**
 * @file (g) A robot whose 10 Hz pass by themselves, for a minute with a learner that learns without pause, and one with a
 * learner that has nothing to do: how evenly it is commanded, and how old the picture is that a command rests on. Measured
 * by the robot.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readMetrics } from '../src/metrics/metrics.ts'
import { ofKind } from '../src/metrics/of-kind.ts'
import { quantile } from '../src/metrics/statistics.ts'
import { demonstrator } from '../src/robots/workcell/demonstrator.ts'
import { recordDemonstrations } from '../src/run/demonstrations.ts'
import { RunFolder } from '../src/run/folder.ts'
import { presets } from '../src/run/presets.ts'
import { mergeSettings, parseConfig } from '../src/run/resolve.ts'
import { train } from '../src/run/train.ts'
import { openReal, openRealSession } from '../tests/real-rig.ts'
import { rounded } from './measure.ts'

const MINUTES = 1

export async function benchRealtime(): Promise<Record<string, number>> {
  const directory = mkdtempSync(join(tmpdir(), 'duet-bench-realtime-'))
  const demonstrations = join(directory, 'demonstrations')
  await demonstrate(demonstrations)
  const idle = await measure(directory, 'idle', demonstrations, Number.MAX_SAFE_INTEGER)
  const busy = await measure(directory, 'busy', demonstrations, 100)
  rmSync(directory, { recursive: true })
  const named = (name: string, figures: Record<string, number>) =>
    Object.entries(figures).map(([key, value]) => [`${name}${key}`, rounded(value)] as const)
  return Object.fromEntries([...named('idle', idle), ...named('busy', busy)])
}

async function demonstrate(folder: string): Promise<void> {
  const { robot, cellOf, close } = await openReal({ thinking: 100 })
  const { workcell } = cellOf
  robot.supervisedBy([]) // there is no learner yet
  await recordDemonstrations(folder, {
    ...{ robot, tasks: ['pick'], perTask: 5, noise: 0.05, seed: 0 },
    demonstrator: (seed, hand) => demonstrator(() => workcell.truth(), seed, hand),
  })
  await close()
}

async function measure(
  directory: string,
  name: string,
  path: string,
  startAfter: number,
): Promise<Record<string, number>> {
  const config = parseConfig(
    'bench',
    mergeSettings(presets.quick, {
      tasks: ['pick'],
      operator: { kind: 'none' },
      demonstrations: { path, perTask: 5 },
      replay: { shiftedCopies: 1 },
      warmUp: { updates: 20, heads: 1, cloningSteps: 0 },
      online: { robotMinutes: MINUTES, lockstep: false, startAfter },
      evaluation: { trials: 1 },
    }),
  )
  const rig = await openReal()
  const folder = RunFolder.create(join(directory, name), config)
  await train(folder, config, {}, () => openRealSession(config, rig))
  const { commands } = rig.cellOf
  const intervals = commands.slice(1).map(({ at }, i) => at - commands[i]!.at)
  const steady = intervals.filter((interval) => interval < 300) // between two episodes the robot is reset
  const latencies = commands.map(({ at, taken }) => at - taken)
  const learning = ofKind(readMetrics(folder.metrics), 'update').filter(({ phase }) => phase === 'online')
  const [first, last] = [learning[0], learning.at(-1)]
  const jitters = steady.map((interval) => Math.abs(interval - 100))
  return {
    Steps: steady.length,
    JitterMedianMs: quantile(jitters, 0.5),
    Jitter99Ms: quantile(jitters, 0.99),
    LatencyMedianMs: quantile(latencies, 0.5),
    Latency99Ms: quantile(latencies, 0.99),
    UpdatesPerSecond: first && last && last !== first ? (last.update - first.update) / (last.time - first.time) : 0,
  }
}
