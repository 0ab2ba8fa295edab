/**
 * @file Changes what the code means, in 22 places where no operator or literal tells it, and names the test that fails.
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

type Meaning = {
  what: string
  file: string
  from: string
  to: string
  test: string // the file that is to fail
  only?: string // of it, the tests with these words in their titles
}

const STEPS = 'tests/learn/steps.test.ts'
const SETUP = 'tests/run/learner-setup.test.ts'
const SHIFTS = 'tests/loop/perception.test.ts'

/** `from` stands once in src/`file`. */
const MEANINGS: readonly Meaning[] = [
  {
    what: 'an extra critic step an update',
    file: 'learn/actor-critic.ts',
    from: 'learner.criticStepsPerActorStep - 1 : 0',
    to: 'learner.criticStepsPerActorStep : 0',
    test: STEPS,
    only: 'as in the paper of single',
  },
  {
    what: 'the null regulariser applied to the spoken command',
    file: 'learn/refinement-step.ts',
    from: 'm0: meanOf(nothing)',
    to: 'm0: m',
    test: STEPS,
    only: 'as in the paper of dual',
  },
  {
    what: "the refinement actor judged by the first task's critics only",
    file: 'learn/refinement-step.ts',
    from: 'ownTask![owner * batch + sample] = 1',
    to: 'ownTask![0 * owner + sample] = 1',
    test: STEPS,
    only: 'as in the paper of dual',
  },
  {
    what: 'λ of cloning and value swapped in the warm-up',
    file: 'run/opening.ts',
    from: "'warm-up': { bc: warmUp.bcWeight, q: warmUp.qWeight }",
    to: "'warm-up': { bc: warmUp.qWeight, q: warmUp.bcWeight }",
    test: SETUP,
  },
  {
    what: 'replay returns with γ = 0.5, as set up',
    file: 'run/opening.ts',
    from: 'discount: learner.discount,',
    to: 'discount: 0.5,',
    test: SETUP,
  },
  {
    what: 'replay returns with γ = 0.5, as computed',
    file: 'replay/buffer.ts',
    from: 'monteCarloReturns(rewards, discount)',
    to: 'monteCarloReturns(rewards, discount && 0.5)',
    test: 'tests/replay/buffer.test.ts',
  },
  {
    what: '`interventionShare` ignored',
    file: 'learn/steps.ts',
    from: 'demonstrationShare, interventionShare }',
    to: 'demonstrationShare, interventionShare: interventionShare && undefined }',
    test: STEPS,
    only: 'clones interventions',
  },
  {
    what: 'ceil for floor in the updates due',
    file: 'loop/update-schedule.ts',
    from: 'Math.floor(this.steps',
    to: 'Math.ceil(this.steps',
    test: 'tests/loop/update-schedule.test.ts',
  },
  {
    what: "radians for metres in the run's label rule",
    file: 'run/label-rule.ts',
    from: 'metresPerUnit: actionScale.translation',
    to: 'metresPerUnit: actionScale.rotation',
    test: SETUP,
  },
  {
    what: "radians for metres in the envelope's translation scale",
    file: 'robot/safety.ts',
    from: 'translationScale: this.spec.actionScale.translation',
    to: 'translationScale: this.spec.actionScale.rotation',
    test: 'tests/robot/safety.test.ts',
  },
  {
    what: 'a step logged after the learner instead of before',
    file: 'loop/online-recorder.ts',
    from: 'this.log.step(step, next)\n    this.learner.step(this.start!.episode, step, seen)',
    to: 'this.learner.step(this.start!.episode, step, seen)\n    this.log.step(step, next)',
    test: 'tests/loop/online-recorder.test.ts',
  },
  {
    what: 'h taken from a shifted image',
    file: 'loop/perception.ts',
    from: 'h: encodings[0]!.h',
    to: 'h: encodings.at(-1)!.h',
    test: SHIFTS,
  },
  {
    what: 'shifts only right and down',
    file: 'loop/perception.ts',
    from: 'random.integer(2 * pixels + 1) - pixels',
    to: 'random.integer(2 * pixels + 1)',
    test: SHIFTS,
  },
  {
    what: 'actor codes of the log reordered',
    file: 'replay/records.ts',
    from: "['primary', 'refinement', 'operator']",
    to: "['refinement', 'primary', 'operator']",
    test: 'tests/replay/golden-log.test.ts',
  },
  {
    what: 'an aborted trial counted as a failure',
    file: 'loop/evaluate.ts',
    from: 'while (summary.judged?.terminated === false)',
    to: 'while (summary === undefined)',
    test: 'tests/loop/evaluate.test.ts',
  },
  {
    what: 'free mode: parameters never reach the policy',
    file: 'loop/update-schedule.ts',
    from: 'if (!this.lockStep) this.takeUp()',
    to: 'if (!this.lockStep) return',
    test: 'tests/run/free.test.ts',
  },
  {
    what: 'free mode: parameters never published',
    file: 'link/serve.ts',
    from: 'if (figures.update % publishEvery === 0) this.publish()',
    to: 'if (publishEvery === 0) this.publish()',
    test: 'tests/link/local.test.ts',
  },
  {
    what: 'the refinement program never released',
    file: 'learn/policy.ts',
    from: 'this.primaryProgram.release(), this.refinedProgram?.release()',
    to: 'this.primaryProgram.release()',
    test: 'tests/learn/release.test.ts',
  },
  {
    what: 'the slide scene never freed',
    file: 'robots/workcell/workcell.ts',
    from: 'for (const stage of Object.values(this.stages)) stage.world.free()',
    to: 'this.stages.bolts.world.free()',
    test: 'tests/robots/workcell/frees.test.ts',
  },
  {
    what: 'TD target from the online critics',
    file: 'learn/update.ts',
    from: "this.store.tensors(this.group, 'target')",
    to: 'this.store.tensors(this.group)',
    test: STEPS,
    only: 'as in the paper of single',
  },
  {
    what: "next action from s instead of s'",
    file: 'learn/actor-critic.ts',
    from: "update.normal('next')), update.nextH)",
    to: "update.normal('next')), update.h)",
    test: STEPS,
    only: 'as in the paper of single',
  },
  {
    what: 'Cal-QL and TD swapped between the phases',
    file: 'learn/actor-critic.ts',
    from: "if (phase === 'online') return",
    to: "if (phase === 'warm-up') return",
    test: STEPS,
    only: 'as in the paper of single',
  },
]

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
