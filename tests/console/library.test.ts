/** @file The runs in a folder as the console lists them: one that is damaged hides none of the others. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { RunLibrary } from '../../src/console/server/library.ts'
import { EpisodeLog } from '../../src/replay/log.ts'
import { RunFolder } from '../../src/run/folder.ts'
import { parseConfig } from '../../src/run/resolve.ts'
import { aRobot } from '../replay/scenes.ts'

const runs = mkdtempSync(join(tmpdir(), 'duet-library-'))
afterAll(() => rmSync(runs, { recursive: true }))

it('lists a run whose result cannot be read as one that has none, beside all others', () => {
  const folderOf = (name: string) => RunFolder.create(join(runs, name), parseConfig('a test', {}))
  const results = { whole: '{"robotMinutes":1}', torn: '{"robotMi', empty: '' }
  for (const [name, text] of Object.entries(results)) writeFileSync(folderOf(name).summary, text)
  mkdirSync(folderOf('odd').summary)
  folderOf('none')
  const listed = new RunLibrary(runs).list()
  expect(Object.fromEntries(listed.map(({ run, finished, summary }) => [run, [finished, summary]]))).toEqual({
    whole: [true, { robotMinutes: 1 }],
    ...{ torn: [false, null], empty: [false, null], odd: [false, null], none: [false, null] },
  })
})

it('tells how many steps a second a run counts, as its log says, and nothing before there is one', () => {
  const folder = RunFolder.create(join(runs, 'slow'), parseConfig('a test', {}))
  const library = new RunLibrary(runs)
  expect(library.run('slow').rate).toBeNull()
  EpisodeLog.open(folder.log, { ...aRobot(), rate: 5 }).close()
  expect(library.run('slow').rate).toBe(5)
})
