import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take longest, about the longest first: begun last, each would run on alone when all others are through. */
const LONG = [
  'run/death',
  'console-web/live',
  'run/tiny',
  'fleet/up',
  'cli/commands',
  'console-web/hands', // last, when the other file that has a browser is through: they hold each other up
]

/** Files that put another module in the place of one of ours, which those after them in a process would find there. */
const MOCKING = ['run/settings-read', 'robots/workcell/frees']

/** Files that hold a robot against the real clock, or count who listens to a process: what others left in it could disturb them. */
const CLOCKED = ['console/*', 'robot/commanded']

const ALONE = [...LONG, ...MOCKING, ...CLOCKED].map((name) => `tests/${name}.test.ts`)
export const ALL = ['tests/**/*.test.ts', 'src/**/*.test.ts']

/** Begins with the long files, also in a clone that has no durations of earlier runs yet; those that share processes come last, together. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId, project }: TestSpecification) => {
      const place = LONG.findIndex((name) => moduleId.endsWith(`/tests/${name}.test.ts`))
      return place < 0 ? LONG.length + Number(!project.config.isolate) : place
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
      // What a process reads of our code and of MuJoCo, onnxruntime and others would take longer than most of these tests.
      { test: { ...common, name: 'together', include: ALL, exclude: ALONE, isolate: false } },
    ],
  },
})
