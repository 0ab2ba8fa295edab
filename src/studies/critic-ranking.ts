/**
 * @file Whether critics rank actions, out of sample: where an operator took over after a checkpoint was made, do its critics
 * put what the operator did above what the policy would have done there?
 */
import { CriticJudge, type JudgedAction } from '../learn/judge.ts'
import { evaluationNoise } from '../loop/evaluate.ts'
import { crossedEstimate, summedTally } from '../metrics/crossed.ts'
import { type PackedEpisode, readPackedEpisodes } from '../replay/log-reader.ts'
import { GRIPPER_ENTRY } from '../robot/gripper.ts'
import type { Action } from '../robot/robot.ts'
import type { Trained } from '../run/trained.ts'
import type { Table } from './experiment.ts'
import { shares } from './figures.ts'

/** How many pairs there were, and in how many Q of the first was above Q of the second, a tie half. */
export type Ranked = { pairs: number; above: number }

/** `takeovers`: the operator's first action against the policy's; `control`: what the policy did against what it would do. */
export type Ranking = { seed: number; tasks: Record<string, { takeovers: Ranked; control: Ranked }> }

type Pair = { task: string; kind: 'takeovers' | 'control'; done: JudgedAction; own: JudgedAction }

/**
 * The critics of `trained` on what its run's log has from step `from` on. The grip is what was done in both: a critic would
 * know a head's, which is no whole one, without looking at the motion. One state of control a takeover.
 */
export async function rankLater(trained: Trained, from: number): Promise<Ranking> {
  const { config, folder, checkpoint, sizes } = trained
  const { tasks, learner, method } = config
  const pairs: Pair[] = []
  let steps = 0
  for (const episode of readPackedEpisodes(folder.log)) {
    const later = steps >= from
    steps += episode.steps.length
    if (later) pairs.push(...(await pairsOf(trained, episode)))
  }
  const judge = await CriticJudge.load(checkpoint, { method, sizes, tasks, learner })
  try {
    const done = await judge.q(pairs.map((pair) => pair.done))
    const own = await judge.q(pairs.map((pair) => pair.own))
    return {
      seed: config.seed,
      tasks: Object.fromEntries(tasks.map((task) => [task, rankedOf(task, pairs, done, own)])),
    }
  } finally {
    await judge.release()
  }
}

async function pairsOf({ perception, policy }: Trained, episode: PackedEpisode): Promise<Pair[]> {
  const { task, episode: number } = episode.start
  const noise = evaluationNoise({ evaluation: { noise: 1 }, seed: number })
  const pairs: Pair[] = []
  const takeovers = takeoversOf(episode)
  const observations = takeovers.length > 0 ? [...episode.observations()] : []
  for (const t of takeovers)
    for (const [kind, at] of [
      ['takeovers', t],
      ['control', Math.floor(t / 2)], // before it the policy acted
    ] as const) {
      const step = episode.steps[at]!
      if (kind === 'control' && step.actor === 'operator') continue
      const seen = await perception.see(observations[at]!, task)
      const action: Action = await policy.primary(seen, noise())
      action[GRIPPER_ENTRY] = step.action[GRIPPER_ENTRY]!
      pairs.push({ task, kind, done: { seen, action: step.action, task }, own: { seen, action, task } })
    }
  return pairs
}

/** The steps at which an operator took over. */
export const takeoversOf = ({ steps }: Pick<PackedEpisode, 'steps'>): number[] =>
  steps.flatMap(({ actor }, t) => (actor === 'operator' && t > 0 && steps[t - 1]!.actor !== 'operator' ? [t] : []))

function rankedOf(task: string, pairs: readonly Pair[], done: ArrayLike<number>, own: ArrayLike<number>) {
  const ranked = (kind: Pair['kind']): Ranked => {
    const rows = pairs.flatMap((pair, i) => (pair.task === task && pair.kind === kind ? [i] : []))
    return { pairs: rows.length, above: rows.reduce((sum, i) => sum + (Math.sign(done[i]! - own[i]!) + 1) / 2, 0) }
  }
  return { takeovers: ranked('takeovers'), control: ranked('control') }
}

export function rankingTable(rankings: readonly Ranking[]): Table {
  const tasks = Object.keys(rankings[0]!.tasks)
  const row = (title: string, own: readonly string[]) => {
    const figures = (['takeovers', 'control'] as const).flatMap((kind) => {
      const bySeed = rankings.map(({ tasks: all }) =>
        summedTally(own.map((task) => ({ sum: all[task]![kind].above, count: all[task]![kind].pairs }))),
      )
      const { count } = summedTally(bySeed)
      return [String(count), count > 0 ? shares(crossedEstimate(bySeed.map((cell) => [cell]))) : '-']
    })
    return [title, ...figures]
  }
  return {
    title:
      'Q of what was done above Q of what the policy would do, %, in the log after the middle of the run, by critics from before it',
    header: ['task', 'takeovers', 'operator’s action', 'control states', 'the policy’s own action'],
    rows: [...tasks.map((task) => row(task, [task])), row('all', tasks)],
  }
}
