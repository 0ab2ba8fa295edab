/** @file Our joint learner step in turn with the same step in JAX (jitted) and PyTorch (eager), where python3 has them. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { median } from '../src/metrics/statistics.ts'
import { RandomStream } from '../src/random/stream.ts'
import { differenceOf } from './gpu-learner.ts'
import { reasonOf } from './gpu-means.ts'
import { ourLearner, type StepLosses } from './learner.ts'
import { type PythonLibrary, pythonLearner } from './learner-python.ts'
import { medianWithin, rounded } from './measure.ts'
import { type BenchSizes, randomBatch, SIZES } from './problem.ts'

const PEERS = { Jax: 'jax', Torch: 'torch' } as const satisfies Record<string, PythonLibrary>
const COMPARED = 3 // first steps whose losses are held against each other
const AGREEMENT = 1e-4 // relative; all compute in float32

type Options = {
  say: (line: string) => void
  sizes?: BenchSizes
  rounds?: number
  seconds?: number // of steps that each is timed for in a round
  has?: (library: PythonLibrary) => Promise<string>
}

/** Figures: our milliseconds a step, each peer's, and the median over the rounds of ours in the peer's (below 1: ours is faster). @throws Error where losses disagree */
export async function benchPeers({ say, sizes = SIZES, rounds = 5, seconds = 4, has = versionOf }: Options) {
  const here = new Map<string, PythonLibrary>()
  for (const [name, library] of Object.entries(PEERS))
    try {
      say(`${library}: ${await has(library)}`)
      here.set(name, library)
    } catch (error) {
      say(`${library}: missing (${reasonOf(error)}), nothing is measured in its place. \`pip install ${library}\``)
    }
  const batch = randomBatch(sizes, new RandomStream(0, 'bench'))
  const ours: number[] = []
  const theirs = new Map([...here.keys()].map((name) => [name, [] as number[]]))
  for (let round = 0; round < rounds; round++) {
    const { losses, stepMs } = await timeOurs(sizes, batch, seconds)
    ours.push(stepMs)
    for (const [name, library] of here) {
      const peer = await pythonLearner(library, sizes, batch, { seconds })
      const difference = differenceOf(peer.losses, losses)
      if (!(difference <= AGREEMENT))
        throw new Error(`bench peers: ${library}'s losses differ by ${difference}; compare the steps`)
      theirs.get(name)!.push(peer.stepMs)
    }
  }
  const figures: Record<string, number> = { stepMs: rounded(median(ours)) }
  for (const [name, times] of theirs) {
    figures[`step${name}Ms`] = rounded(median(times))
    figures[`of${name}Ratio`] = rounded(median(times.map((ms, round) => ours[round]! / ms)))
  }
  return figures
}

async function timeOurs(sizes: BenchSizes, batch: ReturnType<typeof randomBatch>, seconds: number) {
  const learner = await ourLearner(sizes, batch)
  const losses: StepLosses[] = []
  for (let step = 0; step < COMPARED; step++) losses.push(await learner.step())
  const stepMs = await medianWithin(learner.step, seconds)
  await learner.release()
  return { losses, stepMs }
}

const versionOf = async (library: PythonLibrary) =>
  (await promisify(execFile)('python3', ['-c', `import ${library}; print(${library}.__version__)`])).stdout.trim()
