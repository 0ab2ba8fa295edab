/** @file An evaluation of a run: by all of its robots, noted in its metrics. */
import { score, scores } from '../loop/evaluate.ts'
import { FilmRecorder } from '../loop/film-recorder.ts'
import type { EpisodeSummary } from '../loop/happening.ts'
import type { MetricOf } from '../metrics/metrics.ts'
import type { RunConfig } from './config.ts'
import { evaluateRig } from './evaluation.ts'
import type { RunFolder } from './folder.ts'
import type { Observer } from './observer.ts'
import { clockSteps, type RunParts } from './opening.ts'
import type { OnProgress } from './progress.ts'
import { Trials } from './trials.ts'

export type EvaluationStage = NonNullable<MetricOf<'evaluation'>['stage']>

export type EvaluatedRun = {
  folder: RunFolder
  config: RunConfig
  parts: RunParts
  observer?: Observer
  onProgress?: OnProgress
  onNotice?: (line: string) => void
}

/** `trials` of each task and robot, by the policy as it acts now. @throws Stopped; nothing is noted then */
export async function evaluateRun(
  { folder, config, parts, observer, onProgress, onNotice }: EvaluatedRun,
  stage: EvaluationStage,
  trials: number,
): Promise<void> {
  const { practices, perception, policy, course, normalisers, tempo, learner, metrics, clock } = parts
  const { tasks, evaluation } = config
  const since = clock.seconds
  const several = practices.length > 1
  const real = practices.some(({ rig }) => rig.real)
  const version = learner.weights.newest?.version ?? 0
  const kept = real ? new Trials(folder.trials, { stage, version }) : undefined
  const { h, proprio } = normalisers
  const copy = tempo.acting && { actors: tempo.acting, normalisers: { h: h.save(), proprio: proprio.save() } }
  const total = trials * tasks.length * practices.length
  let done = 0
  const made: Record<string, Record<string, EpisodeSummary[]>> = {} // by robot and task
  for (const { rig } of practices) {
    const film = `${stage}${several ? `-${rig.cell}` : ''}`
    made[rig.cell] = await evaluateRig(rig, {
      ...{ config, perception, policy, copy, course, observer, onNotice, kept },
      ...{ stage, tasks, trials, firstSeed: evaluation.firstSeed },
      recorder: (task, trial) =>
        stage === 'final' && trial === 0 ? new FilmRecorder(folder.frames, `${film}-${task}`) : undefined,
      onEpisode: ({ task, ending }) => {
        const note = `${several ? `${rig.cell}, ` : ''}${task}: ${ending}`
        onProgress?.({ stage: `evaluation, ${stage}`, done: ++done, total, note })
      },
    })
  }
  const ofTask = (task: string) => Object.values(made).flatMap((own) => own[task]!)
  const byRobot = Object.entries(made).map(([cell, own]) => [cell, scores(own)])
  metrics.write({
    kind: 'evaluation',
    time: clock.seconds,
    robotSteps: clockSteps(practices),
    update: clock.update,
    stage,
    seconds: clock.seconds - since,
    tasks: Object.fromEntries(tasks.map((task) => [task, score(ofTask(task))])),
    ...(several && { robots: Object.fromEntries(byRobot) }),
  })
  kept?.remove()
}
