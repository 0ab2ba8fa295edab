/** @file The learner step in JAX or PyTorch, in a process of its own, on the batch and from the parameters of ours: learner-jax.py, learner-torch.py. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { leaves } from '../src/graph/leaves.ts'
import { topologicalOrder } from '../src/graph/topology.ts'
import { LearnerConfig } from '../src/learn/config.ts'
import { CONRFT_SCHEDULE } from '../src/nets/index.ts'
import { columnsOf, LAMBDA, type StepLosses, tracedLearner } from './learner.ts'
import type { BenchBatch, BenchSizes } from './problem.ts'

export type PythonFigures = {
  losses: StepLosses[] // of the first steps
  stepMs: number
  tf32StepMs?: number // of PyTorch on CUDA, where products may be rounded as onnxruntime rounds them
}

export type PythonLibrary = 'jax' | 'torch'

/** Steps for about `seconds` after the first ones. `device`: PyTorch's alone. @throws Error if the script fails */
export async function pythonLearner(
  library: PythonLibrary,
  s: BenchSizes,
  batch: BenchBatch,
  { device = 'cpu', seconds }: { device?: 'cuda' | 'cpu'; seconds: number },
): Promise<PythonFigures> {
  const folder = await mkdtemp(join(tmpdir(), `duet-bench-${library}-`))
  try {
    await writeProblem(folder, s, batch)
    const script = resolve(import.meta.dirname, `learner-${library}.py`)
    const { stdout } = await promisify(execFile)('python3', [script, folder, device, String(seconds)])
    const { losses, ...times } = JSON.parse(stdout) as Omit<PythonFigures, 'losses'> & { losses: [number, number][] }
    return { ...times, losses: losses.map(([td, actor]) => ({ td, actor })) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function writeProblem(folder: string, s: BenchSizes, batch: BenchBatch): Promise<void> {
  const { store, traced } = tracedLearner(s)
  const columns = columnsOf(batch, s)
  const tensors: Record<string, { shape: readonly number[]; values: Float32Array | Int32Array }> = {}
  for (const group of ['critic', 'head'])
    for (const [name, shape] of Object.entries(store.shapes(group)))
      tensors[`${group}/${name}`] = { shape, values: store.view(group, name) }
  for (const { operation, attributes, shape } of topologicalOrder(traced.gradients.map(({ loss }) => loss))) {
    const { name } = attributes as { name: string }
    if (operation === leaves.input) tensors[`batch/${name}`] = { shape, values: columns[name]! }
  }
  const places: Record<string, object> = {}
  const pieces: Uint8Array[] = []
  let offset = 0
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    places[name] = { shape, offset, dtype: values instanceof Int32Array ? 'i32' : 'f32' }
    pieces.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    offset += values.byteLength
  }
  const { learningRate, targetRate, maxGradientNorm, taskWeight } = LearnerConfig.parse({})
  const constants = { ...CONRFT_SCHEDULE, learningRate, targetRate, maxGradientNorm, taskWeight, lambda: LAMBDA }
  await writeFile(join(folder, 'problem.json'), JSON.stringify({ constants, tensors: places }))
  await writeFile(join(folder, 'problem.bin'), Buffer.concat(pieces))
}
