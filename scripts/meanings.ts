/**
 * @file Changes what the code means, in 24 places where no operator or literal tells it, and names the test that fails.
 * Mutations of operators and literals are those of `mutate.ts`; these are wrong wirings that once passed every test.
 *
 *   npx tsx scripts/meanings.ts            all of them, as the table in docs/mutations.md
 *   npx tsx scripts/meanings.ts replay     those whose description or place has the word
 *
 * Files are changed where they stand, one at a time, and put back, also on Ctrl-C. Exits with 1 if a change passes.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InputError } from '../src/errors.ts'
import { MEANINGS, type Meaning } from './meanings-list.ts'

type Told = { testResults: { message: string; assertionResults: { status: string; fullName: string }[] }[] }

/** Titles of the tests that fail; what the file says where it fails as a whole. */
function failing({ test, only }: Pick<Meaning, 'test' | 'only'>): string[] {
  const told = join(folder, 'told.json')
  rmSync(told, { force: true })
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=json', `--outputFile=${told}`]
  spawnSync(process.execPath, [...vitest, test, ...(only ? ['-t', only] : [])], { stdio: 'ignore' })
  const { testResults } = JSON.parse(readFileSync(told, 'utf8')) as Told
  return testResults.flatMap(({ message, assertionResults }) => {
    const failed = assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName)
    return failed.length > 0 || message === '' ? failed : [message.split('\n')[0]!]
  })
}

const folder = mkdtempSync(join(tmpdir(), 'duet-meanings-'))
let putBack = () => {}

/** The first test that tells, undefined if none does. @throws InputError if the place is no longer there */
function killer(meaning: Meaning): string | undefined {
  const { what, file, from, to } = meaning
  const path = `src/${file}`
  const code = readFileSync(path, 'utf8')
  if (code.split(from).length !== 2)
    throw new InputError(
      `"${what}"`,
      `${path} does not have ${JSON.stringify(from)} once`,
      'Follow the code in MEANINGS',
    )
  putBack = () => writeFileSync(path, code)
  try {
    writeFileSync(
      path,
      code.replace(from, () => to),
    )
    return failing(meaning)[0]
  } finally {
    putBack()
  }
}

function run(word: string): boolean {
  const chosen = MEANINGS.filter(({ what, file }) => `${what} ${file}`.includes(word))
  const tests = new Map(chosen.map(({ test, only }) => [`${test} ${only}`, { test, only }]))
  for (const test of tests.values()) {
    const [title] = failing(test)
    if (title) throw new InputError(test.test, `"${title}" fails already`, 'Mend that first')
  }
  console.info('| change | in | fails |\n| --- | --- | --- |')
  let all = true
  for (const meaning of chosen) {
    const title = killer(meaning)
    all &&= title !== undefined
    console.info(`| ${meaning.what} | ${meaning.file} | ${title ? `${meaning.test}: ${title}` : '**survives**'} |`)
  }
  return all
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    putBack()
    process.exit(130)
  })

try {
  if (!run(process.argv[2] ?? '')) process.exitCode = 1
} catch (error) {
  if (!(error instanceof InputError)) throw error
  console.error(error.message)
  process.exitCode = 2
} finally {
  rmSync(folder, { recursive: true })
}
