/**
 * @file Changes the code of a room, one place at a time, and tells which changes no test notices.
 *
 *   npm run mutate -- talk                 every file of src/talk, held against the tests in tests/talk
 *   npm run mutate -- learn link           several rooms
 *   npm run mutate -- talk/labels.ts       one file
 *   npm run mutate -- talk --related       held against every test that imports the code: thorough, and slow
 *   npm run mutate -- learn/losses --tests tests/learn/losses.test.ts    held against these tests only, where others are slow
 *   npm run mutate -- talk --share 0.25    a random quarter of the changes; another one with --seed
 *
 * Of these tests only those run that reach the place. What is known of unchanged code and tests is taken from the last
 * time. Texts of errors stay as they are. The list of survivors goes to the terminal and, as a page, to build/mutation.
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

/** How many of the changes are tried, and which. */
type Sample = { share: number; seed: string }

type Options = { related: boolean; tests: string[] | undefined; sample: Sample }

async function mutate(places: readonly string[], { related, tests, sample }: Options): Promise<void> {
  if (places.length === 0) throw new InputError('mutate', 'was given no room', 'Name one: npm run mutate -- talk')
  if (!(sample.share > 0 && sample.share <= 1))
    throw new InputError('mutate --share', 'is no share', 'Give a number above 0, up to 1')
  const parts = [...(related ? ['related'] : []), ...(sample.share < 1 ? [`${sample.share}of${sample.seed}`] : [])]
  const name = [...places.map((place) => place.replaceAll('/', '.')), ...parts].join('+')
  const stryker = new Stryker({
    mutate: places.map(filesOf),
    testFiles: related ? [] : (tests ?? places.map(testsOf)),
    testRunner: 'vitest',
    vitest: { related: true, configFile: 'scripts/mutate.vitest.ts' },
    coverageAnalysis: 'perTest',
    ignoreStatic: true, // what runs once, at import, would have to be tried on every test
    incremental: true,
    incrementalFile: `${REPORTS}/${name}.json`,
    concurrency: 2,
    timeoutMS: 2000, // beyond what the tests took without a change, and half as long again
    plugins: ['@stryker-mutator/*', `${import.meta.dirname}/mutate.plugins.mjs`],
    ignorers: ['texts'],
    ...(sample.share < 1 ? { checkers: ['sample'], sample } : {}),
    dryRunTimeoutMinutes: 30,
    ignorePatterns: ['runs', 'docs', '.lab', REPORTS],
    tempDirName: `${REPORTS}/sandbox+${name}`,
    reporters: ['clear-text', 'progress', 'html'],
    htmlReporter: { fileName: `${REPORTS}/${name}.html` },
    clearTextReporter: { allowColor: process.stdout.isTTY, logTests: false, reportTests: false },
    tsconfigFile: 'none', // Stryker rewrites it by the compiler's interface, which TypeScript 7 no longer has
    disableTypeChecks: false, // nothing checks types here
    allowEmpty: true,
  })
  console.info(summary(await stryker.runMutationTest()))
}

/** A room in a line. Of what is tried counts as noticed what a test fails on, or never comes to an end with. */
function summary(results: readonly { status: string }[]): string {
  const of = (status: string) => results.filter((result) => result.status === status).length
  const [killed, endless, survived, unreached] = [of('Killed'), of('Timeout'), of('Survived'), of('NoCoverage')]
  const tried = killed + endless + survived + unreached
  return (
    `${results.length} changes, ${of('Ignored')} left out (texts of errors, code that runs at import), ${tried} tried: ` +
    `${killed} killed, ${endless} out of time, ${survived} survived, ${unreached} reached by no test; ` +
    `score ${((100 * (killed + endless)) / tried).toFixed(1)} %`
  )
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      related: { type: 'boolean', default: false },
      tests: { type: 'string', multiple: true },
      share: { type: 'string', default: '1' },
      seed: { type: 'string', default: '1' },
    },
  })
  const { related, tests, share, seed } = values
  await mutate(positionals, { related, tests, sample: { share: Number(share), seed } })
} catch (error) {
  if (!(error instanceof InputError)) throw error
  console.error(error.message)
  process.exitCode = 2
}
