/** @file What Stryker leaves out by our rules: the texts of errors, and, where a sample is asked for, what is not in it. */
import { createHash } from 'node:crypto'

/** Of a syntax tree by Babel, as Stryker walks it, the little that is read here. */
type Path = { isNewExpression(): boolean; node: { callee?: { name?: string } } }
type Mutant = {
  id: string
  fileName: string
  replacement: string
  location: { start: { line: number; column: number }; end: { line: number; column: number } }
}

/** What an error says is for people. That it is thrown, and of which class, is still held by the tests. */
const texts = {
  shouldIgnore: (path: Path) =>
    path.isNewExpression() && path.node.callee?.name?.endsWith('Error') ? 'the text of an error' : undefined,
}

export type Sample = { share: number; seed: string }

/** Whether a mutant is in the sample is a matter of its place and its text: the same each time, whatever else changes. */
class Sampler {
  static inject = ['options'] as const
  constructor(private readonly options: { sample: Sample }) {}

  async init(): Promise<void> {}

  async check(mutants: readonly Mutant[]) {
    return Object.fromEntries(mutants.map((mutant) => [mutant.id, this.verdict(mutant)]))
  }

  /** All at once: there is nothing to build. */
  async group(mutants: readonly Mutant[]): Promise<string[][]> {
    return [mutants.map(({ id }) => id)]
  }

  private verdict({ fileName, replacement, location }: Mutant) {
    const { share, seed } = this.options.sample
    const place = fileName.slice(fileName.lastIndexOf('/src/'))
    const digest = createHash('sha256')
      .update(JSON.stringify([seed, place, location, replacement]))
      .digest()
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
