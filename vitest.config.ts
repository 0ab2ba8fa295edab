import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take longest, about the longest first: begun last, each would run on alone when all others are through. */
const LONG = ['console-web/chromium', 'fleet/up', 'run/death', 'run/tiny']

/** Files that put another module in the place of one of ours, which those after them in a process would find there. */
export const MOCKING = [
  'run/settings-read',
  'robots/workcell/frees',
  'studies/distances',
  'studies/kept-by-command',
  'studies/tried-again',
  'studies/spoken',
  'run/evaluators-of-a-run',
]

/** Files that count what a process holds: others leave some of it there. */
const COUNTING = ['robot/commanded']

/** Files that hold a robot against the real clock: the heaps of all others would hold them up, those of their own kind do not. */
const CLOCKED = ['console/*']

const files = (...names: string[]) => names.map((name) => `tests/${name}.test.ts`)
const ALONE = files(...LONG, ...MOCKING, ...COUNTING)
export const ALL = ['tests/**/*.test.ts', 'src/**/*.test.ts']

/** Projects in the order in which their files begin: those of one that shares processes follow each other, or each would have its own. */
const PROJECTS = ['alone', 'clocked', 'together']

/** Begins with the long files, also in a clone that has no durations of earlier runs yet. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId, project }: TestSpecification) => {
      const place = LONG.findIndex((name) => moduleId.endsWith(`/tests/${name}.test.ts`))
      return place < 0 ? LONG.length + PROJECTS.indexOf(project.name) : place
    }
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b))
  }
}

/** What holds for every file. */
export const common = {
  testTimeout: 120_000,
  hookTimeout: 120_000,
  // onnxruntime and MuJoCo hold native memory per process. Three forks on the two cores of the reference machine: some
  // of the files wait more than they work, for a browser, a real clock or a process that they started.
  pool: 'forks',
  maxWorkers: 3,
  maxConcurrency: 2, // where a file starts processes of its own
} as const

export default defineConfig({
  test: {
    ...common,
    sequence: { sequencer: LongFirst },
    projects: [
      { test: { ...common, name: 'alone', include: ALONE } },
      { test: { ...common, name: 'clocked', include: files(...CLOCKED), isolate: false } },
      // What a process reads of our code and of MuJoCo, onnxruntime and others would take longer than most of these tests.
      { test: { ...common, name: 'together', include: ALL, exclude: [...ALONE, ...files(...CLOCKED)], isolate: false } },
    ],
  },
})
