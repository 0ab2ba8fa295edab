/**
 * @file Whether critics rank actions, out of sample: where an operator took over after a checkpoint was made, do its critics
 * put what the operator did above what the policy would have done there?
 */
import { CriticJudge, type JudgedAction } from '../learn/judge.ts'
import { evaluationNoise } from '../loop/evaluate.ts'
import { summedTally, type Tally } from '../metrics/crossed.ts'
import { groupedInterval } from '../metrics/grouped.ts'
import { type PackedEpisode, readPackedEpisodes } from '../replay/log-reader.ts'
import { GRIPPER_ENTRY } from '../robot/gripper.ts'
import type { Action } from '../robot/robot.ts'
import type { Trained } from '../run/trained.ts'
import type { Table } from './experiment.ts'
import { shares } from './figures.ts'

/** How many pairs there were, and in how many Q of the first was above Q of the second, a tie half. */
export type Ranked = { pairs: number; above: number }

/**
 * `takeovers`: the operator's first action against the policy's. Three things that would explain it: `sameSize`, the policy's
 * motion made as large as the operator's; `elsewhere`, the same two actions in the state of another takeover; `larger`, no
 * critic, the larger motion first. `control`: where the policy acted, what it did against what it would do.
 */
const KINDS = ['takeovers', 'sameSize', 'elsewhere', 'larger', 'control'] as const
type Kind = (typeof KINDS)[number]
export type Ranking = { seed: number; tasks: Record<string, Record<Kind, Ranked>> }

type Pair = { task: string; kind: 'takeovers' | 'control'; done: JudgedAction; own: JudgedAction }
/** What is asked of it: is the first worth more than the second? */
type Question = { task: string; kind: Kind; first: JudgedAction; second: JudgedAction }

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
  const questions = pairs.flatMap((pair) => questionsOf(pair, pairs))
  const judge = await CriticJudge.load(checkpoint, { method, sizes, tasks, learner })
  try {
    const first = await judge.q(questions.map((question) => question.first))
    const second = await judge.q(questions.map((question) => question.second))
    const answers = questions.map(({ task, kind }, i) => ({ task, kind, above: share(first[i]!, second[i]!) }))
    const larger = pairs
      .filter(({ kind }) => kind === 'takeovers')
      .map(({ task, done, own }) => ({
        task,
        kind: 'larger' as const,
        above: share(size(done.action), size(own.action)),
      }))
    return {
      seed: config.seed,
      tasks: Object.fromEntries(tasks.map((task) => [task, rankedOf(task, [...answers, ...larger])])),
    }
  } finally {
    await judge.release()
  }
}

const share = (first: number, second: number) => (Math.sign(first - second) + 1) / 2
const size = (action: Action) => Math.hypot(...action.subarray(0, GRIPPER_ENTRY))

function questionsOf({ task, kind, done, own }: Pair, pairs: readonly Pair[]): Question[] {
  const asked: Question[] = [{ task, kind, first: done, second: own }]
  if (kind === 'control') return asked
  const large = { ...own, action: resized(own.action, size(done.action)) }
  asked.push({ task, kind: 'sameSize', first: done, second: large })
  const others = pairs.filter((pair) => pair.kind === kind && pair.task === task)
  const { seen } = others[(others.findIndex((pair) => pair.done === done) + 1) % others.length]!.done
  if (others.length > 1) asked.push({ task, kind: 'elsewhere', first: { ...done, seen }, second: { ...own, seen } })
  return asked
}

/** The same motion as large as that, each entry within its bounds; the grip as it is. */
function resized(action: Action, wanted: number): Action {
  const by = wanted / Math.max(size(action), 1e-6)
  return action.map((value, entry) => (entry < GRIPPER_ENTRY ? Math.min(1, Math.max(-1, by * value)) : value))
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

function rankedOf(task: string, answers: readonly { task: string; kind: Kind; above: number }[]) {
  const ranked = (kind: Kind): Ranked => {
    const own = answers.filter((answer) => answer.task === task && answer.kind === kind)
    return { pairs: own.length, above: own.reduce((sum, { above }) => sum + above, 0) }
  }
  return Object.fromEntries(KINDS.map((kind) => [kind, ranked(kind)])) as Record<Kind, Ranked>
}

/** Of all pairs: seeds have from one to dozens. One seed says nothing of others. */
function shareOfPairs(bySeed: readonly Tally[]): string {
  const { sum, count } = summedTally(bySeed)
  if (count === 0) return '-'
  const several = bySeed.filter((seed) => seed.count > 0).length > 1
  return shares({ value: sum / count, interval: several ? groupedInterval(bySeed) : [Number.NaN, Number.NaN] })
}

export function rankingTable(rankings: readonly Ranking[]): Table {
  const tasks = Object.keys(rankings[0]!.tasks)
  const row = (title: string, own: readonly string[]) => {
    const told = (kind: Kind) => {
      const bySeed = rankings.map(({ tasks: all }) =>
        summedTally(own.map((task) => ({ sum: all[task]![kind].above, count: all[task]![kind].pairs }))),
      )
      return { count: `${summedTally(bySeed).count}`, share: shareOfPairs(bySeed) }
    }
    const takeovers = told('takeovers')
    const control = told('control')
    const explained = (['sameSize', 'elsewhere', 'larger'] as const).map((kind) => told(kind).share)
    return [title, takeovers.count, takeovers.share, ...explained, control.count, control.share]
  }
  return {
    title:
      'Q of what was done above Q of what the policy would do, %, in the log after the middle of the run, by critics from before it',
    header: [
      'task',
      'takeovers',
      'operator’s action',
      'the policy’s as large',
      'in another state',
      'the larger one, no critic',
      'control states',
      'the policy’s own action',
    ],
    rows: [...tasks.map((task) => row(task, [task])), row('all', tasks)],
  }
}
