/** @file Nano with weights that stay in their file, as published encoders have them: so it can be had in any precision, for measurements. */
import { join } from 'node:path'
import { openSafetensors } from '../src/formats/safetensors-file.ts'
import type { Device, Tensor } from '../src/graph/index.ts'
import { shapesOf } from '../src/nets/parameters.ts'
import type { EncoderInput, FrameSource } from '../src/vla/encoder.ts'
import { storedTensors } from '../src/vla/files.ts'
import { Compiler } from '../src/vla/int8/compiler.ts'
import type { Precision } from '../src/vla/int8/precision.ts'
import { fillInput } from '../src/vla/nano/encoder.ts'
import { nano, nanoInputs, nanoLayout } from '../src/vla/nano/model.ts'
import { loadNano, NANO_FOLDER } from '../src/vla/nano/weights.ts'
import { WordTokeniser } from '../src/vla/nano/words.ts'

/** One observation at a time, in one thread as in a run. `frames`: what a precision is measured on. */
export async function openFrozenNano(
  precision: Precision,
  { device, frames }: { device?: Device; frames: FrameSource },
) {
  const { config, hash } = await loadNano(NANO_FOLDER)
  const file = await openSafetensors(join(NANO_FOLDER, 'weights.safetensors'))
  const inputs = nanoInputs(config, 1)
  const { h } = nano(await storedTensors(file, shapesOf(nanoLayout(config))), config, inputs)
  const traced = { name: 'nano', outputs: { h }, threads: 1, device }
  const tokeniser = new WordTokeniser(config)
  const compiler = new Compiler(precision, hash, { device, frames: 'the robot' })
  const program = await compiler.compile(traced, async () =>
    (await frames()).map((frame) => {
      const sample = { inputs: buffersFor(Object.values(inputs).flat()) }
      fillInput(sample, 0, frame, config, tokeniser)
      return sample.inputs
    }),
  )
  return {
    compiler,
    async encode(frame: EncoderInput): Promise<Float32Array> {
      fillInput(program, 0, frame, config, tokeniser)
      await program.run()
      return program.outputs.h!.slice()
    },
    async close(): Promise<void> {
      await program.release()
      await file.close()
    },
  }
}

const buffersFor = (inputs: readonly Tensor[]) =>
  Object.fromEntries(
    inputs.map(({ attributes, size, dtype }) => [
      attributes.name as string,
      dtype === 'i32' ? new Int32Array(size) : new Float32Array(size),
    ]),
  )
