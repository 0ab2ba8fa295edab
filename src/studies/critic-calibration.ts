/** @file Critic calibration: Q of executed actions against the returns that followed, per task and over training. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { CriticJudge, type JudgedAction } from '../learn/judge.ts'
import type { Recorder } from '../loop/episode.ts'
import { evaluate, score, trialDraws } from '../loop/evaluate.ts'
import { NO_COPIES } from '../loop/perception.ts'
import { robotMinutes } from '../metrics/robot-time.ts'
import { mean } from '../metrics/statistics.ts'
import { monteCarloReturns } from '../replay/returns.ts'
import type { Series } from '../review/report/plot.ts'
import { openTrained, type Trained } from '../run/trained.ts'
import { type AdviceTrials, adviceTable, advises, followAdvice } from './critic-advice.ts'
import { type Ranking, rankingTable, rankLater } from './critic-ranking.ts'
import type { Experiment, FinishedRun, Section, Table, Workbench } from './experiment.ts'
import { methodCalled, regimeOf, trainSeeds } from './methods.ts'

const STAGES = 7 // checkpoints that are looked at, the first before the first online step
const JUDGED = 15 // episodes of each task and stage, of thousands of steps together
const BINS = 10 // of the reliability plot

const READING = [
  'Ranking: a pair is one state in which an operator took over, what they did and what the policy would have done; the control is one state before it in which the policy acted, what it did against what the same policy would do with other noise. 50 is chance. Shares are of all pairs together, in brackets 95 % intervals over other training seeds. The grip is the same in both. Three columns tell what else could explain a share: the policy’s motion made as large as the operator’s, the same two actions judged in the state of another takeover, and the larger motion first, without any critic.',
  'Advice: both are the same heads, from the same starts and draws. The control of what critics are worth is the same run with silent critics (`regimes`); this is what their say does to the policy that acts.',
]

/** What one checkpoint's critics said of the episodes of its own policy: q and returned [steps] of each task. */
export type CriticCalibration = {
  seed: number
  robotSteps: number
  tasks: Record<string, { q: number[]; returned: number[]; episodes: number; successes: number }>
}

export const experiment: Experiment = {
  name: 'critic-calibration',
  title: 'Do the critics know what will come?',
  question:
    'How far is Q of the executed actions from the Monte-Carlo returns that followed, per task and over training, in episodes that the critics never saw?',
  runsOf: 'regimes',
  robotMinutes: 30,
  async run(bench: Workbench): Promise<Section> {
    const { trials } = bench.options
    const calibrations: CriticCalibration[] = []
    const rankings: Ranking[] = []
    const advice: AdviceTrials[] = []
    for (const run of await trainSeeds(bench, regimeOf(bench), methodCalled('dual'))) {
      const { seed } = run.config
      const whole = () => bench.whole(run)
      const stages = await bench.once(`seed${seed}-stages`, async () => stagesOf(await whole()))
      for (const checkpoint of stages) {
        bench.progress(`critic-calibration: ${checkpoint}`)
        const measure = () => trainedAt(whole, checkpoint, (one) => calibrationOf(one, stepsOf(checkpoint)))
        calibrations.push(await bench.once(`seed${seed}-${checkpoint}`, measure))
      }
      const half = stages[Math.floor(stages.length / 2)]!
      rankings.push(
        await bench.once(`seed${seed}-ranks`, () => trainedAt(whole, half, (one) => rankLater(one, stepsOf(half)))),
      )
      if (advises(run))
        advice.push(
          await bench.once(`seed${seed}-advice`, () =>
            trainedAt(whole, stages.at(-1)!, (one) => followAdvice(one, { trials, firstSeed: strange(one) })),
          ),
        )
    }
    const section = sectionOf(calibrations)
    const more = [rankingTable(rankings), ...(advice.length > 0 ? [adviceTable(advice)] : [])]
    return { ...section, tables: [...section.tables, ...more], notes: [...section.notes, ...READING] }
  },
}

/** What `ask` finds of a checkpoint. */
async function trainedAt<T>(
  whole: () => Promise<FinishedRun>,
  checkpoint: string,
  ask: (trained: Trained) => Promise<T>,
): Promise<T> {
  const { folder } = await whole()
  const trained = await openTrained(join(folder.checkpoints, checkpoint))
  try {
    return await ask(trained)
  } finally {
    await trained.close()
  }
}

/** The first of the starts that neither training nor evaluation uses. */
const strange = ({ config }: Pick<Trained, 'config'>) => config.evaluation.firstSeed + 500_000

/** The last checkpoint of the warm-up and all of the online phase, thinned out evenly. */
function stagesOf({ folder }: FinishedRun): string[] {
  const names = readdirSync(folder.checkpoints)
    .filter((name) => name.startsWith('step-'))
    .sort()
  const last = names.filter((name, i) => stepsOf(name) > 0 || stepsOf(names[i + 1] ?? '') > 0)
  const count = Math.min(STAGES, last.length)
  return Array.from({ length: count }, (_, i) => last[Math.round((i * (last.length - 1)) / Math.max(1, count - 1))]!)
}

const stepsOf = (checkpoint: string) => Number(/^step-(\d+)-/.exec(checkpoint)?.[1] ?? 0)

/** Evaluation episodes on starts that neither training nor evaluation uses, judged by the critics of the same checkpoint. */
async function calibrationOf(trained: Trained, robotSteps: number): Promise<CriticCalibration> {
  const { checkpoint, config, session, perception, policy, sizes } = trained
  const { tasks, learner, method } = config
  const judge = await CriticJudge.load(checkpoint, { method, sizes, tasks, learner })
  try {
    const found: CriticCalibration = { seed: config.seed, robotSteps, tasks: {} }
    for (const task of tasks) {
      const films: Film[] = []
      const made = await evaluate({ robot: session.robot, perception, policy }, [task], {
        trials: JUDGED,
        firstSeed: strange(trained),
        draws: trialDraws(config, session.robot.spec),
        recorder: () => {
          const film = new Film(task)
          films.push(film)
          return film
        },
      })
      const judged = films.flatMap((film) => film.steps)
      found.tasks[task] = {
        q: [...(await judge.q(judged))],
        returned: films.flatMap(({ rewards }) => [...monteCarloReturns(rewards, learner.discount)]),
        episodes: JUDGED,
        successes: score(made[task]!).successes,
      }
    }
    return found
  } finally {
    await judge.release()
  }
}

/** Keeps what an episode's steps looked like to the networks, and what they earned. */
class Film implements Recorder {
  readonly copies = NO_COPIES
  readonly steps: JudgedAction[] = []
  readonly rewards: number[] = []
  private seen?: JudgedAction['seen']

  constructor(private readonly task: string) {}

  observationId(): number {
    return 0
  }

  begin(_task: string, _seed: number, _observation: unknown, seen: JudgedAction['seen']): void {
    this.seen = seen
  }

  step({ action, reward }: Parameters<Recorder['step']>[0], _next: unknown, seen: JudgedAction['seen']): void {
    this.steps.push({ seen: this.seen!, action: action.slice(), task: this.task })
    this.rewards.push(reward)
    this.seen = seen
  }

  end(): void {}
}

export type Fit = { q: number; returned: number; bias: number; correlation: number; error: number }

/** Means, bias (Q minus return), Pearson's correlation and root mean square error over steps. */
export function fit(q: readonly number[], returned: readonly number[]): Fit {
  const [meanQ, meanReturn] = [mean(q), mean(returned)]
  const moment = (pick: (i: number) => number) => mean(q.map((_, i) => pick(i)))
  const covariance = moment((i) => (q[i]! - meanQ) * (returned[i]! - meanReturn))
  const spread = Math.sqrt(moment((i) => (q[i]! - meanQ) ** 2) * moment((i) => (returned[i]! - meanReturn) ** 2))
  return {
    q: meanQ,
    returned: meanReturn,
    bias: meanQ - meanReturn,
    correlation: covariance / spread,
    error: Math.sqrt(moment((i) => (q[i]! - returned[i]!) ** 2)),
  }
}

/** Mean return of the steps that the critic judged alike, in bins of equal width from the least Q to the largest. */
export function reliability(
  q: readonly number[],
  returned: readonly number[],
  bins = BINS,
): { x: number; y: number; steps: number }[] {
  const [low, high] = [Math.min(...q), Math.max(...q)]
  const groups = Array.from({ length: bins }, (): number[] => [])
  for (const [i, value] of q.entries())
    groups[Math.min(bins - 1, Math.floor((bins * (value - low)) / (high - low || 1)))]!.push(i)
  return groups
    .filter((group) => group.length > 0)
    .map((group) => ({
      x: mean(group.map((i) => q[i]!)),
      y: mean(group.map((i) => returned[i]!)),
      steps: group.length,
    }))
}

export function sectionOf(calibrations: readonly CriticCalibration[]): Section {
  const tasks = Object.keys(calibrations[0]!.tasks)
  const lastStep = Math.max(...calibrations.map(({ robotSteps }) => robotSteps))
  const final = calibrations.filter(({ seed }, i) => calibrations.findLastIndex((one) => one.seed === seed) === i)
  const pooled = (list: readonly CriticCalibration[], task: string) => ({
    q: list.flatMap((one) => one.tasks[task]!.q),
    returned: list.flatMap((one) => one.tasks[task]!.returned),
  })
  const bias = (task: string, colour: number): Series => ({
    name: task,
    colour,
    look: 'dots',
    points: calibrations.map(({ robotSteps, tasks: own }) => ({
      x: robotMinutes(robotSteps),
      y: fit(own[task]!.q, own[task]!.returned).bias,
    })),
  })
  const reliable = (task: string, colour: number): Series => {
    const { q, returned } = pooled(final, task)
    const points = reliability(q, returned).map(({ x, y, steps }) => ({ x, y, note: `${steps} steps` }))
    return { name: task, colour, look: 'dots', points }
  }
  const diagonal: Series = {
    name: 'calibrated',
    colour: 5,
    look: 'dashed',
    points: [0, 1].map((at) => ({ x: at, y: at })),
  }
  const ends = tasks.map((task) => {
    const { q, returned } = pooled(final, task)
    const { bias: off, correlation } = fit(q, returned)
    return `${task}: bias ${signed(off)}, correlation ${decimals(correlation)}`
  })
  return {
    tables: [table(calibrations)],
    plots: [
      {
        name: 'bias',
        plot: {
          title: 'Bias of the critics over training',
          x: { label: 'robot minutes', domain: [0, Math.max(1, robotMinutes(lastStep))] },
          y: { label: 'mean Q minus mean return' },
          series: tasks.map(bias),
        },
      },
      {
        name: 'reliability',
        plot: {
          title: 'Returns by what the critic promised, at the end',
          x: { label: 'Q' },
          y: { label: 'mean return' },
          series: [...tasks.map(reliable), diagonal],
        },
      },
    ],
    notes: [
      `At the end: ${ends.join('; ')}.`,
      'Q is the mean of the two members for the action that was executed; the return is that of the episode from there on, without operator and commands. ' +
        'The critics are trained on another policy than the one judged: half demonstrations and interventions, half rollouts that an operator helped. A positive bias means that they promise more than the policy earns alone. ' +
        'A truncated episode returns 0 from every step. Steps of one episode hang together; the correlation is over steps.',
    ],
  }
}

/** Equal returns, or equal Q, correlate with nothing. */
const decimals = (value: number) => (Number.isFinite(value) ? value.toFixed(2) : '–')
const signed = (value: number) => `${value < 0 ? '' : '+'}${value.toFixed(2)}`

function table(calibrations: readonly CriticCalibration[]): Table {
  const rows = calibrations.flatMap(({ seed, robotSteps, tasks }) =>
    Object.entries(tasks).map(([task, { q, returned, episodes, successes }]) => {
      const found = fit(q, returned)
      return [
        task,
        String(seed),
        robotMinutes(robotSteps).toFixed(1),
        `${successes} of ${episodes}`,
        String(q.length),
        found.q.toFixed(2),
        found.returned.toFixed(2),
        signed(found.bias),
        decimals(found.correlation),
        found.error.toFixed(2),
      ]
    }),
  )
  return {
    header: ['task', 'seed', 'robot min', 'successes', 'steps', 'mean Q', 'mean return', 'bias', 'correlation', 'RMSE'],
    rows,
  }
}
