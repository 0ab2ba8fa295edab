/** @file An evaluation of one robot, also outside of a training: a person lays each scene, and one that is stopped goes on after its last whole trial. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { RunObserver } from '../../src/console/server/observer.ts'
import { Normaliser } from '../../src/learn/normaliser.ts'
import type { Policy } from '../../src/learn/policy.ts'
import { Course, Failure, Stopped } from '../../src/loop/failure.ts'
import type { Happening } from '../../src/loop/happening.ts'
import { NO_COPIES, Perception } from '../../src/loop/perception.ts'
import type { Rig } from '../../src/robot/rig.ts'
import { guardedWorkcell } from '../../src/robots/workcell/guarded.ts'
import { evaluateRig } from '../../src/run/evaluation.ts'
import { RunFolder } from '../../src/run/folder.ts'
import type { EvaluationProgress } from '../../src/run/observer.ts'
import { presets } from '../../src/run/presets.ts'
import { mergeSettings, parseConfig } from '../../src/run/resolve.ts'
import type { Session } from '../../src/run/session.ts'
import { Trials } from '../../src/run/trials.ts'
import type { VlaEncoder } from '../../src/vla/encoder.ts'
import { openReal } from '../real-rig.ts'

const config = parseConfig('test', mergeSettings(presets.tiny, { robot: { arm: 'gantry' }, tasks: ['pick'] }))
const identity = (width: number) => new Normaliser({ mean: Array(width).fill(0), deviation: Array(width).fill(1) })
const encoder = {
  encode: async (inputs: unknown[]) => inputs.map(() => ({ h: Float32Array.of(0), features: Float32Array.of(0) })),
} as unknown as VlaEncoder
const still = { followsCommands: false, primary: async () => new Float32Array(7) } as unknown as Policy

it('asks for each scene, tells each trial, and after a stop asks for the rest alone', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'duet-evaluation-'))
  const rig = await openReal({ rate: 100, reset: 'person', options: { cameras: false } })
  const folder = RunFolder.create(join(directory, 'run'), config)
  const { robot } = rig
  const perception = new Perception(
    encoder,
    { pick: 'pick' },
    { h: identity(1), proprio: identity(robot.spec.channels.length) },
  )
  /** @returns how many scenes were laid, what was told last, and whether it was stopped */
  const evaluated = async (stopAfter: number) => {
    const observer = new RunObserver()
    let told: EvaluationProgress | undefined
    const evaluating = observer.evaluating.bind(observer)
    observer.evaluating = (progress) => {
      told = progress
      evaluating(progress)
    }
    observer.opened({ folder, config, session: { rigs: [rig], robot } as unknown as Session })
    let laid = 0
    const laying = setInterval(() => observer.sceneIsReady('the test') && laid++, 5)
    const stop = new AbortController()
    const course = new Course(new Failure(), stop.signal)
    let done = 0
    try {
      const kept = new Trials(folder.trialsApart, { stage: 'of a checkpoint', version: 0 })
      await evaluateRig(rig, {
        ...{ config, perception, policy: still, course, observer, kept },
        ...{ stage: 'of a checkpoint', tasks: ['pick'], trials: 2, firstSeed: 1 },
        onEpisode: () => {
          if (++done < stopAfter) return
          stop.abort()
          observer.dismiss()
        },
      })
      return { laid, told, stopped: false }
    } catch (error) {
      if (!(error instanceof Stopped)) throw error
      return { laid, told, stopped: true }
    } finally {
      clearInterval(laying)
      observer.close()
    }
  }
  try {
    const first = await evaluated(1)
    expect([first.laid, first.stopped, first.told!.over]).toEqual([1, true, false])
    expect(first.told!.trials.map(({ outcome }) => outcome?.success)).toEqual([false, undefined])
    expect(first.told!.trials.map(({ start }) => start)).toEqual(['at the middle mark', 'at the right mark'])
    const second = await evaluated(3)
    expect([second.laid, second.stopped, second.told!.over]).toEqual([1, false, true])
  } finally {
    await rig.close()
    rmSync(directory, { recursive: true })
  }
}, 120_000)

it('tries something where the arm stands still only where the settings of evaluations say so, by the seed of the run', async () => {
  const { robot } = await guardedWorkcell({ arm: 'gantry', cameras: false })
  const width = robot.spec.channels.length
  const perception = new Perception(encoder, { pick: 'pick' }, { h: identity(1), proprio: identity(width) })
  const acted = async (exploration: number, seed = 0) => {
    const actors: string[] = []
    const actions: number[][] = []
    const recorder = () => ({
      copies: NO_COPIES,
      observationId: () => 0,
      begin: () => {},
      step: ({ actor, action }: Happening) => {
        actors.push(actor)
        actions.push([...action])
      },
      end: () => {},
    })
    const settings = { ...config, seed, evaluation: { ...config.evaluation, exploration } }
    await evaluateRig({ cell: 'A', robot } as unknown as Rig, {
      ...{ config: settings, perception, policy: still, course: new Course(new Failure()), recorder },
      ...{ stage: 'step 0', tasks: ['pick'], trials: 1, firstSeed: 1 },
    })
    return { actors, actions }
  }
  const never = await acted(0)
  expect(new Set(never.actors)).toEqual(new Set(['primary']))
  const tried = await acted(5)
  expect(tried.actors.slice(0, 9)).toEqual([...Array(5).fill('primary'), ...Array(3).fill('exploration'), 'primary'])
  expect((await acted(5)).actions).toEqual(tried.actions)
  expect((await acted(5, 1)).actions).not.toEqual(tried.actions)
})
