/** @file A run whose simulated operator speaks: what was said reaches log, metrics and replay; who may speak, and to whom. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readMetrics } from '../../src/metrics/metrics.ts'
import { ofKind } from '../../src/metrics/of-kind.ts'
import { SECONDS_A_COMMAND } from '../../src/metrics/summary.ts'
import { readEpisodes } from '../../src/replay/log-reader.ts'
import { DEFAULT_VOICE } from '../../src/robots/workcell/operator/voice.ts'
import { RunFolder } from '../../src/run/folder.ts'
import { presets } from '../../src/run/presets.ts'
import { mergeSettings, parseConfig } from '../../src/run/resolve.ts'
import { openSession } from '../../src/run/session.ts'
import { train } from '../../src/run/train.ts'
import { heededLabels } from '../../src/talk/heeded.ts'
import { openPlainly } from './plain-encoder.ts'

const runs = mkdtempSync(join(tmpdir(), 'duet-speaking-'))
const usual = { ...DEFAULT_VOICE }
afterAll(() => {
  rmSync(runs, { recursive: true })
  Object.assign(DEFAULT_VOICE, usual)
})

const settings = (changes: object) =>
  parseConfig(
    'test',
    mergeSettings(
      presets.tiny,
      {
        robot: { arm: 'gantry' },
        tasks: ['pick'],
        operator: { speaks: true },
        demonstrations: { perTask: 1 },
        warmUp: { updates: 10 },
        online: { robotMinutes: 0.4 },
        evaluation: { trials: 1 },
      },
      changes,
    ),
  )

/** A session whose operator is never made, but for the words that it would have had: no run comes further than that. */
async function overheard(config: ReturnType<typeof settings>) {
  const session = await openSession(config)
  session.rigs[0]!.simulation!.operator = (_strength, _seed, words) => {
    throw new Error(words ? `words: ${words.commands.nothing}` : 'no words')
  }
  return session
}

describe('a run whose operator speaks', { timeout: 600_000 }, () => {
  it('has each spoken step in log and metrics, a labelled one in the talk-and-tweak data, also after a resume', async () => {
    Object.assign(DEFAULT_VOICE, { small: 1, turn: Math.PI }) // words for every error, or few would be said to a policy so far off
    const config = settings({})
    const folder = RunFolder.create(join(runs, 'spoken'), config)
    const stop = new AbortController()
    let episodes = 0
    await train(
      folder,
      config,
      {
        onProgress: ({ stage }) => stage.startsWith('online') && ++episodes >= 3 && stop.abort(),
        stop: stop.signal,
      },
      openPlainly,
    )
    const summary = await train(folder, config, {}, openPlainly)

    const told = ofKind(readMetrics(folder.metrics), 'episode')
    const logged = [...readEpisodes(folder.log)]
    const commandsOf = (steps: readonly { command: string | null }[]) =>
      steps.filter(({ command }, t) => command !== null && command !== (steps[t - 1]?.command ?? null)).length
    expect(told.map(({ spokenSteps, commands }) => [spokenSteps, commands])).toEqual(
      logged.map(({ steps }) => [steps.filter(({ command }) => command !== null).length, commandsOf(steps)]),
    )
    const spoken = logged.flatMap(({ steps }) => steps.filter(({ command }) => command !== null))
    expect(spoken.length).toBeGreaterThan(0)
    expect(new Set(spoken.map(({ actor }) => actor))).toEqual(new Set(['refinement']))
    expect(logged.some(({ steps }) => steps.some(({ actor }) => actor === 'operator'))).toBe(true)

    const commands = told.reduce((sum, episode) => sum + episode.commands!, 0)
    expect(summary.operator!.speaking).toBe(SECONDS_A_COMMAND * commands)
    const state = JSON.parse(readFileSync(join(folder.latestCheckpoint()!, 'run.json'), 'utf8'))
    expect(state.operators.A.report.spoken).toMatchObject({ commands, steps: spoken.length })

    const session = await openSession(config)
    const { translator } = session
    await session.close()
    const corrected = logged.flatMap(({ steps }) => steps.filter(({ actor }) => actor === 'operator')).length
    const heeded = logged.flatMap(({ steps }) =>
      heededLabels(
        steps.map((step) => ({ ...step, followed: step.actor === 'refinement' })),
        translator,
      ).filter((label) => label !== null),
    ).length
    const { counts } = ofKind(readMetrics(folder.metrics), 'labels').at(-1)!
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(corrected + heeded)
  })

  it.each([
    ['dual', true, 'words: [null]'],
    ['dual', false, 'no words'],
    ['single', true, 'no words'], // nobody would follow them: the same operator as ever, at once with the hands
  ] as const)('with the method %s and speaks=%s the operator has %s', async (method, speaks, has) => {
    const config = settings({ method, operator: { speaks }, demonstrations: { perTask: 1 } })
    const folder = RunFolder.create(join(runs, `${method}-${speaks}`), config)
    await expect(train(folder, config, {}, () => overheard(config))).rejects.toThrow(has)
  })

  it('is refused where nobody is there to speak, before anything is recorded', async () => {
    const config = settings({ operator: { kind: 'none' } })
    const folder = RunFolder.create(join(runs, 'nobody'), config)
    await expect(train(folder, config)).rejects.toThrow(
      'setting "operator.speaks": is true, and operator.kind is "none": only the simulated operator speaks of its own accord. Set operator.kind=simulated, or operator.speaks=false',
    )
    expect(existsSync(folder.demonstrations)).toBe(false)
  })
})
