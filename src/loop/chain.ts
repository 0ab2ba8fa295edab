/**
 * @file Chains of operations. The end state of one operation starts the next with no reset between, and a chain ends with
 * its first failed operation (docs/method.md §9, long horizon).
 */
import { percent } from '../metrics/percent.ts'
import { wilsonInterval } from '../metrics/statistics.ts'
import type { Operation, Simulation } from '../robot/rig.ts'
import { type Recorder, type Rollout, runEpisode } from './episode.ts'
import type { EpisodeSummary } from './happening.ts'

export type Chain = {
  seed: number
  /** In order; all but the last succeeded. As long as the chain came. */
  episodes: EpisodeSummary[]
  completed: number // operations that succeeded
  asked: number // operations of the whole chain
}

/** The policy never hears which bolt is meant: the scene shows which is the active one, and it has to look. */
export type ChainRollout = Omit<Rollout, 'begin' | 'recorder'> & {
  simulation: Pick<Simulation, 'begin' | 'operations'>
}

/** One chain. `seed` fixes the scene at its start. `recorder` is asked once an operation. */
export async function runChain(
  crew: ChainRollout,
  operations: readonly Operation[],
  seed: number,
  recorder: (operation: number) => Recorder | undefined = () => undefined,
): Promise<Chain> {
  const { robot, simulation } = crew
  const episodes: EpisodeSummary[] = []
  for (const [i, operation] of operations.entries()) {
    const begin = async () => {
      if (i === 0) await robot.stop()
      simulation.begin(operation, i === 0 ? seed : undefined)
      return robot.observe()
    }
    episodes.push(await runEpisode({ ...crew, begin, recorder: recorder(i) }, operation.task, seed))
    if (episodes.at(-1)!.ending !== 'success') break
  }
  const completed = episodes.filter(({ ending }) => ending === 'success').length
  return { seed, episodes, completed, asked: operations.length }
}

/** Chain k starts from the seed firstSeed + k, so that policies and conditions are paired. */
export async function runChains(
  crew: ChainRollout,
  options: { operations: number; chains: number; firstSeed: number; onChain?: (chain: Chain) => void },
): Promise<Chain[]> {
  const operations = crew.simulation.operations(options.operations)
  const chains: Chain[] = []
  for (let k = 0; k < options.chains; k++) {
    chains.push(await runChain(crew, operations, options.firstSeed + k))
    options.onChain?.(chains.at(-1)!)
  }
  return chains
}

export type Attrition = {
  operation: number // from 1
  task: string
  bolt: number
  tried: number // chains that came as far as this operation
  succeeded: number
  rate: number // succeeded / tried; NaN where no chain came
  reached: number // share of all chains that completed this operation and all before it
  interval: [low: number, high: number] // of `reached`, Wilson, 95 %
  meanSteps: number // of the successful ones; NaN if there are none
}

/**
 * Operation by operation: who came so far, who came further. A chain of n operations contains those of fewer, so `reached`
 * of operation m is the success of chains of m in the same scene. @throws InputError without chains
 */
export function attrition(chains: readonly Chain[], operations: readonly Operation[]): Attrition[] {
  return operations.map(({ task, bolt }, i) => {
    const tries = chains.flatMap(({ episodes }) => episodes.slice(i, i + 1))
    const won = tries.filter(({ ending }) => ending === 'success')
    return {
      operation: i + 1,
      task,
      bolt,
      tried: tries.length,
      succeeded: won.length,
      rate: won.length / tries.length,
      reached: won.length / chains.length,
      interval: wilsonInterval(won.length, chains.length),
      meanSteps: won.reduce((sum, { length }) => sum + length, 0) / won.length,
    }
  })
}

/** A row an operation, for terminal and documents. */
export function attritionTable(rows: readonly Attrition[]): { header: string[]; rows: string[][] } {
  return {
    header: ['operation', 'bolt', 'tried', 'succeeded', 'rate', 'chains this far', '95 % interval', 'mean steps'],
    rows: rows.map(({ operation, task, bolt, tried, succeeded, rate, reached, interval, meanSteps }) => [
      `${operation} ${task}`,
      String(bolt + 1),
      String(tried),
      String(succeeded),
      percent(rate),
      percent(reached),
      `${percent(interval[0])} to ${percent(interval[1])}`,
      Number.isNaN(meanSteps) ? '-' : meanSteps.toFixed(1),
    ]),
  }
}
