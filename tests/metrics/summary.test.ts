import { describe, expect, it } from 'vitest'
import { formatSummary, formatTable, operatorSeconds, operatorTime, summarise } from '../../src/metrics/summary.ts'
import { anEpisode, anEvaluation, anUpdate } from '../run/builders.ts'

const early = { success: 0.2, successes: 5, trials: 25, interval: [0.09, 0.39] as [number, number], meanSteps: 44 }
const late = { success: 0.92, successes: 23, trials: 25, interval: [0.75, 0.98] as [number, number], meanSteps: 31 }

describe('summarise', () => {
  const summary = summarise(
    [
      anEvaluation({ time: 60, tasks: { place: early } }),
      anEpisode({ time: 120, robotSteps: 30, length: 30, operatorSteps: 9 }),
      anEpisode({ time: 180, robotSteps: 1200, length: 70, operatorSteps: 3 }),
      anUpdate({ time: 200, robotSteps: 1200 }),
      anEvaluation({ time: 300, robotSteps: 1200, tasks: { place: { ...early, success: 0.5 } } }),
      anEvaluation({ time: 600, robotSteps: 1200, tasks: { place: late } }),
    ],
    { seed: 3 },
  )

  it('sets the first evaluation against the last', () => {
    expect(summary.tasks).toEqual({
      place: { step0: 0.2, success: 0.92, trials: 25, interval: [0.75, 0.98], meanSteps: 31 },
    })
  })

  it('keeps a step 0 without any success', () => {
    const score = { ...early, success: 0 }
    const twice = summarise([anEvaluation({ tasks: { pick: score } }), anEvaluation({ tasks: { pick: late } })], {
      seed: 0,
    })
    expect(twice.tasks.pick!.step0).toBe(0)
  })

  it('counts the operator by steps, not by episodes', () => expect(summary.interventionShare).toBeCloseTo(0.12, 12))

  it("counts the operator's seconds by the robot's rate, a second for each command where somebody could speak", () => {
    const episodes = [
      anEpisode({ operatorSteps: 9 }),
      anEpisode({ operatorSteps: 21, spokenSteps: 45, commands: 3 }),
      anEpisode({ operatorSteps: 0, spokenSteps: 15, commands: 1 }),
    ]
    expect(operatorTime(episodes)).toEqual({ steering: 3, speaking: 4, told: 6 })
    expect(operatorTime(episodes, 5)).toEqual({ steering: 6, speaking: 4, told: 12 })
    expect(operatorSeconds(operatorTime(episodes))).toBe(7)
    expect(operatorSeconds({ steering: 2 })).toBe(2)
    expect(operatorTime(episodes.slice(0, 1))).toEqual({ steering: 0.9 })
    expect(summary.operator).toEqual({ steering: 1.2 })
    expect(formatSummary({ ...summary, operator: { steering: 3, speaking: 4, told: 6 } })).toContain(
      '(3 s, and 4 s for commands, in force for 6 s)',
    )
    expect(formatSummary({ ...summary, operator: undefined })).toContain('12 % of the steps, seed 3')
  })

  it('tells robot minutes (10 Hz) from wall minutes', () => {
    expect(summary.robotMinutes).toBe(2)
    expect(summary.wallMinutes).toBe(10)
    expect(summary.seed).toBe(3)
  })

  it('prints a row per task and the times with their units', () => {
    const text = formatSummary(summary)
    expect(text).toMatch(/place\s+20 %\s+92 %\s+75 % to 98 %\s+25\s+31\.0/)
    expect(text).toContain('robot time 2.0 min, wall time 10.0 min, operator took 12 % of the steps (1 s), seed 3')
  })
})

describe('a summary of a run that has not come to its end', () => {
  const at = (stage: 'step 0' | 'on the way' | 'final', robotSteps: number, score = late) =>
    anEvaluation({ stage, robotSteps, tasks: { place: score } })
  const told = (...metrics: Parameters<typeof summarise>[0]) => {
    const summary = summarise(metrics, { seed: 0 })
    return { ...summary, text: formatSummary(summary) }
  }

  it('calls the last evaluation what it is, and not the final one', () => {
    const [begun, ended] = [at('step 0', 0, early), at('final', 600)]
    expect(told(begun, anEpisode({ robotSteps: 600 }), ended)).toMatchObject({
      text: expect.stringMatching(/task +step 0 +final/),
    })
    expect(told(begun, anEpisode({ robotSteps: 600 }), ended).soFar).toBeUndefined()
    const stopped = told(begun, anEpisode({ robotSteps: 300 }))
    expect(stopped).toMatchObject({ soFar: true, text: expect.stringMatching(/task +step 0 +so far/) })
    expect(told(begun, at('on the way', 300), anEpisode({ robotSteps: 400 })).soFar).toBe(true)
    expect(told(begun, ended, anEpisode({ robotSteps: 640 })).soFar).toBe(true) // resumed for longer, and stopped
  })

  it('has no step 0 where nothing was evaluated before the first online step, as in a fleet', () => {
    const { tasks, text } = told(anEpisode({ robotSteps: 900 }), at('on the way', 900, early), at('on the way', 1800))
    expect(tasks.place).toEqual({ success: 0.92, trials: 25, interval: [0.75, 0.98], meanSteps: 31 })
    expect(text).toMatch(/place +- +92 %/)
  })
})

it('formatTable lines figures up on the right', () => {
  expect(
    formatTable(
      ['name', 'n'],
      [
        ['a', '1'],
        ['bb', '100'],
      ],
    ),
  ).toBe(['name    n', '────  ───', 'a       1', 'bb    100'].join('\n'))
})
