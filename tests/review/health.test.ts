import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Metric, MetricsWriter, readMetrics } from '../../src/metrics/metrics.ts'
import { ofKind } from '../../src/metrics/of-kind.ts'
import { summarise } from '../../src/metrics/summary.ts'
import { assess } from '../../src/review/health/health.ts'
import { meanReturn } from '../../src/review/health/heard.ts'
import { deafObedience } from '../../src/review/health/refinement-signs.ts'
import { watchHealth } from '../../src/review/health/watch.ts'
import { renderReport } from '../../src/review/report/index.ts'
import { healthStretches } from '../../src/review/report/series.ts'
import { resolveConfig } from '../../src/run/resolve.ts'
import { allCommands, commandDirection } from '../../src/talk/vocabulary.ts'
import { anEpisode, anUpdate } from '../run/builders.ts'

const config = resolveConfig('quick')
const names = (metrics: readonly Metric[]) => assess(metrics, config).map(({ sign }) => sign)
const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))

/** A run as the healthy ones look: Q̄ climbs to the return, obedience well below deaf, small gradients, small μ. */
function healthyUpdate(i: number, { figures, ...fields }: Parameters<typeof anUpdate>[0] = {}) {
  return anUpdate({
    update: 10 * i,
    time: i,
    robotSteps: 34 * i,
    ...fields,
    figures: {
      'meanQ.place': Math.min(0.62, -0.4 + 0.02 * i),
      'meanQ.pick': Math.min(0.75, -0.1 + 0.02 * i),
      'weight.pick': 0.8,
      'gradientNorm.critic': 0.1,
      'gradientNorm.head': 1.5,
      'gradientNorm.refine': 0.1,
      'refine.bc': 0.07,
      'refine.obedience': 0.045,
      meanMu: 0.7,
      ...figures,
    },
  })
}

/** Episodes and updates as they follow each other: one episode of each task, then two updates. */
function run(
  rounds: number,
  { from = 0, update = {}, episode = (_round: number, _task: string) => ({}) } = {},
): Metric[] {
  return many(rounds, (round) => {
    const robotSteps = 60 * (from + round + 1)
    const episodes = ['place', 'pick'].map((task) =>
      anEpisode({ task, robotSteps, length: 30, operatorSteps: round % 2 ? 4 : 0, ...episode(round, task) }),
    )
    return [...episodes, ...many(2, (k) => healthyUpdate(2 * (from + round) + k, { robotSteps, ...update }))]
  }).flat()
}

/** The same from a learner that does not measure this. */
const without = (name: string, metrics: readonly Metric[]): Metric[] =>
  metrics.map((metric) => {
    if (metric.kind !== 'update') return metric
    const { [name]: _, ...figures } = metric.figures
    return { ...metric, figures }
  })

describe('health', () => {
  it('speaks where commands leave later than a period after their picture, or unevenly, and not before', () => {
    const timed = (latency99: number, jitter99: number) =>
      run(20, {
        episode: () => ({
          timing: { period: 100, steps: 30, jitterMedian: 1, jitter99, latencyMedian: 20, latency99 },
        }),
      })
    expect(names(timed(60, 9))).toEqual([])
    expect(names(timed(130, 9))).toEqual(['late commands'])
    expect(names(timed(60, 40))).toEqual(['late commands'])
  })

  it('is silent on a healthy run, at its beginning and at its end', () => {
    for (const rounds of [1, 10, 60, 150]) expect(names(run(rounds))).toEqual([])
  })

  it('names an extreme shift of the noise, with the figure', () => {
    const [sign] = assess(run(30, { update: { figures: { meanMu: 2.2 } } }), config)
    expect(sign!.sign).toBe('extreme μ')
    expect(sign!.figure).toContain('2.20')
    expect(names(run(30, { update: { figures: { meanMu: 1.2 } } }))).toEqual([])
  })

  it('names a task that stays flat while another rises, and neither when both are flat', () => {
    const alone = (yes: boolean) => ({ operatorSteps: yes ? 0 : 5 })
    const sick = run(100, {
      episode: (round, task) => alone(task === 'pick' ? round > 50 || round % 4 === 0 : round % 4 === 0),
    })
    const [sign, ...others] = assess(sick, config)
    expect(others).toEqual([])
    expect(sign!.sign).toBe('flat task, place')
    expect(sign!.figure).toBe('without help 25 % in its first 40 episodes, 25 % in the last; ε 1.00; 50 % of the steps')
    expect(names(run(100, { episode: (round) => alone(round % 4 === 0) }))).toEqual([])
  })

  it('names labels that say nothing', () => {
    const labels = (counts: Record<string, number>): Metric => ({ kind: 'labels', time: 1, robotSteps: 60, counts })
    const after = (counts: Record<string, number>) => names([labels(counts), ...run(20)])
    expect(after({ '[null]': 60, 'move left': 40 })).toEqual(['silent corrections'])
    expect(after({ '[null]': 10, 'move left': 90 })).toEqual([])
    expect(after({ '[null]': 6, 'move left': 4 })).toEqual([]) // too few to say
  })

  it('knows what a deaf actor scores: the mean squared shift over all commands that ask for something', () => {
    const asking = allCommands()
      .slice(1)
      .map((command) => commandDirection(command))
    const squares = asking.map((direction) => direction.reduce((sum, sign) => sum + (0.3 * sign) ** 2, 0))
    expect(deafObedience(0.3)).toBeCloseTo(squares.reduce((a, b) => a + b, 0) / 26, 12)
  })

  it('names commands without effect', () => {
    const figures = { 'refine.obedience': 0.18 } // deaf: 0.187
    expect(names(run(60, { update: { figures } }))).toEqual(['commands without effect'])
  })

  it('names commands without effect by what they change, where nothing trains obedience', () => {
    const measured = (response: number, rounds = 60) =>
      assess(
        without('refine.obedience', run(rounds, { update: { figures: { 'refine.response': response } } })),
        resolveConfig('paper'),
      )
    expect(measured(0.012).map(({ sign }) => sign)).toEqual(['commands without effect'])
    expect(measured(0.012)[0]!.figure).toContain('by 0.012 along each axis')
    expect(measured(0.11)).toEqual([]) // a weak one of docs/method.md §13
    expect(measured(0.012, 5)).toEqual([]) // ten measurements of twelve
  })

  it('names critics that rank the actions of corrected states as a coin would, with the control', () => {
    const ranked = (own: number, elsewhere?: number) =>
      assess(
        run(60, {
          update: { figures: { 'critic.rank': own, ...(elsewhere && { 'critic.rankElsewhere': elsewhere }) } },
        }),
        config,
      )
    expect(ranked(0.52, 0.49).map(({ sign }) => sign)).toEqual(['critics at chance'])
    expect(ranked(0.52, 0.49)[0]!.figure).toContain('in 52 % of such states, and in 49 % where')
    expect(ranked(0.2).map(({ sign }) => sign)).toEqual(['critics at chance']) // worse than a coin
    expect(ranked(0.58)).toEqual([])
  })

  it.each([
    ['quick', 1, 'more corrections; let nothing follow them yet: networks.criticsMove=head and online.qWeight=0'],
    [
      'quick',
      0,
      'learner.ranking.weight=1, or let nothing follow them: networks.criticsMove=head and online.qWeight=0',
    ],
    ['paper', 0, 'learner.ranking.weight=1, or let nothing follow them: online.qWeight=0'],
  ] as const)(
    'of critics at chance in %s, ranking weight %f, says what would silence them',
    (preset, weight, advice) => {
      const settings = resolveConfig(preset, undefined, [{ learner: { ranking: { weight } } }])
      const signs = assess(run(60, { update: { figures: { 'critic.rank': 0.5 } } }), settings)
      expect(signs.find(({ sign }) => sign === 'critics at chance')!.advice).toContain(advice)
    },
  )

  describe('a policy that falls', () => {
    const alone = (share: number) => (round: number) => ({ operatorSteps: (round * 37) % 100 < 100 * share ? 0 : 5 })
    const falling = (to: number, { qWeight = 0.5, figure = '' } = {}) => {
      const episode = (round: number) => (round < 100 ? alone(0.6) : alone(to))(round)
      const advised = { ...config, online: { ...config.online, qWeight } }
      return assess(without(figure, run(200, { episode })), advised).map(({ sign }) => sign)
    }

    it('is named where its critics advise it', () => {
      expect(falling(0.2)).toContain('critics spoil the policy') // 22 to 61 and 12 to 32 % at 95 %
    })

    it('is not where the fall may be chance, where nobody advises it, or where the method has no such term', () => {
      expect(falling(0.5)).toEqual([])
      expect(falling(0.2, { qWeight: 0 })).not.toContain('critics spoil the policy')
      expect(falling(0.2, { figure: 'actor.q' })).not.toContain('critics spoil the policy')
    })

    it('is not where episodes were taken back, or cut short: their ends are no failures', () => {
      const cut = run(200, {
        episode: (round) => (round < 100 ? { operatorSteps: 0 } : { success: false, aborted: true }),
      })
      expect(names(cut)).not.toContain('critics spoil the policy')
      const failed = run(200, { episode: (round) => ({ operatorSteps: 0, success: round < 100 }) })
      expect(names(failed)).toContain('critics spoil the policy')
    })

    it('counts an episode with a command as helped', () => {
      const told = run(200, { episode: (round) => ({ operatorSteps: 0, commands: round < 100 ? 0 : 2 }) })
      expect(names(told)).toContain('critics spoil the policy')
    })
  })

  it('takes the mean return by hand: success after 3 steps and a failure of 2, γ = 0.5', () => {
    const { mean, error } = meanReturn(
      [
        { success: true, length: 3 },
        { success: false, length: 2 },
      ],
      0.5,
    )
    expect(mean).toBeCloseTo((0.25 + 0.5 + 1) / 5, 12) // 0.35
    expect(error).toBeCloseTo(Math.hypot(1.75 - 0.35 * 3, 0 - 0.35 * 2) / 5, 12)
  })

  it('names a critic that promises what no return can keep, and one that drifts away', () => {
    expect(names(run(60, { update: { figures: { 'meanQ.place': 1.4 } } }))).toContain('critic drifts, place')
    const drifting = run(120).map((metric) =>
      metric.kind === 'update'
        ? { ...metric, figures: { ...metric.figures, 'meanQ.pick': 0.75 - 0.004 * (metric.update / 10) } }
        : metric,
    )
    expect(names(drifting)).toEqual(['critic drifts, pick'])
    const climbing = run(120).map((metric) =>
      metric.kind === 'update'
        ? { ...metric, figures: { ...metric.figures, 'meanQ.pick': -0.6 + 0.004 * (metric.update / 10) } }
        : metric,
    )
    expect(names(climbing)).toEqual([]) // pessimistic still, but on its way
  })

  it('names an operator who works more and more', () => {
    const tired = run(100, { episode: (round) => ({ operatorSteps: round < 50 ? 3 : 12 }) })
    expect(names(tired)).toEqual(['operator works more'])
  })

  it('names a gradient that is always cut, but not that of fresh networks', () => {
    const figures = { 'gradientNorm.head': 14 }
    expect(names(run(60, { update: { figures } }))).toEqual(['exploding gradient'])
    expect(names(run(15, { update: { figures } }))).toEqual([])
  })

  it('names a number that is none at once', () => {
    const broken = anUpdate({ robotSteps: 600, figures: { 'critic.td': Number.NaN } })
    expect(names([...run(10), broken])).toEqual(['no number'])
  })

  it('names a camera that shows nothing new at once, until it sees again', () => {
    const camera = (look: 'frozen' | 'flat' | null, name = 'front') =>
      ({ kind: 'camera', time: 1, robotSteps: 600, robot: 'B', camera: name, look }) as const
    expect(assess([...run(10), camera('flat')], config)).toMatchObject([
      { sign: 'camera front of B flat', words: 'The arm moves, but camera front of B shows nothing.' },
    ])
    expect(names([...run(10), camera('frozen'), camera('frozen', 'wrist')])).toEqual([
      'camera front of B frozen',
      'camera wrist of B frozen',
    ])
    expect(names([...run(10), camera('frozen'), camera(null)])).toEqual([])
  })

  it('names a learner that has fallen silent', () => {
    const episodes = many(60, (i) => anEpisode({ robotSteps: 600 + 60 * i, task: i % 2 ? 'place' : 'pick' }))
    expect(names([...run(10), ...episodes])).toEqual(['idle learner'])
    expect(names([...run(10), ...episodes.slice(0, 15)])).toEqual([])
  })

  it('says since when, and keeps it while the sign stands', () => {
    const sick = run(60, { update: { figures: { meanMu: 2.2 } } })
    const [early] = assess(sick.slice(0, 120), config)
    const [late] = assess(sick, config)
    expect(early!.since.robotSteps).toBeGreaterThan(0)
    expect(late!.since).toEqual(early!.since)
  })

  it('clears a sign when its figure is good again', () => {
    const sick = run(30, { update: { figures: { meanMu: 2.2 } } })
    expect(names([...sick, ...run(30, { from: 30 })])).toEqual([])
  })
})

describe('parts of a robot', () => {
  const condition = (temperature: number, voltage: number) => ({
    kind: 'condition' as const,
    time: 0,
    robotSteps: 0,
    robot: 'A',
    parts: [{ part: 'elbow', temperature, hottest: 65, voltage }],
  })
  const signs = (...readings: [temperature: number, voltage: number][]) =>
    assess(
      readings.map(([temperature, voltage]) => condition(temperature, voltage)),
      config,
    ).map(({ sign, figure }) => [sign, figure])

  it('are named before they are so hot that the robot stops, and no longer once they have cooled', () => {
    expect(signs([55, 12])).toEqual([])
    expect(signs([40, 12], [56, 12])).toEqual([['part elbow of A hot', '56 °C, at 65 °C the robot stops']])
    expect(signs([56, 12], [50, 12])).toEqual([])
  })

  it('are named where their supply sinks by more than 15 %', () => {
    expect(signs([40, 12], [40, 10.3])).toEqual([])
    expect(signs([40, 12], [40, 10.1])).toEqual([['part elbow of A low voltage', '10.1 V, at first 12.0 V']])
  })
})

describe('a run that watches its health', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'duet-health-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('writes a line when a sign appears and when it clears, and tells of both once, over a restart too', () => {
    const file = join(folder, 'metrics.jsonl')
    const sick = run(30, { update: { figures: { meanMu: 2.2 } } })
    const told: string[] = []
    const play = (metrics: readonly Metric[]) => {
      const writer = MetricsWriter.open(file)
      watchHealth(writer, readMetrics(file), config, ({ appeared, cleared }) => {
        told.push(...appeared.map(({ sign }) => `+${sign}`), ...cleared.map(({ sign }) => `-${sign}`))
      })
      for (const metric of metrics) writer.write(metric)
      writer.close()
    }
    play(sick)
    expect(told).toEqual(['+extreme μ'])
    play(run(30, { from: 30 }))
    expect(told).toEqual(['+extreme μ', '-extreme μ'])
    const lines = ofKind(readMetrics(file), 'health')
    expect(lines.map(({ signs }) => signs.length)).toEqual([1, 0])
  })

  it('notes that a sign has gone which a resume has done away with, by other settings or a camera that was mended', () => {
    const file = join(folder, 'metrics.jsonl')
    const told: string[] = []
    const play = (metrics: readonly Metric[], settings = config) => {
      const writer = MetricsWriter.open(file)
      const opened: Metric = { kind: 'figures', time: 0, robotSteps: 0, declared: [] }
      writer.write(opened)
      watchHealth(writer, readMetrics(file), settings, ({ appeared, cleared }) => {
        told.push(...appeared.map(({ sign }) => `+${sign}`), ...cleared.map(({ sign }) => `-${sign}`))
      })
      for (const metric of metrics) writer.write(metric)
      writer.close()
    }
    const frozen: Metric = { kind: 'camera', time: 1, robotSteps: 1900, robot: 'A', camera: 'front', look: 'frozen' }
    play([...run(40, { update: { figures: { 'gradientNorm.head': 14 } } }), frozen])
    expect(told.splice(0)).toEqual(['+exploding gradient', '+camera front of A frozen'])
    play([anEpisode({ robotSteps: 1960 })], resolveConfig('quick', undefined, [{ learner: { maxGradientNorm: 50 } }]))
    expect(told.sort()).toEqual(['-camera front of A frozen', '-exploding gradient'])
    const stretches = healthStretches(ofKind(readMetrics(file), 'health'))
    expect(stretches.map(({ cleared }) => cleared)).toEqual([1960, 1960]) // the report has none that is still there
  })
})

describe('the report', () => {
  const sign = (name: string) => ({
    sign: name,
    words: `<b>${name}</b> is off.`,
    figure: 'a figure',
    advice: 'do this',
    since: { time: 0, robotSteps: 600 },
  })
  const line = (robotSteps: number, ...signs: ReturnType<typeof sign>[]) =>
    ({ kind: 'health', time: 0, robotSteps, signs }) as const

  it('follows each sign from where it appeared to where it cleared', () => {
    const stretches = healthStretches([line(600, sign('a')), line(1200, sign('a'), sign('b')), line(1800, sign('b'))])
    expect(stretches.map(({ last, cleared }) => [last.sign, cleared])).toEqual([
      ['a', 1800],
      ['b', undefined],
    ])
  })

  it('has a section of them, escaped, and none where nothing was wrong', () => {
    const draw = (metrics: Metric[]) =>
      renderReport({ name: 'x', metrics, summary: summarise(metrics, { seed: 0 }), config: 'seed: 0' })
    const html = draw([anEpisode({}), line(600, sign('a')), line(1800)])
    expect(html).toContain('<h2>Health</h2>')
    expect(html).toContain('&lt;b&gt;a&lt;/b&gt; is off.')
    expect(html).toContain('1.0 min')
    expect(html).toContain('3.0 min')
    expect(draw([anEpisode({})])).not.toContain('<h2>Health</h2>')
  })
})
