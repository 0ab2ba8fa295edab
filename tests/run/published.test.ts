/** @file A run on top of a published encoder, from demonstrations through warm-up and online steps to the summary. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { ofKind, readMetrics } from '../../src/run/metrics.ts'

const duet = fileURLToPath(new URL('../../bin/duet.mjs', import.meta.url))
const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url))
const runs = mkdtempSync(join(tmpdir(), 'duet-published-'))
afterAll(() => rmSync(runs, { recursive: true, force: true }))

const SHORT = [
  'tasks=[pick]',
  'demonstrations.perTask=1',
  'warmUp.updates=4',
  'online.robotMinutes=0.05',
  'evaluation.trials=1',
]

const train = (name: string, ...settings: string[]) =>
  promisify(execFile)(process.execPath, [
    duet,
    'train',
    ...['--preset', 'tiny', '--runs', runs, '--name', name],
    ...[...SHORT, ...settings].flatMap((setting) => ['--set', setting]),
  ])

describe('a run with a published encoder', () => {
  it.each(['smolvla', 'octo'])('%s', { timeout: 300_000 }, async (vla) => {
    await train(vla, `vla=${vla}`, `vlaPath=${join(fixtures, vla)}`)
    const summary = JSON.parse(readFileSync(join(runs, vla, 'summary.json'), 'utf8'))
    expect(Object.keys(summary.tasks)).toEqual(['pick'])
    expect(ofKind(readMetrics(join(runs, vla, 'metrics.jsonl')), 'episode').length).toBeGreaterThan(0)
  })

  it('asks for the folder', async () => {
    await expect(train('nowhere', 'vla=octo')).rejects.toThrow(/setting "vlaPath": is not given/)
  })
})
