/** @file What Stryker leaves out by our rules: the texts of errors, and, where a sample is asked for, what is not in it. */
import { createHash } from 'node:crypto'

/** What an error says is for people. That it is thrown, and of which class, is still held by the tests. */
const texts = {
  shouldIgnore: (path) =>
    path.isNewExpression() && path.node.callee.name?.endsWith('Error') ? 'the text of an error' : undefined,
}

/** Whether a change is in the sample is a matter of its place and its text: the same each time, whatever else changes. */
class Sampler {
  static inject = ['options']

  /** @param {{ sample: { share: number, seed: string } }} options */
  constructor({ sample }) {
    this.sample = sample
  }

  async init() {}

  /** All at once: there is nothing to build. */
  async group(mutants) {
    return [mutants.map(({ id }) => id)]
  }

  async check(mutants) {
    return Object.fromEntries(mutants.map((mutant) => [mutant.id, this.verdict(mutant)]))
  }

  verdict({ fileName, replacement, location }) {
    const { share, seed } = this.sample
    const place = [seed, fileName.slice(fileName.lastIndexOf('/src/')), location, replacement]
    const digest = createHash('sha256').update(JSON.stringify(place)).digest()
    return digest.readUInt32BE(0) / 2 ** 32 < share
      ? { status: 'passed' }
      : { status: 'compileError', reason: 'not in the sample' }
  }
}

export const strykerPlugins = [
  { kind: 'Ignore', name: 'texts', value: texts },
  { kind: 'Checker', name: 'sample', injectableClass: Sampler },
]

export const strykerValidationSchema = { properties: { sample: { type: 'object' } } }
