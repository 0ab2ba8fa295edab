/** @file The thread that makes trials of an evaluation beside its robot, in a simulated one of its own. */
import { parentPort, workerData } from 'node:worker_threads'
import { encodeError } from '../errors.ts'
import { runEpisode } from '../loop/episode.ts'
import { type TrialStart, trialDraws } from '../loop/evaluate.ts'
import { Course, Failure } from '../loop/failure.ts'
import { rewardSources } from '../reward/sources.ts'
import type { FromEvaluator, ToEvaluator } from './evaluator.ts'
import { type ActingSetup, openCopy } from './trained.ts'

/** Makes what it is asked for, one after the other, until it is told to leave; the trial under way then ends at its next step. */
export async function makeTrials(): Promise<void> {
  const port = parentPort!
  const say = (message: FromEvaluator) => port.postMessage(message)
  const acting = await openCopy(workerData as ActingSetup)
  const { config, session, perception, policy } = acting
  const { robot } = session
  const stop = new AbortController()
  const course = new Course(new Failure(), stop.signal)
  const rewards = rewardSources(config.reward, robot.spec)
  const draws = trialDraws(config, robot.spec)
  const make = async (trial: TrialStart) => {
    course.check()
    const summary = await runEpisode(
      { robot, perception, policy, course, rewards, ...draws(trial) },
      trial.task,
      trial.seed,
    )
    course.check() // one that was cut off is no trial
    say({ kind: 'made', summary })
  }
  let work: Promise<unknown> = Promise.resolve()
  port.on('message', (message: ToEvaluator) => {
    if (message.kind === 'make')
      work = work.then(() => make(message.trial)).catch((error) => say({ kind: 'failed', error: encodeError(error) }))
    else {
      stop.abort()
      work = work.then(() => acting.close()).finally(() => port.close())
    }
  })
}
