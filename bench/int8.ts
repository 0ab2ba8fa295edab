/**
 * @file (o) What int8 does to a trained network: nano, which is not offered in it, quantised as published encoders are by
 * four frames of the workcell, and compared with itself in f32 on others.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Workcell } from '../src/robots/workcell/workcell.ts'
import type { EncoderInput } from '../src/vla/encoder.ts'
import { cosine, shareOfSpread } from '../src/vla/int8/measure.ts'
import { rounded } from './measure.ts'
import { openFrozenNano } from './nano-frozen.ts'

const FRAMES = 48
const MEASURED_ON = 4 // others than these frames
const FIRST_SEED = 500_000

export async function benchInt8(): Promise<Record<string, number>> {
  const cache = await mkdtemp(join(tmpdir(), 'duet-bench-int8-'))
  const before = process.env.HF_ASSETS_CACHE
  process.env.HF_ASSETS_CACHE = cache
  try {
    return await compareNano()
  } finally {
    if (before === undefined) delete process.env.HF_ASSETS_CACHE
    else process.env.HF_ASSETS_CACHE = before
    await rm(cache, { recursive: true, force: true })
  }
}

async function compareNano(): Promise<Record<string, number>> {
  const frames = await look(FRAMES + MEASURED_ON)
  const shown = async () => frames.slice(FRAMES)
  const encode = async (precision: 'f32' | 'int8') => {
    const nano = await openFrozenNano(precision, { frames: shown })
    const encoded: Float32Array[] = []
    for (const frame of frames.slice(0, FRAMES)) encoded.push(await nano.encode(frame))
    await nano.close()
    return { encoded, compiler: nano.compiler }
  }
  const [{ encoded: wanted }, { encoded: got, compiler }] = [await encode('f32'), await encode('int8')]
  if (compiler.int8 === undefined) throw new Error(`bench int8: ${compiler.notes.join('; ')}`)
  const [inBytes, all] = /has (\d+) of (\d+) products/.exec(compiler.notes.join())!.slice(1).map(Number)
  return {
    products: all!,
    productsInInt8: inBytes!,
    hCosineLeast: Number(Math.min(...got.map((each, i) => cosine(each, wanted[i]!))).toFixed(6)),
    hErrorOfSpread: rounded(shareOfSpread(got, wanted)),
  }
}

/** Start states of all tasks in turn. */
async function look(count: number): Promise<EncoderInput[]> {
  const workcell = await Workcell.create()
  const tasks = Object.entries(workcell.spec.tasks)
  const frames: EncoderInput[] = []
  for (let i = 0; i < count; i++) {
    const [task, { instruction }] = tasks[i % tasks.length]!
    const { images, proprio } = await workcell.reset(task, FIRST_SEED + i)
    frames.push({ images, proprio, instruction })
  }
  workcell.free()
  return frames
}
