/** @file How the robots of a fleet are, in figures and in words. */
import { describe, expect, it } from 'vitest'
import { FLEET_FIGURES, figuresOfFleet, type KnownRobot, standingsOf } from '../../src/fleet/standings.ts'
import { statusInWords } from '../../src/fleet/status.ts'
import { figureCharts } from '../../src/metrics/figure.ts'

const robot = (name: string, other: Partial<KnownRobot> = {}): KnownRobot => ({
  robot: name,
  steps: 100,
  episodes: 2,
  outcomes: [true, false],
  policyVersion: 40,
  heard: 0.4,
  here: true,
  does: 'acts',
  lag: 0.02,
  fault: null,
  page: null,
  ...other,
})

describe('the robots of a fleet', () => {
  it('have their share, their lag, the age of their policy and the success of their last episodes', () => {
    const [a, b] = standingsOf([robot('A', { steps: 300 }), robot('B', { lag: null, policyVersion: undefined })], 100)
    expect(a).toMatchObject({ robot: 'A', share: 0.75, lag: 0.02, policyAge: 60, success: 0.5, help: null })
    expect(b).toMatchObject({ robot: 'B', share: 0.25, lag: null, policyAge: null })
    const figures = figuresOfFleet([a!, b!])
    expect(figures).toEqual({
      ...{ 'share.A': 0.75, 'lag.A': 0.02, 'policyAge.A': 60, 'robotSuccess.A': 0.5 },
      ...{ 'share.B': 0.25, 'robotSuccess.B': 0.5 },
    })
    expect(figureCharts(FLEET_FIGURES, [figures]).map(({ title, lines }) => [title, lines.length])).toEqual([
      ['Share of samples', 2],
      ['Step to replay', 1],
      ['Policy age', 1],
      ['Success, last 20 episodes', 2],
    ])
  })

  it('that need help come first: held, then missed, then failing', () => {
    const failing = Array.from({ length: 10 }, (_, i) => i < 2)
    const robots = [
      robot('well'),
      robot('new', { outcomes: failing.slice(5) }),
      robot('failing', { outcomes: failing }),
      robot('silent', { heard: 30 }),
      robot('held', { fault: 'force: 31 N on the tool' }),
      robot('gone', { here: false, does: null }),
      robot('done', { here: false, does: 'is done' }),
    ]
    expect(standingsOf(robots, 100).map((one) => [one.robot, one.help])).toEqual([
      ['held', 'force: 31 N on the tool'],
      ['silent', 'is silent'],
      ['gone', 'has left'],
      ['failing', 'succeeded in 20 % of its last episodes'],
      ['well', null],
      ['new', null],
      ['done', null],
    ])
  })

  it('stand in a table', () => {
    const versions = { newest: 100, acting: 90, chosen: null, failed: { version: 95, successes: 1, trials: 6 } }
    const kept = [{ version: 90, hash: 'abc', at: '2026-01-01' }]
    const status = { at: 1000, robots: standingsOf([robot('left', { lag: 12.4 })], 100), versions, kept }
    expect(statusInWords(status, 4000)).toEqual([
      'As of 3 s ago.',
      'robot  samples   lag  policy age  success  episodes   heard',
      'left     100 %  12 s          60     50 %         2  0.40 s  acts',
      'Robots get version 90; the learner is at 100.',
      'Version 95 failed its trial: 1 of 6.',
      'Kept: 90',
    ])
  })
})
