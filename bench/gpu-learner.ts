/** @file The learner's step on a device: as the product takes it, several a launch, and in PyTorch, against the product on the CPU. */
import type { Device } from '../src/graph/index.ts'
import { RandomStream } from '../src/random/stream.ts'
import type { Piece } from './gpu-pieces.ts'
import { ourLearner, type StepLosses } from './learner.ts'
import { launchedLearner } from './learner-launch.ts'
import { pythonLearner } from './learner-python.ts'
import { medianWithin, rounded } from './measure.ts'
import { type BenchSizes, randomBatch } from './problem.ts'

const STEPS_A_LAUNCH = [1, 4, 16]
/** The first launch of one step, and the first three of separate ones, are held against the CPU's. */
const COMPARED = 3

type Options = {
  device: Device
  label: string // of the device, in figures
  sizes: BenchSizes
  seconds: number // each thing is measured for
  torch?: 'cuda' | 'cpu'
  piece: Piece
}

/** Figures end in Ms (a step), Ratio (of the product's step on the CPU) and LossDifference (from the CPU's first losses, relative). */
export async function learnerOn({ device, label, sizes, seconds, torch, piece }: Options) {
  const batch = randomBatch(sizes, new RandomStream(0, 'bench'))
  const figures: Record<string, number> = {}

  const cpu = await ourLearner(sizes, batch)
  const wanted: StepLosses[] = []
  for (let step = 0; step < COMPARED; step++) wanted.push(await cpu.step())
  const cpuMs = await medianWithin(cpu.step, seconds)
  await cpu.release()
  figures.learnerCpuMs = rounded(cpuMs)

  const note = (key: string, ms: number, losses: readonly StepLosses[]) => {
    figures[`${key}Ms`] = rounded(ms)
    figures[`${key}Ratio`] = rounded(cpuMs / ms)
    figures[`${key}LossDifference`] = rounded(differenceOf(losses, wanted))
  }
  await piece(`learner${label}`, async () => {
    const ours = await ourLearner(sizes, batch, { device })
    const losses: StepLosses[] = []
    for (let step = 0; step < COMPARED; step++) losses.push(await ours.step())
    note(`learner${label}`, await medianWithin(ours.step, seconds), losses)
    await ours.release()
  })
  for (const steps of STEPS_A_LAUNCH)
    await piece(`learner${label}By${steps}`, async () => {
      const began = performance.now()
      const launched = await launchedLearner(sizes, steps, { device })
      for (let k = 0; k < steps; k++) launched.show(k, batch)
      const losses = await launched.launch()
      figures[`learner${label}By${steps}LoadSeconds`] = rounded((performance.now() - began) / 1000)
      note(`learner${label}By${steps}`, (await medianWithin(launched.launch, seconds)) / steps, losses)
      await launched.release()
    })
  if (torch !== undefined)
    await piece(`learnerTorch${label}`, async () => {
      const { losses, stepMs, tf32StepMs } = await pythonLearner('torch', sizes, batch, { device: torch, seconds })
      note(`learnerTorch${label}`, stepMs, losses)
      if (tf32StepMs !== undefined) figures[`learnerTorch${label}Tf32Ms`] = rounded(tf32StepMs)
    })
  return figures
}

/** The largest relative one, over the steps that both have. */
export function differenceOf(got: readonly StepLosses[], wanted: readonly StepLosses[]): number {
  const differences = wanted
    .slice(0, got.length)
    .flatMap((want, step) =>
      (['td', 'actor'] as const).map((loss) => Math.abs(got[step]![loss] - want[loss]) / Math.abs(want[loss])),
    )
  return Math.max(...differences)
}
