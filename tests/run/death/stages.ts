/** @file The stages of a run, each made long enough to be stopped in its middle. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Outcome, Place, Running, StartOptions } from './harness.ts'

type Stage = Partial<StartOptions> & { words: RegExp } // what it says once it is in the middle

export const STAGES: Record<string, Stage> = {
  'recording demonstrations': {
    shared: false,
    settings: ['demonstrations.perTask=200'],
    words: /recording .*: 1 of 200/,
  },
  encoding: { settings: ['replay.shiftedCopies=60'], words: /encoding demonstrations: 0\.1 of 1/ },
  'opening the learner': { settings: ['method=dual'], words: /encoding demonstrations: 1 of 1/ }, // with more to compile
  'warm-up': { settings: ['warmUp.updates=100000'], words: /warm-up: 250 of 100000/ },
  evaluation: { settings: ['evaluation.trials=100'], words: /evaluation, step 0: 1 of 100/ },
  online: { settings: ['online.robotMinutes=60'], words: /online \[robot min\]: \S+ of 60/ },
  'online, at real time': {
    settings: ['online.robotMinutes=60', 'online.pace=1'],
    words: /evaluation, step 0: 1 of 1/,
  },
  'online, free': { mode: 'free', settings: ['online.robotMinutes=60'], words: /online \[robot min\]: \S+ of 60/ },
  'many updates a step': {
    settings: ['online.robotMinutes=60', 'online.updatesPerStep=200', 'online.publishEvery=50'],
    words: /evaluation, step 0: 1 of 1/,
  },
}

/** Sends a signal in the middle of a stage, and tells what came of it. */
export async function stopAt(
  place: Place,
  stage: string,
  signal: NodeJS.Signals,
): Promise<Outcome & { running: Running }> {
  const { words, ...options } = STAGES[stage]!
  const running = place.start(options)
  await running.says(words)
  if (stage !== 'opening the learner') await sleep(300)
  const since = running.signal(signal)
  return { ...(await running.outcome(since)), running }
}
