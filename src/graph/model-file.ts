/**
 * @file A model that stands alone: one ONNX file with its weights and a text about itself. Its weights are inputs that may
 * be left out, not constants: so onnxruntime makes of it what it makes of a program whose weights lie in a store, and the
 * answers are the same to the last bit.
 */
import { createHash } from 'node:crypto'
import ort from 'onnxruntime-node'
import { InputError, ShapeError } from '../errors.ts'
import { ModelEnvelope } from './onnx/schema.ts'
import { mergeEqual } from './passes/merge.ts'
import { optimise, prepare } from './passes/optimise.ts'
import { createSession, encode } from './program.ts'
import { sizeOf, type Tensor } from './tensor.ts'

const ABOUT = 'duet'
const CHECKSUM = 'duet.sha256' // of the graph, then of the text

type Envelope = { graph: Uint8Array; metadataProps?: { key: string; value: string }[] }

/**
 * The outputs as one file; their parameters are in it with the values that they have now. Each output is brought into shape
 * for itself, as if it were a program of its own: what two have in common is computed once, and never differently.
 */
export function writeModel(name: string, outputs: Record<string, Tensor>, about: string): Uint8Array {
  const ready = Object.values(outputs).map((output) => optimise(prepare([output]))[0]!)
  const merged = mergeEqual(ready)
  const named = Object.fromEntries(Object.keys(outputs).map((key, i) => [key, merged[i]!]))
  const { onnx } = encode(name, named, undefined, undefined, true)
  const envelope = ModelEnvelope.decode(onnx) as unknown as Envelope
  const metadataProps = [
    { key: ABOUT, value: about },
    { key: CHECKSUM, value: checksum(envelope.graph, about) },
  ]
  return ModelEnvelope.encode({ ...envelope, metadataProps }).finish()
}

const checksum = (graph: Uint8Array, about: string) => createHash('sha256').update(graph).update(about).digest('hex')

/** What a file says about itself. @throws InputError if it is damaged, or of somebody else's making */
export function readAbout(where: string, file: Uint8Array): string {
  let envelope: Envelope
  try {
    envelope = ModelEnvelope.decode(file) as unknown as Envelope
  } catch (cause) {
    throw new InputError(where, 'is no whole ONNX file', AGAIN, { cause })
  }
  const said = new Map(envelope.metadataProps?.map(({ key, value }) => [key, value]))
  const [about, sum] = [said.get(ABOUT), said.get(CHECKSUM)]
  if (about === undefined || sum === undefined)
    throw new InputError(where, 'is not a policy that Duet exported', 'Give a file that `duet export policy` wrote')
  if (sum !== checksum(envelope.graph, about))
    throw new InputError(where, 'is damaged: its checksum is of other content', AGAIN)
  return about
}

const AGAIN = 'Copy it again, or export it again with `duet export policy`'

/** An open model. One run at a time. */
export type ModelFile = {
  readonly inputs: Readonly<Record<string, readonly number[]>> // shapes
  /** Row-major. @throws ShapeError, or InputError for an input that is missing */
  run(feeds: Readonly<Record<string, Float32Array | Int32Array>>): Promise<Record<string, Float32Array>>
  release(): Promise<void>
}

/** @throws InputError if onnxruntime does not take it */
export async function openModel(where: string, file: Uint8Array): Promise<ModelFile> {
  const session = await createSession(file, { threads: 1 }).catch((cause: Error) => {
    throw new InputError(where, `is not taken by onnxruntime (${cause.message.split('\n')[0]})`, AGAIN, { cause })
  })
  const inputs = Object.fromEntries(
    session.inputMetadata.flatMap((value) => (value.isTensor ? [[value.name, value.shape as number[]]] : [])),
  )
  return {
    inputs,
    async run(feeds) {
      const tensors: Record<string, ort.Tensor> = {}
      for (const [name, shape] of Object.entries(inputs)) {
        const values = feeds[name]
        if (!values) throw new InputError(where, `is not given its input ${name}`, `It takes [${shape}]`)
        if (values.length !== sizeOf(shape)) throw new ShapeError(`${where}, input ${name}`, [values.length], shape)
        tensors[name] = new ort.Tensor(values instanceof Int32Array ? 'int32' : 'float32', values, shape)
      }
      const results = await session.run(tensors)
      return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data as Float32Array]))
    },
    release: () => session.release(),
  }
}
