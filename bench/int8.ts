/**
 * @file (o) What int8 does to a trained network: nano, which is not offered in it, quantised as published encoders are by
 * four frames of the workcell, and compared with itself in f32 on others.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSafetensors } from '../src/formats/safetensors-file.ts'
import type { Program } from '../src/graph/index.ts'
import { shapesOf } from '../src/nets/parameters.ts'
import { Workcell } from '../src/robots/workcell/workcell.ts'
import type { EncoderInput } from '../src/vla/encoder.ts'
import { storedTensors } from '../src/vla/files.ts'
import { Compiler } from '../src/vla/int8/compiler.ts'
import { cosine, shareOfSpread } from '../src/vla/int8/measure.ts'
import { fillInput } from '../src/vla/nano/encoder.ts'
import { nano, nanoInputs, nanoLayout } from '../src/vla/nano/model.ts'
import { loadNano, NANO_FOLDER } from '../src/vla/nano/weights.ts'
import { WordTokeniser } from '../src/vla/nano/words.ts'
import { rounded } from './measure.ts'

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
  const { config, hash } = await loadNano(NANO_FOLDER)
  const file = await openSafetensors(join(NANO_FOLDER, 'weights.safetensors'))
  const { h } = nano(await storedTensors(file, shapesOf(nanoLayout(config))), config, nanoInputs(config, 1))
  const traced = { name: 'nano', outputs: { h }, threads: 1 }
  const tokeniser = new WordTokeniser(config)
  const frames = await look(FRAMES + MEASURED_ON)
  const plain = await new Compiler('f32', hash).compile(traced, async () => [])
  const compiler = new Compiler('int8', hash, { frames: 'the robot' })
  const bytes = await compiler.compile(traced, async () =>
    frames.slice(FRAMES).map((frame) => {
      fillInput(plain, 0, frame, config, tokeniser)
      return Object.fromEntries(Object.entries(plain.inputs).map(([name, values]) => [name, values.slice()]))
    }),
  )
  const encode = async (program: Program) => {
    const encoded: Float32Array[] = []
    for (const frame of frames.slice(0, FRAMES)) {
      fillInput(program, 0, frame, config, tokeniser)
      await program.run()
      encoded.push(program.outputs.h!.slice())
    }
    await program.release()
    return encoded
  }
  const [wanted, got] = [await encode(plain), await encode(bytes)]
  await file.close()
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
