/** @file What a run hands on to the threads of its evaluations, and what becomes of the trials that they make. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it, vi } from 'vitest'
import { actorLayouts, actorSizes } from '../../src/learn/actors.ts'
import { readPolicy } from '../../src/learn/checkpoint.ts'
import { type ActorParameters, Policy } from '../../src/learn/policy.ts'
import { readMetrics } from '../../src/metrics/metrics.ts'
import { ofKind } from '../../src/metrics/of-kind.ts'
import { RunFolder } from '../../src/run/folder.ts'
import { readNormalisers } from '../../src/run/preparation.ts'
import { presets } from '../../src/run/presets.ts'
import { mergeSettings, parseConfig } from '../../src/run/resolve.ts'
import { train } from '../../src/run/train.ts'
import type { ActingSetup } from '../../src/run/trained.ts'
import { openBriefly } from './brief.ts'

const MADE_ASIDE = 3 // steps; no trial of the robot ends that early

const { handed, acting } = vi.hoisted(() => ({
  handed: [] as { setup: ActingSetup; acts: ActorParameters; trials: string[]; closed: boolean }[],
  acting: { now: {} as ActorParameters },
}))

vi.mock('../../src/run/evaluator.ts', () => ({
  startEvaluator(setup: ActingSetup) {
    const one = { setup: structuredClone(setup), acts: acting.now, trials: [] as string[], closed: false }
    handed.push(one)
    return {
      async make({ task, seed }: { task: string; seed: number }) {
        one.trials.push(`${task} ${seed}`)
        return {
          ...{ task, seed, ending: 'success', length: MADE_ASIDE, by: 'robot' },
          ...{ operatorSteps: 0, spokenSteps: 0, commands: 0, segments: [] },
        }
      },
      close: async () => void (one.closed = true),
    }
  },
}))

const runs = mkdtempSync(join(tmpdir(), 'duet-evaluators-'))
afterAll(() => rmSync(runs, { recursive: true }))

it('hands on the policy as it acts, and counts the trials that were made aside', async () => {
  const config = parseConfig(
    'test',
    mergeSettings(presets.tiny, {
      robot: { arm: 'gantry', cells: ['B'] },
      tasks: ['pick', 'assemble'],
      demonstrations: { perTask: 1 },
      warmUp: { updates: 4 },
      online: { robotMinutes: 0.2, startAfter: 10 },
      evaluation: { trials: 4, threads: 2, everyRobotMinutes: 0.08, trialsOnTheWay: 2 },
      checkpointEveryRobotMinutes: 9,
    }),
  )
  const folder = RunFolder.create(join(runs, 'run'), config)
  const { setParameters } = Policy.prototype
  vi.spyOn(Policy.prototype, 'setParameters').mockImplementation(function (this: Policy, values) {
    acting.now = structuredClone(values)
    setParameters.call(this, values)
  })
  await train(folder, config, {}, openBriefly)
  expect(handed.length).toBeGreaterThan(2) // step 0, on the way, the end
  const [first, last] = [handed[0]!, handed.at(-1)!]
  const checkpoint = folder.latestCheckpoint()!
  const { encoder, robot, commands, close } = await openBriefly(config)
  const sizes = actorSizes(config.networks, encoder.description, robot.spec.channels.length, commands.width)
  const { h, proprio } = readNormalisers(checkpoint, encoder.description)
  await close()
  for (const { setup, acts, trials, closed } of handed) {
    expect(setup).toMatchObject({ cell: 'B', config: { seed: 0, tasks: ['pick', 'assemble'] } })
    expect(setup.policy).toMatchObject({ normalisers: { h: h.save(), proprio: proprio.save() } })
    expect(setup.policy).toMatchObject({ actors: acts }) // newer ones may have come, and are not taken up yet
    expect(trials.length).toBeGreaterThan(0)
    expect(closed).toBe(true)
  }
  const actorsOf = ({ setup: { policy } }: typeof first) => ('actors' in policy ? policy.actors : {})
  expect(actorsOf(last)).toEqual(await readPolicy(checkpoint, actorLayouts(sizes)))
  expect(actorsOf(first)).not.toEqual(actorsOf(last)) // it has learned in between
  const whole = ofKind(readMetrics(folder.metrics), 'evaluation').at(-1)!.tasks
  for (const task of ['pick', 'assemble']) {
    const aside = last.trials.filter((trial) => trial.startsWith(task)).length
    const outcomes = whole[task]!.outcomes!
    expect(outcomes.filter(({ length }) => length === MADE_ASIDE)).toHaveLength(aside)
    expect(outcomes.map(({ seed }) => seed)).toEqual([0, 1, 2, 3].map((k) => config.evaluation.firstSeed + k))
  }
}, 120_000)
