/** @file How evenly a served robot received its commands. */
import type { Received } from '../../src/robot/test-channel.ts'

const PERIOD = 100 // ms
const REST = 300 // ms: a longer interval is no step late, but a scene that is laid, a verdict, a stop

type Window = { from: number; to: number } // ms since 1970: steps of practice and evaluations

/**
 * How far each interval between two steps is from the period, ms. A command to stay is a step where the arm moves on soon after
 * it: left out, its neighbours would seem two periods apart. Where it does not, it is how an episode ends, at once.
 */
export function jitterAsReceived(received: readonly Received[], windows: readonly Window[]): number[] {
  return windows.flatMap(({ from, to }) => {
    const within = received.filter(({ at }) => at >= from && at <= to)
    const motions = within.filter(({ motion }) => motion)
    const steps = within.filter(({ at, motion }) => motion || motions.some((go) => go.at > at && go.at < at + REST))
    const intervals = steps.slice(1).map(({ at }, i) => ({ interval: at - steps[i]!.at, staying: !steps[i]!.motion }))
    return intervals
      .filter(({ interval }) => interval < REST)
      .map(({ interval, staying }) => Math.abs(interval - (staying ? wholePeriods(interval) : PERIOD)))
  })
}

/** An arm that stays is told so once: steps that ask it to go on staying send nothing. */
const wholePeriods = (interval: number) => PERIOD * Math.max(1, Math.round(interval / PERIOD))
