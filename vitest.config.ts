import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take longest, about the longest first: begun last, each would run on alone when all others are through. */
const LONG = [
  'run/death',
  'console-web/live',
  'run/tiny',
  'run/several',
  'run/sensor-faults',
  'console-web/hands', // not beside the other file that has a browser
  'robots/workcell/operator',
  'cli/commands',
]

/** Begins with the long files, also in a clone that has no durations of earlier runs yet. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = LONG.findIndex((name) => moduleId.endsWith(`/tests/${name}.test.ts`))
      return place < 0 ? LONG.length : place
    }
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b))
  }
}

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts', 'src/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // onnxruntime and MuJoCo hold native memory per process. Three forks on the two cores of the reference machine: some
    // of the files wait more than they work, for a browser, a real clock or a process that they started.
    pool: 'forks',
    maxWorkers: 3,
    maxConcurrency: 2, // where a file starts processes of its own
    sequence: { sequencer: LongFirst },
  },
})
