/** @file The console's journal: a disk that refuses it is told of once, and costs nobody a robot. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { Journal } from '../../src/console/server/journal.ts'

const folder = mkdtempSync(join(tmpdir(), 'duet-journal-'))
afterAll(() => rmSync(folder, { recursive: true }))

it('keeps what came before it had a folder, in order', () => {
  const file = join(folder, 'console.jsonl')
  const journal = new Journal(() => {})
  journal.write({ what: 'connected' })
  journal.open(file)
  journal.write({ what: 'stop' })
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  expect(lines.map((line) => JSON.parse(line).what)).toEqual(['connected', 'stop'])
})

it.each([
  ['neither written nor cut', () => mkdirSync(join(folder, 'taken')), join(folder, 'taken')],
  ['not even looked at', () => writeFileSync(join(folder, 'plain'), ''), join(folder, 'plain', 'console.jsonl')],
])('goes on without a file that can be %s, and says so once', (_, prepare, file) => {
  prepare()
  const failures: string[] = []
  const journal = new Journal((why) => failures.push(why))
  journal.open(file)
  journal.write({ what: 'stop' })
  expect(failures).toHaveLength(1)
})
