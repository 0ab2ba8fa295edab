/** @file Pretraining from play to files, at a tiny size: the loss falls, the files load, and training can be continued. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type PretrainProgress, pretrain } from '../../src/pretrain/pretrain.ts'
import { loadNano } from '../../src/vla/nano/weights.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nano-'))
})
afterAll(() => rm(folder, { recursive: true }))

const tiny = { seed: 3, frames: 64, batch: 4, threads: 1 }

it('learns from play, and goes on from weights that it wrote', async () => {
  const first = join(folder, 'first')
  const reports: PretrainProgress[] = []
  await pretrain({ ...tiny, folder: first, steps: 100, learningRate: 5e-3 }, (report) => reports.push(report))

  const play = reports.filter((report) => report.phase === 'play')
  expect(play.at(-1)).toEqual({ phase: 'play', done: 64, total: 64 })
  const losses = reports.flatMap((report) => (report.phase === 'training' ? [report.loss] : []))
  expect(losses.length).toBe(2)
  expect(losses[1]!).toBeLessThan(0.9 * losses[0]!)
  const trained = await loadNano(first)
  expect(trained.config.proprio.mean.length).toBe(17)
  expect(Object.values(trained.values).every((data) => data.every(Number.isFinite))).toBe(true)

  // With no learning rate, continued weights are the weights continued from.
  const second = join(folder, 'second')
  await pretrain({ ...tiny, folder: second, steps: 2, learningRate: 0, continueFrom: first })
  const continued = await loadNano(second)
  for (const [name, data] of Object.entries(trained.values))
    expect(
      continued.values[name]!.every((value, i) => value === data[i]),
      name,
    ).toBe(true)
})

it('stops when its minutes are over, and leaves weights', async () => {
  const short = join(folder, 'short')
  let steps = 0
  await pretrain({ ...tiny, folder: short, minutes: 1e-5 }, (report) => {
    if (report.phase === 'training') steps = report.done
  })
  expect(steps).toBe(0) // not even one report of 50 steps
  expect((await loadNano(short)).config.cameras).toEqual(['front', 'wrist'])
})
