import { describe, expect, it } from 'vitest'
import type { Metric, MetricOf } from '../../src/metrics/metrics.ts'
import { adviceAfter, coach } from '../../src/review/coach.ts'
import { anEpisode, anUpdate } from '../run/builders.ts'

type Fields = Partial<MetricOf<'episode'>>
const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))

/** Succeeds alone in 40 steps, unless said otherwise. */
const alone = (fields: Fields = {}) => anEpisode({ segments: [], ...fields })
const fails = (fields: Fields = {}) => alone({ success: false, length: 80, ...fields })
/** Interventions as [from, steps]. */
const helped = (segments: [number, number][], fields: Fields = {}) =>
  anEpisode({
    operatorSteps: segments.reduce((sum, [, steps]) => sum + steps, 0),
    segments: segments.map(([from, steps]) => ({ from, steps })),
    ...fields,
  })
const values = (...q: number[]): Metric[] =>
  q.flatMap((place) => many(20, () => anUpdate({ figures: { 'meanQ.place': place, 'meanQ.pick': place + 0.5 } })))

const expectAdvice = (metrics: Metric[], rule: string, line: string) =>
  expect(adviceAfter(metrics)).toEqual({ rule, line })

describe('the coach', () => {
  it('says at the beginning how to begin', () => {
    const line = 'Watch first: let it try for about 25 steps, then help to the goal, every other episode'
    expectAdvice([], 'begin', `${line} (0 episodes so far).`)
    expectAdvice([alone()], 'begin', `${line} (1 episode so far).`)
  })

  it('learns nothing from what was taken back or cut short', () =>
    expect(adviceAfter([...many(4, () => alone()), ...many(30, () => fails({ aborted: true }))])).toMatchObject({
      rule: 'begin',
      line: expect.stringContaining('(4 episodes so far)'),
    }))

  it('asks for help while the policy fails and nobody helps', () => {
    expectAdvice(
      [...many(16, () => fails()), ...many(2, () => alone({ length: 18 })), ...many(2, () => helped([[30, 20]]))],
      'help more',
      'Help more: let it try for about 25 steps, then help to the goal, every other episode (2 of the last 20 succeeded alone, you helped in 2).',
    )
  })

  it('waits no longer than a success alone takes', () => {
    const metrics = [...many(16, () => fails()), ...[12, 14, 30].map((length) => alone({ length }))]
    expect(adviceAfter(metrics).line).toContain('for about 14 steps')
  })

  it('sends on to the goal where help ends in failure, with the value that this costs', () => {
    const given = (success: boolean) => helped([[30, 10]], { success, length: 60 })
    expectAdvice(
      [
        ...many(10, () => fails()),
        ...many(7, () => given(false)),
        ...many(3, () => given(true)),
        ...values(0.02, 0.04),
      ],
      'to the goal',
      'Stay until the goal is reached: 3 of the last 10 episodes with your help succeeded, and without a success it learns no value; mean Q of place is 0.04.',
    )
  })

  it('holds back who steps in at once: 2, 4 and 6 after the start', () => {
    const metrics = [
      ...many(12, () => fails()),
      ...[2, 4, 4, 4, 4, 4, 4, 6].map((from) =>
        helped([
          [from, 20],
          [50, 9],
        ]),
      ),
    ]
    expectAdvice(
      metrics,
      'wait',
      'Wait longer: you step in after 4 steps on median; let it try for about 25 steps, then help to the goal, every other episode.',
    )
  })

  it('wants to see some episodes alone', () => {
    expectAdvice(
      [...many(3, () => fails()), ...many(17, () => helped([[25, 12]]))],
      'every other',
      'Let every other episode run alone: you helped in 17 of the last 20, so nobody knows what it can do.',
    )
  })

  it('goes on so while it is early, and says that the value rises where it does', () => {
    const metrics = [...many(10, () => fails()), ...many(2, () => alone()), ...many(8, () => helped([[25, 12]]))]
    const line = 'Let it try for about 25 steps, then help to the goal, every other episode'
    expectAdvice(metrics, 'early', `${line} (2 of the last 20 succeeded alone, you helped in 8).`)
    const learns = [...metrics, ...values(0.1, 0.25)]
    expectAdvice(learns, 'early', `${line} (mean Q of place rises, 0.10 to 0.25: it learns).`)
    expect(adviceAfter([...metrics, ...values(0.25, 0.25)]).line).toContain('2 of the last 20')
  })

  it('finds short corrections right later on: 2, 4, 5, 5 have the median 4.5', () => {
    const corrections = [[[20, 2]], [[20, 4]], [[5, 5]], [[9, 5]]] as [number, number][][]
    expectAdvice(
      [...many(16, () => alone()), ...corrections.map((each) => helped(each))],
      'later',
      'Only when the same mistake returns; your corrections last 4.5 steps on median, that is right.',
    )
  })

  it.each([
    [22, 'let go', 'Let go sooner: your corrections last 22 steps on median, 3 to 15 mend a mistake.'],
    [
      2,
      'too brief',
      'Hold a correction longer: yours last 2 steps on median; from 3 on their motion says what you meant.',
    ],
  ])('judges corrections of %i steps', (steps, rule, line) => {
    expectAdvice([...many(14, () => alone()), ...many(6, () => helped([[10, steps]]))], rule, line)
  })

  it('holds back who acts too much: 8 × 32 of 20 × 40 steps are 32 %', () => {
    const often: [number, number][] = [
      [0, 8],
      [10, 8],
      [20, 8],
      [30, 8],
    ]
    expectAdvice(
      [...many(12, () => alone()), ...many(8, () => helped(often))],
      'hold back',
      "Hold back: 32 % of the last steps were yours, the paper's runs had about 15 %; help only when the same mistake returns.",
    )
  })

  it('holds back who helps what succeeds alone anyway', () => {
    expectAdvice(
      [...many(9, () => alone()), ...many(11, () => helped([[10, 5]]))],
      'let it try',
      'Hold back: 9 of the 9 last episodes that ran alone succeeded, yet you helped in 11 of 20; help only when the same mistake returns.',
    )
    const failing = [...many(6, () => alone()), ...many(3, () => fails()), ...many(11, () => helped([[30, 5]]))]
    expect(adviceAfter(failing).rule).toBe('early')
  })

  it('takes its hands off a policy that succeeds alone', () => {
    expectAdvice(
      [...many(19, () => alone()), helped([[10, 20]])],
      'hands off',
      'Only when the same mistake returns: 19 of the last 20 succeeded alone.',
    )
  })

  it('points at the one task that fails while the others do well', () => {
    const round = (i: number) => [
      i < 8 ? fails({ task: 'assemble' }) : alone({ task: 'assemble' }),
      alone({ task: 'pick' }),
      i % 2 ? alone({ task: 'place' }) : helped([[10, 5]], { task: 'place' }),
    ]
    expectAdvice(
      many(10, round).flat(),
      'weakest task',
      'Help with assemble: 2 of its last 10 succeeded alone, 75 % of the others; leave those to the policy.',
    )
  })

  it('does not point at a task that fails only because it is never left alone', () => {
    const round = (i: number) => [
      alone({ task: 'pick' }),
      i < 6 ? helped([[10, 5]], { task: 'place' }) : alone({ task: 'place' }),
    ]
    expect(adviceAfter(many(10, round).flat()).rule).toBe('later')
    const failing = (i: number) => [
      alone({ task: 'pick' }),
      i < 6 ? fails({ task: 'place' }) : alone({ task: 'place' }),
    ]
    expect(adviceAfter(many(10, failing).flat()).rule).toBe('weakest task')
  })

  it('calls the operator back when success falls', () => {
    const later = many(20, (i) => (i < 7 ? fails() : alone()))
    expectAdvice(
      [...many(19, () => alone()), fails(), ...later],
      'fallen',
      'Help again, every other episode, until it has recovered: 13 of the last 20 episodes succeeded, 19 of the 20 before.',
    )
    expect(adviceAfter([...many(18, () => alone()), ...many(2, () => fails()), ...later]).rule).not.toBe('fallen')
  })

  it('reads runs that did not note their interventions', () => {
    const old = (operatorSteps: number) => anEpisode({ operatorSteps })
    expectAdvice(
      [...many(15, () => old(0)), ...many(5, () => old(6))],
      'later',
      'Only when the same mistake returns (15 of the last 20 succeeded alone, you helped in 5).',
    )
  })

  it('keeps to its advice while single episodes speak for another', () => {
    // 17 of 20 succeeded alone: one more makes 18, from which on the rule of the moment is hands off
    const run = [...many(3, () => helped([[10, 5]])), ...many(17, () => alone())]
    expect(adviceAfter(run).rule).toBe('later')
    expect(adviceAfter([...run, alone()]).rule).toBe('hands off')
    expect(coach([...run, alone()])).toEqual({
      rule: 'later',
      line: 'Only when the same mistake returns; your corrections last 5 steps on median, that is right.',
    })
    expect(coach([...run, ...many(5, () => alone())]).line).toContain('20 of the last 20')
  })
})
