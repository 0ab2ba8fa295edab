/** @file Timing: a few rounds to warm up, then the median, which a busy neighbour moves least. */
import { median } from '../src/metrics/statistics.ts'

/** Milliseconds that `work` takes, one entry a round. */
export async function timings(work: () => Promise<unknown> | unknown, rounds: number, warmUp = 3): Promise<number[]> {
  const times: number[] = []
  for (let round = -warmUp; round < rounds; round++) {
    const start = performance.now()
    await work()
    if (round >= 0) times.push(performance.now() - start)
  }
  return times
}

export const medianTime = async (work: () => Promise<unknown> | unknown, rounds: number, warmUp?: number) =>
  median(await timings(work, rounds, warmUp))

/** The median of as many rounds as fit into `seconds`, three at least, after one that warms up. */
export async function medianWithin(work: () => Promise<unknown> | unknown, seconds: number): Promise<number> {
  await work()
  const times: number[] = []
  const until = performance.now() + 1000 * seconds
  while (times.length < 3 || performance.now() < until) times.push(...(await timings(work, 1, 0)))
  return median(times)
}

/** For figures that people read: three significant digits. */
export const rounded = (value: number) => Number(value.toPrecision(3))

/** Once: seconds on the clock, and of processor time over all threads. */
export async function timed(work: () => Promise<unknown> | unknown): Promise<{ seconds: number; processor: number }> {
  const [before, began] = [process.cpuUsage(), performance.now()]
  await work()
  const { user, system } = process.cpuUsage(before)
  return { seconds: (performance.now() - began) / 1000, processor: (user + system) / 1e6 }
}
