/**
 * @file Changes the code of a room, one place at a time, and tells which changes no test notices.
 *
 *   npm run mutate -- talk                 every file of src/talk, held against the tests in tests/talk
 *   npm run mutate -- learn link           several rooms
 *   npm run mutate -- talk/labels.ts       one file
 *   npm run mutate -- talk --related       held against every test that imports the code: thorough, and slow
 *
 * Of these tests only those run that reach the place. What is known of unchanged code and tests is taken from the last
 * time. The list of survivors goes to the terminal and, as a page, to build/mutation.
 */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Stryker } from '@stryker-mutator/core'
import { InputError } from '../src/errors.ts'

const SOURCE = 'src'
const REPORTS = 'build/mutation'

/** The files of a room, or the file. @throws InputError if there is no such place under src */
function filesOf(place: string): string {
  const path = `${SOURCE}/${place}`
  if (!existsSync(path)) {
    const rooms = readdirSync(SOURCE).filter((name) => statSync(join(SOURCE, name)).isDirectory())
    throw new InputError(`room "${place}"`, 'is not in src', `Name one of ${rooms.join(', ')}, or a file in it`)
  }
  return statSync(path).isDirectory() ? `${path}/**/*.ts` : path
}

/** The tests of the room that a place is in. */
const testsOf = (place: string) => `tests/${place.split('/')[0]}/**/*.test.ts`

async function mutate(places: readonly string[], related: boolean): Promise<void> {
  if (places.length === 0) throw new InputError('mutate', 'was given no room', 'Name one: npm run mutate -- talk')
  const name = [...places.map((place) => place.replaceAll('/', '.')), ...(related ? ['related'] : [])].join('+')
  const stryker = new Stryker({
    mutate: places.map(filesOf),
    testFiles: related ? [] : places.map(testsOf),
    testRunner: 'vitest',
    vitest: { related: true, configFile: 'scripts/mutate.vitest.ts' },
    coverageAnalysis: 'perTest',
    ignoreStatic: true, // what runs once, at import, would have to be tried on every test
    incremental: true,
    incrementalFile: `${REPORTS}/${name}.json`,
    concurrency: 2,
    dryRunTimeoutMinutes: 30,
    ignorePatterns: ['runs', 'docs', REPORTS],
    tempDirName: `${REPORTS}/sandbox`,
    reporters: ['clear-text', 'progress', 'html'],
    htmlReporter: { fileName: `${REPORTS}/${name}.html` },
    clearTextReporter: { allowColor: process.stdout.isTTY, logTests: false, reportTests: false },
    tsconfigFile: 'none', // Stryker rewrites it by the compiler's interface, which TypeScript 7 no longer has
    disableTypeChecks: false, // nothing checks types here
    allowEmpty: true,
  })
  await stryker.runMutationTest()
}

try {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { related: { type: 'boolean' } } })
  await mutate(positionals, values.related ?? false)
} catch (error) {
  if (!(error instanceof InputError)) throw error
  console.error(error.message)
  process.exitCode = 2
}
