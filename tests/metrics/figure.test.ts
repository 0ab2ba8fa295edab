import { describe, expect, it } from 'vitest'
import { each, type Figure, type Figures, figureCharts } from '../../src/metrics/figure.ts'

const declared: Figure[] = [
  { name: 'critic.td', title: 'temporal difference', chart: 'Critics', unit: 'loss' },
  { name: 'critic.loss', title: 'total', chart: 'Critics', unit: 'loss' },
  { name: 'meanQ', title: 'Q̄', chart: 'Value', unit: 'Q̄', of: 'task' },
  { name: 'never', title: 'measured', chart: 'Nothing', unit: '-' },
]

describe('charts of figures', () => {
  it('hold every value that was measured, those declared together on one axis', () => {
    const measured: Figures[] = [
      { 'critic.td': 1, 'meanQ.pick': 0.5 },
      { 'critic.loss': 2, 'meanQ.place': 0.25 },
    ]
    expect(figureCharts(declared, measured)).toEqual([
      {
        title: 'Critics',
        unit: 'loss',
        perTask: false,
        lines: [
          { title: 'temporal difference', key: 'critic.td' },
          { title: 'total', key: 'critic.loss' },
        ],
      },
      {
        title: 'Value',
        unit: 'Q̄',
        perTask: true,
        lines: [
          { title: 'pick', key: 'meanQ.pick' },
          { title: 'place', key: 'meanQ.place' },
        ],
      },
    ])
  })

  it('show a figure that nothing declares, too: a run of another version is no blank page', () => {
    expect(
      figureCharts([], [{ 'refine.bc': 1, 'refine.q': 2, meanMu: 3 }]).map(({ title, lines }) => [
        title,
        lines.map((line) => line.title),
      ]),
    ).toEqual([
      ['refine', ['bc', 'q']],
      ['meanMu', ['meanMu']],
    ])
  })
})

describe('figures of each task', () => {
  it('are found by the name before the point, and not by its beginning', () =>
    expect(each({ 'meanQ.a.b': 1, 'meanQ2.a': 2, meanQ: 3 }, 'meanQ')).toEqual({ 'a.b': 1 }))
})
