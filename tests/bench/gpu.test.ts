/** @file The bench on a GPU: what it says where one is missing, what it measures where a device computes, and the same step in PyTorch. */
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { benchGpu } from '../../bench/gpu.ts'
import type { GpuEncoder } from '../../bench/gpu-encoders.ts'
import { differenceOf, learnerOn } from '../../bench/gpu-learner.ts'
import { type Ask, cardMegabytes, gpuMeans } from '../../bench/gpu-means.ts'
import { piecewise } from '../../bench/gpu-pieces.ts'
import { ourLearner } from '../../bench/learner.ts'
import { type PythonLibrary, pythonLearner } from '../../bench/learner-python.ts'
import { randomBatch } from '../../bench/problem.ts'
import { InputError } from '../../src/errors.ts'
import { RandomStream } from '../../src/random/stream.ts'
import { SMALL } from './small.ts'

const absent: Ask = async () => {
  throw Object.assign(new Error('spawn ENOENT'), { code: 'ENOENT' })
}
const CARD = 'NVIDIA H200, 143771 MiB, 570.10\n'
const machine =
  (torch: string): Ask =>
  async (program) =>
    program === 'nvidia-smi' ? CARD : torch
const computes = async () => undefined

describe('a machine', () => {
  it('without card, libraries and PyTorch is told each of them, with its remedy', async () => {
    const open = async () => {
      throw new InputError('device cuda', 'cannot run a product (no library)', 'It needs this and that')
    }
    const { lines, opens, torch } = await gpuMeans('cuda', { ask: absent, open })
    expect([opens, torch]).toEqual([false, undefined])
    expect(lines).toEqual([
      expect.stringMatching(/^onnxruntime knows: cpu/),
      "card: none answers (nvidia-smi: not found). NVIDIA's driver brings it",
      'onnxruntime on cuda: missing. device cuda: cannot run a product (no library). It needs this and that',
      expect.stringMatching(/^PyTorch: missing \(not found\), .*pip install torch/),
    ])
  })

  it('with all of them is told what they are', async () => {
    const { lines, opens, torch } = await gpuMeans('cuda', { ask: machine('["2.9.0", true]'), open: computes })
    expect([opens, torch]).toEqual([true, 'cuda'])
    expect(lines.slice(1)).toEqual([
      'card: NVIDIA H200, 143771 MiB, 570.10',
      'onnxruntime on cuda: computes',
      'PyTorch: 2.9.0, on cuda',
    ])
  })

  it('whose PyTorch sees no CUDA is not compared with what it does on the CPU', async () => {
    const ask = machine('["2.9.0+cpu", false]')
    const { lines, torch } = await gpuMeans('cuda', { ask, open: computes })
    expect(torch).toBeUndefined()
    expect(lines.at(-1)).toMatch(/^PyTorch: 2\.9\.0\+cpu sees no CUDA, .*pip install torch/)
    expect((await gpuMeans('cpu', { ask, open: computes })).torch).toBe('cpu')
    expect((await gpuMeans('webgpu', { ask, open: computes })).torch).toBeUndefined()
  })

  it('whose Python fails is told by the error’s last line', async () => {
    const ask: Ask = async () => {
      throw Object.assign(new Error('Command failed'), {
        stderr: 'Traceback\n  line 1\nNo module named torch\n',
        code: 1,
      })
    }
    expect((await gpuMeans('cuda', { ask, open: computes })).lines.at(-1)).toMatch(/missing \(No module named torch\)/)
  })

  it('with several cards has the memory of all', async () => {
    expect(await cardMegabytes(async () => '512\n1024\n')).toBe(1536)
    expect(await cardMegabytes(absent)).toBeUndefined()
  })
})

describe('the bench', () => {
  const measured = async (device: 'cuda' | 'cpu', opens: boolean, halves = true) => {
    const lines: string[] = []
    const anEncoder: GpuEncoder = {
      name: 'little',
      prepare: async () => undefined,
      open: async (precision) => ({
        notes: ['cameras: none', `precision: ${precision}`],
        half: precision === 'f16' && halves,
        encode: async () => Float32Array.of(3, precision === 'f16' ? 4.5 : 4),
        close: async () => undefined,
      }),
    }
    const means = async () => ({ lines: ['what there is'], opens })
    const extent = { sizes: SMALL, seconds: 0, latest: 1e9 }
    const figures = await benchGpu({ device, say: (line) => lines.push(line), means, encoders: [anEncoder], extent })
    return { lines, figures }
  }

  it('measures nothing where the device does not compute, and says so', async () => {
    const { lines, figures } = await measured('cuda', false)
    expect(figures).toEqual({})
    expect(lines).toEqual(['what there is', expect.stringMatching(/^nothing was measured: cuda is missing/)])
  })

  it('rehearses on the CPU all that it does, and calls no figure one of a GPU', async () => {
    const { lines, figures } = await measured('cpu', true)
    expect(lines).toContain('a rehearsal on the CPU, smaller: none of these figures is one of a GPU')
    expect(lines.filter((line) => line.startsWith('little: '))).toEqual([
      'little: precision: f32',
      'little: precision: f32',
      'little: precision: f16',
    ])
    const named = Object.keys(figures)
    expect(named).toEqual(
      expect.arrayContaining(['learnerRehearsedMs', 'learnerRehearsedBy1Ms', 'learnerRehearsedBy16Ms', 'tookSeconds']),
    )
    expect(named.filter((name) => /cuda|gpu/i.test(name))).toEqual([])
    expect(figures.littleRehearsedF32Cosine).toBe(1)
    expect(figures.littleRehearsedF16Cosine).toBeCloseTo(27 / (5 * Math.hypot(3, 4.5)), 6)
    expect(figures.littleRehearsedF16Difference).toBe(0.5)
    const steps = Object.entries(figures).filter(([name]) => /^learner.*LossDifference$/.test(name))
    expect(steps).toHaveLength(4)
    for (const [name, difference] of steps) expect(difference, name).toBeLessThan(1e-5)
  })

  it('measures no f32 as f16, and goes on where a piece fails', async () => {
    const { lines, figures } = await measured('cpu', true, false)
    expect(lines.at(-1)).toBe('littleRehearsedF16: FAILED, and is left out: it runs in f32')
    expect(Object.keys(figures).filter((name) => name.startsWith('littleRehearsed'))).toEqual(
      expect.not.arrayContaining(['littleRehearsedF16Ms']),
    )
    expect(figures.littleRehearsedF32Ms).toBeDefined()
  })

  it('leaves out what begins too late, and says what', async () => {
    const lines: string[] = []
    const options = { device: 'cpu', label: 'Rehearsed', sizes: SMALL, seconds: 0, torch: 'cpu' } as const
    const figures = await learnerOn({
      ...options,
      piece: piecewise(
        (line) => lines.push(line),
        () => true,
      ),
    })
    expect(Object.keys(figures)).toEqual(['learnerCpuMs'])
    expect(lines).toHaveLength(5)
    expect(lines.at(-1)).toBe('learnerTorchRehearsed: left out, as the time is up')
  })
})

const isHere = (library: PythonLibrary) => {
  try {
    execFileSync('python3', ['-c', `import ${library}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe.each([
  { title: 'PyTorch', library: 'torch' },
  { title: 'JAX', library: 'jax' },
] as const)('the step in $title', ({ library }) => {
  it.skipIf(!isHere(library))(
    'loses what ours does, step after step (skipped where python3 has it not: the program does not need it)',
    async () => {
      const batch = randomBatch(SMALL, new RandomStream(3, 'test'))
      const ours = await ourLearner(SMALL, batch, { threads: 1 })
      const wanted = []
      for (let step = 0; step < 3; step++) wanted.push(await ours.step())
      await ours.release()
      const { losses, stepMs } = await pythonLearner(library, SMALL, batch, { seconds: 0 })
      expect(differenceOf(losses, wanted)).toBeLessThan(2e-5)
      expect(losses[2]!.td).not.toBeCloseTo(losses[0]!.td, 3)
      expect(stepMs).toBeGreaterThan(0)
    },
  )
})
