import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Experiment, ExperimentOptions, Section } from '../../src/studies/experiment.ts'
import { commandOf, type Making, markdown, publish, replacePart } from '../../src/studies/publish.ts'
import { temporaryFolder } from './fabricated.ts'

const docs = temporaryFolder()
const options: ExperimentOptions = {
  purpose: 'tuning',
  seeds: [0, 1, 2],
  trials: 25,
  robotMinutes: 60,
  overrides: { learner: { batch: 48 }, tasks: ['pick'] },
}
const experiment = (name: string): Experiment => ({
  name,
  title: `Title of ${name}`,
  question: 'What for?',
  robotMinutes: 60,
  run: () => Promise.reject(new Error('is not run here')),
})
const section = (cell: string): Section => ({
  tables: [{ title: 'Success', header: ['method', 'a|b'], rows: [['dual', cell]] }],
  plots: [
    {
      name: 'curve',
      plot: {
        title: 'Success & more',
        caption: 'A caption.',
        x: { label: 'minutes' },
        y: { label: 'success' },
        series: [
          {
            name: 'ours',
            colour: 0,
            look: 'line',
            points: [
              { x: 0, y: 0 },
              { x: 1, y: 1 },
            ],
          },
          { name: 'paper', colour: 1, look: 'dots', points: [{ x: 1, y: 0.5 }] },
        ],
      },
    },
  ],
  notes: ['A note.'],
})
const making: Making = {
  preset: 'quick',
  options,
  wallMinutes: 12.4,
  runs: new Map([['dual', { settings: { method: 'dual' }, seeds: [2, 0, 1], versions: new Set(['abc1234']) }]]),
}
const page = () => readFileSync(join(docs, 'results.md'), 'utf8')

describe('publish', () => {
  it('begins a page, and says how the section was made', () => {
    publish(docs, experiment('one'), section('1'), making)
    expect(page()).toContain('## Title of one\n\nWhat for?')
    expect(page()).toContain('*Tuning: training seeds 0, 1, 2, evaluation starts from 1,000,000 on.')
    expect(page()).toContain('| method | a\\|b |\n| --- | ---: |\n| dual | 1 |')
    expect(page()).toContain('![Success & more](results/one-curve.svg)\n\n*A caption.*')
    expect(page()).toContain(
      "`npx duet experiments one --preset quick --seeds 0,1,2 --trials 25 --robot-minutes 60 --tuning --set 'learner.batch=48' --set 'tasks=[\"pick\"]' --publish`",
    )
    expect(page()).toContain('Wall time of its runs together 12 min.')
    expect(page()).toContain('- dual, seeds 0, 1, 2: `method="dual"` (abc1234)')
    expect(page()).toContain(new Date().toISOString().slice(0, 10))
  })

  it('appends a further section, and leaves prose and the other sections as they are', () => {
    publish(docs, experiment('two'), section('2'), making)
    const withProse = page().replace('<!-- begin two -->', 'Prose between $& and $1.\n\n<!-- begin two -->')
    writeFileSync(join(docs, 'results.md'), `${withProse}\nProse at the end.\n`)
    const before = page()
    publish(docs, experiment('one'), section('after $& it'), making)
    expect(page()).toBe(before.replace('| dual | 1 |', () => '| dual | after $& it |'))
  })

  it('says of one training seed that it is one', () => {
    publish(docs, experiment('one'), section('of one'), { ...making, options: { ...options, seeds: [2] } })
    expect(page()).toContain('## Title of one, training seed 2\n')
    expect(page()).toContain('training seed 2, evaluation starts')
  })

  it('puts another preset and other seeds beside what is there, under names, plots and the command of their own', () => {
    const before = page()
    const other = { ...making, preset: 'practice' as const, options: { ...options, seeds: [2, 0] } }
    publish(docs, experiment('one'), section('of others'), other)
    expect(page().startsWith(before.trimEnd())).toBe(true)
    const added = page().slice(before.trimEnd().length)
    expect(added).toContain(
      '<!-- begin one-practice-seeds-2-0 -->\n## Title of one, preset `practice`, training seeds 2, 0\n',
    )
    expect(added).toContain('(results/one-practice-seeds-2-0-curve.svg)')
    expect(added).toContain('`npx duet experiments one --preset practice --seeds 2,0 ')
    publish(docs, experiment('one'), section('anew'), { ...other, options: { ...options, seeds: [1, 2, 0] } })
    expect(page()).toContain('<!-- begin one-practice -->\n## Title of one, preset `practice`\n')
    publish(docs, experiment('one'), section('in another order'), {
      ...making,
      options: { ...options, seeds: [2, 1, 0] },
    })
    expect(page()).not.toContain('after $& it')
  })

  it('draws plots that need no page around them', () => {
    const svg = readFileSync(join(docs, 'results', 'one-curve.svg'), 'utf8')
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/)
    for (const text of ['Success &amp; more', 'ours', 'paper', '<style>', 'minutes']) expect(svg).toContain(text)
    expect(svg).not.toContain('var(')
  })

  it('refuses a page with half a pair of markers', () => {
    expect(() => replacePart('page', 'x <!-- begin one --> y', 'one', 'z')).toThrow('markers of one are not a pair')
    expect(() => replacePart('page', '<!-- end one --> <!-- begin one -->', 'one', 'z')).toThrow('not a pair')
  })
})

it('says of reported seeds which recipe they were run by', () => {
  const reported = { ...options, purpose: 'reporting' as const, seeds: [10, 11] }
  const recipe = { commit: 'abc123456789', day: '2026-01-02' }
  expect(markdown(experiment('one'), section('1'), { ...making, options: reported, recipe })).toContain(
    '*Reporting: training seeds 10, 11, evaluation starts from 3,000,000 on. The recipe is that of abc123456789, frozen on 2026-01-02: ' +
      'nothing was chosen on these.*',
  )
  const unevaluated = { ...making, options: reported, recipe, runs: new Map() }
  expect(markdown(experiment('one'), section('1'), unevaluated)).toContain(
    '*Reporting: training seeds 10, 11. The recipe',
  )
  expect(commandOf('x', 'quick', reported)).not.toContain('--tuning')
})

it('commandOf leaves out settings that are not there', () => {
  expect(commandOf('x', 'tiny', { ...options, overrides: {} })).toBe(
    'npx duet experiments x --preset tiny --seeds 0,1,2 --trials 25 --robot-minutes 60 --tuning --publish',
  )
})
