import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MetricsWriter } from '../../src/metrics/metrics.ts'
import { summarise } from '../../src/metrics/summary.ts'
import { EpisodeLog } from '../../src/replay/log.ts'
import { countBars, resultStrip } from '../../src/review/report/bars.ts'
import { renderReport, writeReport } from '../../src/review/report/index.ts'
import { page } from '../../src/review/report/page.ts'
import { plot, type Series } from '../../src/review/report/plot.ts'
import { linearScale, robustDomain, tickLabel, ticks } from '../../src/review/report/scale.ts'
import {
  assistedSuccess,
  byUpdate,
  movingIntervention,
  movingOperatorTime,
  robotClock,
  unaidedSuccess,
  wallClock,
  withoutRepeats,
} from '../../src/review/report/series.ts'
import { standaloneSvg } from '../../src/review/report/standalone.ts'
import { path } from '../../src/review/report/svg.ts'
import { aRobot } from '../replay/scenes.ts'
import { anEpisode, anEvaluation, anUpdate } from '../run/builders.ts'

const SIGN = { sign: 'a sign', words: 'words', figure: 'figure', advice: 'advice' }

describe('axes', () => {
  it('put the ends of the domain on the ends of the range, upside down where asked', () => {
    const y = linearScale([0, 4], [200, 0])
    expect([y(0), y(1), y(4)]).toEqual([200, 150, 0])
  })
  it('tick at round numbers inside the domain', () => {
    expect(ticks([0, 26.3], 6)).toEqual([0, 5, 10, 15, 20, 25])
    expect(ticks([-0.13, 0.31], 4)).toEqual([-0.1, 0, 0.1, 0.2, 0.3])
    expect(ticks([3, 3])).toEqual([3])
  })
  it('write large and tiny ticks shortly', () =>
    expect([0, 0.25, 12_000, 0.0002, 3e6].map(tickLabel)).toEqual(['0', '0.25', '12\u2009000', '2e-4', '3e+6']))
  it('are not stretched by one spike or by a diverged value', () => {
    const values = [...Array.from({ length: 999 }, (_, i) => i / 998), 1e6, Number.NaN]
    const [low, high] = robustDomain(values)
    expect(low).toBeGreaterThan(-0.1)
    expect(high).toBeLessThan(1.1)
  })
})

describe('series', () => {
  const episodes = [
    anEpisode({ robotSteps: 600, time: 60, success: true, operatorSteps: 10, length: 20 }),
    anEpisode({ robotSteps: 1200, time: 300, success: true, operatorSteps: 0, length: 60 }),
    anEpisode({ robotSteps: 1800, time: 360, success: false, operatorSteps: 0, length: 20 }),
  ]
  it('tell success with help from success alone', () => {
    expect(assistedSuccess(episodes, robotClock(), 2).map(({ y }) => y)).toEqual([1, 1, 0.5])
    expect(unaidedSuccess(episodes, robotClock(), 2).map(({ y }) => y)).toEqual([0, 0.5, 0.5])
  })
  it('leave out what a person took back, or a stop cut short, but not the steps that the operator took in it', () => {
    const cut = anEpisode({ robotSteps: 1500, success: false, aborted: true, operatorSteps: 10, length: 10 })
    const all = episodes.toSpliced(2, 0, cut)
    expect(assistedSuccess(all, robotClock(), 2)).toEqual(assistedSuccess(episodes, robotClock(), 2))
    expect(unaidedSuccess(all, robotClock(), 2)).toEqual(unaidedSuccess(episodes, robotClock(), 2))
    expect(movingIntervention(all, robotClock(), 2).map(({ y }) => y)).toEqual([0.5, 0.125, 10 / 70, 10 / 30])
  })
  it('place events by robot minutes or by wall minutes', () => {
    expect(assistedSuccess(episodes, robotClock(), 2).map(({ x }) => x)).toEqual([1, 2, 3])
    expect(assistedSuccess(episodes, wallClock(), 2).map(({ x }) => x)).toEqual([1, 5, 6])
  })
  it('weigh interventions by steps: 10 of 20, then 10 of 80, then 0 of 80', () =>
    expect(movingIntervention(episodes, robotClock(), 2).map(({ y }) => y)).toEqual([0.5, 0.125, 0]))
  it("count words: an episode with a command is not alone, and costs a second of the operator's time", () => {
    const told = [
      anEpisode({ success: true, operatorSteps: 10, length: 20, spokenSteps: 0, commands: 0 }), // 1 s of 2 s
      anEpisode({ success: true, operatorSteps: 0, length: 60, spokenSteps: 12, commands: 2 }), // 2 s of 6 s
    ]
    expect(unaidedSuccess(told, robotClock(), 2).map(({ y }) => y)).toEqual([0, 0])
    expect(movingOperatorTime(told, robotClock(), 2).map(({ y }) => y)).toEqual([0.5, 3 / 8])
    expect(movingOperatorTime(told, robotClock(5), 2).map(({ y }) => y)).toEqual([0.5, 4 / 16]) // 2 s of 4, 2 of 12
    expect(movingOperatorTime(episodes, robotClock(), 2)).toEqual([]) // nobody could speak
    const drawn = (metrics: typeof told) =>
      renderReport({ name: 'x', metrics, summary: summarise(metrics, { seed: 0 }), config: '' })
    expect(drawn(told)).toContain('time, words included')
    expect(drawn(told)).toContain('operator seconds, 2 of them for commands')
    expect(drawn(episodes)).not.toContain('words included')
  })
  it('thin a long curve to means of neighbours and skip what was not measured', () => {
    const updates = [1, 2, 3, 4].map((update) => anUpdate({ update, figures: { 'critic.td': update ** 2 } }))
    expect(byUpdate(updates, ({ figures }) => figures['critic.td'], 2)).toEqual([
      { x: 2, y: 2.5 },
      { x: 4, y: 12.5 },
    ])
    expect(byUpdate(updates, ({ figures }) => figures['refine.loss'])).toEqual([])
  })
  it('drop the updates that a resumed run repeated, keeping the later ones', () => {
    const log = [1, 2, 3, 4, 3, 4, 5].map((update, time) => anUpdate({ update, time }))
    expect(withoutRepeats(log).map(({ update, time }) => [update, time])).toEqual([
      [1, 0],
      [2, 1],
      [3, 4],
      [4, 5],
      [5, 6],
    ])
  })
  it('leave a gap where a value diverged', () =>
    expect(
      path([
        [0, 0],
        [1, Number.NaN],
        [2, 2],
        [3, 3],
      ] as const),
    ).toBe('M0 0M2 2L3 3'))
})

describe('colours', () => {
  const nine: Series[] = Array.from({ length: 9 }, (_, colour) => ({
    name: `series ${colour}`,
    colour,
    look: 'line',
    points: [
      { x: 0, y: colour },
      { x: 1, y: colour },
    ],
  }))
  const chart = { title: 'many', x: { label: 'x' }, y: { label: 'y' }, series: nine }

  it.each([
    ['a figure of the page', () => page('many', plot(chart))],
    ['a file of its own', () => standaloneSvg(chart)],
  ])('are styled for every series of %s', (_, draw) => {
    const drawn = draw()
    const used = new Set([...drawn.matchAll(/class="(s\d+)"/g)].map(([, name]) => name!))
    expect(used.size).toBeGreaterThanOrEqual(8)
    for (const name of used) expect(drawn).toMatch(new RegExp(`\\.${name} \\{`))
  })
})

describe('a report of a run that goes on, or was stopped', () => {
  const draw = (...metrics: Parameters<typeof summarise>[0]) =>
    renderReport({ name: 'x', metrics, summary: summarise(metrics, { seed: 0 }), config: '' })
  const begun = anEvaluation({ stage: 'step 0' })

  it('does not call its last evaluation the end', () => {
    const stopped = draw(begun, anEpisode({ robotSteps: 300 }))
    expect(stopped).toContain('success in the last evaluation so far, mean over tasks')
    expect(stopped).toContain('Step 0 against the last evaluation so far')
    expect(stopped).not.toMatch(/at the end|>final</)
    const ended = draw(begun, anEpisode({ robotSteps: 300 }), anEvaluation({ stage: 'final', robotSteps: 300 }))
    expect(ended).toContain('success at the end, mean over tasks')
    expect(ended).not.toContain('so far')
  })

  it('draws no step 0 where there was none', () => {
    const canary = draw(anEpisode({ robotSteps: 300 }), anEvaluation({ stage: 'on the way', robotSteps: 300 }))
    expect(canary).not.toMatch(/<circle class="hollow"/)
    expect(canary).toMatch(/not evaluated.{0,80}before the first online step/s)
  })
})

describe('small drawings', () => {
  it('place step 0 and result on the strip of 184 pixels from 8', () => {
    const strip = resultStrip({ step0: 0.25, success: 0.5, interval: [0.375, 0.75] }, 1)
    expect(strip).toContain('class="hollow" cx="54"')
    expect(strip).toContain('class="dot" cx="100"')
    expect(strip).toContain('x1="77" x2="146"')
  })
  it('sum rare labels up', () => {
    const bars = countBars({ a: 1, b: 5, c: 2, d: 4 }, 2)
    expect(bars.indexOf('>b<')).toBeLessThan(bars.indexOf('>d<'))
    expect(bars).toContain('other (2)')
    expect(bars).toContain('>3<')
  })
})

const metrics = [
  anUpdate({ phase: 'warm-up', update: 1 }),
  anEvaluation({}),
  anEpisode({}),
  anUpdate({ update: 2, figures: { 'refine.bc': 1, 'refine.obedience': 0.2, meanMu: 0.3 } }),
  anEvaluation({ robotSteps: 40 }),
  { kind: 'labels' as const, time: 3, robotSteps: 40, counts: { 'move <up>': 3 } },
]

/** Every opening tag is closed in order; returns the tags seen. */
function balancedTags(html: string): Set<string> {
  const open: string[] = []
  const seen = new Set<string>()
  for (const [, slash, name] of html
    .replace(/<style>.*<\/style>/s, '')
    .matchAll(/<(\/?)([a-zA-Z0-9]+)(?:\s[^>]*)?>/g)) {
    if (['meta', 'img'].includes(name!)) continue
    seen.add(name!)
    if (!slash) open.push(name!)
    else expect(open.pop()).toBe(name)
  }
  expect(open).toEqual([])
  return seen
}

describe('report', () => {
  const html = () =>
    renderReport({
      name: 'a "run"',
      metrics,
      summary: summarise(metrics, { seed: 5 }),
      config: 'seed: 5',
      command: 'duet <train>',
    })

  it('is balanced markup without scripts and loads nothing', () => {
    expect(balancedTags(html())).toContain('svg')
    expect(html()).not.toMatch(/<script|<link|@import|url\(http|src="http|href=/)
  })
  it('shows text from outside as text', () => {
    expect(html()).toContain('duet &lt;train&gt;')
    expect(html()).toContain('move &lt;up&gt;')
    expect(html()).toContain('a &quot;run&quot;')
  })
  it('leaves out sections without measurements', () => {
    const page = renderReport({ name: 'empty', metrics: [], summary: summarise([], { seed: 0 }), config: 'seed: 0' })
    expect(page).not.toContain('Losses')
    expect(page).toContain('not evaluated')
  })
})

describe('writeReport', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'duet-report-'))
    const writer = MetricsWriter.open(join(folder, 'metrics.jsonl'))
    for (const metric of metrics) writer.write(metric)
    writer.close()
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('draws the run folder into one file, frames included', () => {
    writeFileSync(join(folder, 'config.yaml'), 'seed: 31\ntasks: [place]\n')
    mkdirSync(join(folder, 'frames'))
    writeFileSync(join(folder, 'frames', 'place-front.png'), Buffer.from([1, 2, 3]))
    const page = readFileSync(writeReport(folder), 'utf8')
    expect(page).toContain('src="data:image/png;base64,AQID"')
    expect(page).toContain('<b>31</b><span>seed</span>')
    expect(page).toContain('tasks: [place]')
  })
  it('counts the minutes of a robot that makes another number of steps a second, as its log says', () => {
    writeFileSync(join(folder, 'config.yaml'), 'seed: 31\n')
    const writer = MetricsWriter.open(join(folder, 'metrics.jsonl'))
    writer.write(anEvaluation({ robotSteps: 6000 }))
    writer.write({
      kind: 'health',
      time: 0,
      robotSteps: 6000,
      signs: [{ ...SIGN, since: { time: 0, robotSteps: 3000 } }],
    })
    writer.close()
    EpisodeLog.open(join(folder, 'log'), { ...aRobot(), rate: 5 }).close()
    const page = readFileSync(writeReport(folder), 'utf8')
    expect(page).toContain('<b>20.0</b><span>robot minutes</span>')
    expect(page).toContain('at 20.0 robot minutes')
    expect(page).toContain('>10.0 min<')
    writeFileSync(join(folder, 'log', 'segment-000000.duetlog'), 'no log')
    expect(readFileSync(writeReport(folder), 'utf8')).toContain('<b>10.0</b><span>robot minutes</span>')
  })
  it('says which file of the run is missing', () =>
    expect(() => writeReport(folder)).toThrow(/config\.yaml: is missing/))
})
