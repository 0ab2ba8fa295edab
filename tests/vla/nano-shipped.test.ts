/** @file The weights that come with the program keep the promises of their model card. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { probe, probeFrames } from '../../src/pretrain/probe.ts'
import { TASK_NAMES, TASKS } from '../../src/robots/workcell/tasks/index.ts'
import { Workcell } from '../../src/robots/workcell/workcell.ts'
import { NanoEncoder } from '../../src/vla/nano/encoder.ts'
import { NANO_FOLDER } from '../../src/vla/nano/weights.ts'

describe('the shipped nano encoder', () => {
  let encoder: NanoEncoder
  beforeAll(async () => {
    encoder = await NanoEncoder.load()
  })
  afterAll(() => encoder.close())

  it('is small', async () => {
    expect((await stat(join(NANO_FOLDER, 'weights.safetensors'))).size).toBeLessThan(10_000_000)
  })

  it('reads millimetres and degrees of task frames that it never saw, by a linear map from few episodes', async () => {
    // What changes within an episode; a dozen fixture places are too few to fit a map of 256 entries to.
    const errors = probe(await probeFrames(encoder, 16), 'h').filter(({ reading }) =>
      /^(tip|head) from tool|boltAxis/.test(reading),
    )
    expect(errors.map(({ unit }) => unit)).toEqual(['mm', 'mm', '°'])
    for (const { reading, median } of errors) expect(median, reading).toBeLessThan(6)
  })

  it('tells the three task instructions apart in one scene', async () => {
    const workcell = await Workcell.create()
    const { images, proprio } = workcell.resetSync('pick', 4)
    workcell.free()
    const encodings = await encoder.encode(
      TASK_NAMES.map((task) => ({ images, proprio, instruction: TASKS[task]!.instruction })),
    )
    for (const [a, b] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ] as const)
      expect(Math.hypot(...encodings[a]!.h.map((x, i) => x - encodings[b]!.h[i]!))).toBeGreaterThan(1)
  })
})
