/**
 * @file Changes the code of a room, one place at a time, and tells which changes no test notices.
 *
 *   npm run mutate -- talk                 every file of src/talk, held against the tests in tests/talk
 *   npm run mutate -- learn link           several rooms
 *   npm run mutate -- talk/labels.ts       one file
 *   npm run mutate -- talk --related       held against every test that imports the code: thorough, and slow
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

async function mutate(places: readonly string[], related: boolean, sample: Sample): Promise<void> {
  if (places.length === 0) throw new InputError('mutate', 'was given no room', 'Name one: npm run mutate -- talk')
  if (!(sample.share > 0 && sample.share <= 1))
    throw new InputError('mutate --share', 'is no share', 'Give a number above 0, up to 1')
  const parts = [...(related ? ['related'] : []), ...(sample.share < 1 ? [`${sample.share}of${sample.seed}`] : [])]
  const name = [...places.map((place) => place.replaceAll('/', '.')), ...parts].join('+')
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
    timeoutMS: 2000, // beyond what the tests took without a change, and half as long again
    plugins: ['@stryker-mutator/*', `${import.meta.dirname}/mutate.plugins.mjs`],
    ignorers: ['texts'],
    ...(sample.share < 1 ? { checkers: ['sample'], sample } : {}),
    dryRunTimeoutMinutes: 30,
    ignorePatterns: ['runs', 'docs', REPORTS],
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

/** The room in a line. Changes that no test reaches are counted whole, those that one reaches by their sample. */
function summary(results: readonly { status: string; statusReason?: string; static?: boolean }[]): string {
  const of = (...kinds: string[]) => results.filter(({ status }) => kinds.includes(status)).length
  const [killed, late, survived, unreached] = [of('Killed'), of('Timeout'), of('Survived'), of('NoCoverage')]
  const tried = killed + late + survived
  const reached = tried + of('CompileError')
  const score = (((killed + late) / tried) * reached) / (reached + unreached)
  return (
    `${results.length} changes, ${of('Ignored')} of them left out (texts of errors, code that runs at import); ${reached} are ` +
    `reached by a test, ${unreached} by none. Of ${tried} tried ${killed} were killed, ${late} ran into the time limit, ` +
    `${survived} survived: ${(100 * score).toFixed(1)} %`
  )
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      related: { type: 'boolean', default: false },
      share: { type: 'string', default: '1' },
      seed: { type: 'string', default: '1' },
    },
  })
  await mutate(positionals, values.related, { share: Number(values.share), seed: values.seed })
} catch (error) {
  if (!(error instanceof InputError)) throw error
  console.error(error.message)
  process.exitCode = 2
}
