/** @file Compiles a traced computation, and the gradients of its losses, into one onnxruntime session. */

import { availableParallelism } from 'node:os'
import { dirname, parse, relative, sep } from 'node:path'
import ort from 'onnxruntime-node'
import { InputError, ShapeError } from '../errors.ts'
import { deviceError, type Runtime, requireDevice } from './device.ts'
import { gradients as differentiate } from './gradient.ts'
import { bindingOf, leaves, storageOf } from './leaves.ts'
import { ModelWriter } from './onnx/writer.ts'
import { optimise, prepare } from './passes/optimise.ts'
import type { ParameterStore } from './store.ts'
import { sizeOf, type Tensor } from './tensor.ts'
import { topologicalOrder } from './topology.ts'
import { NO_RESULT, runUncopied } from './uncopied.ts'

export interface CompileOptions extends Runtime {
  /** Names the model in errors and in the ONNX file. */
  name: string
  outputs: Record<string, Tensor>
  /** Losses (scalars) whose gradients to all tensors of a trained group go into the store's gradient run. */
  gradients?: readonly { store: ParameterStore; group: string; loss: Tensor }[]
  /** Inputs to allocate even if no output depends on them. */
  inputs?: readonly Tensor[]
}

/** A compiled computation with preallocated inputs and outputs. One run at a time. */
export interface Program {
  /** Write before `run`, row-major. */
  readonly inputs: Record<string, Float32Array | Int32Array>
  /** Read after `run`; overwritten by the next one. */
  readonly outputs: Record<string, Float32Array>
  readonly onnx: Uint8Array
  /** Copies `data` into an input after checking name, length and type. */
  set(name: string, data: ArrayLike<number>): void
  run(): Promise<void>
  release(): Promise<void>
}

ort.env.logLevel = 'error'

/** Traced tensors to a session: gradients, passes, ONNX, onnxruntime. */
export async function compile(options: CompileOptions): Promise<Program> {
  const { device = 'cpu' } = options
  requireDevice(device)
  const traced = tracedOutputs(options)
  const names = Object.keys(traced)
  const inputs = collectInputs(options.name, inputRoots(options))
  const after = optimise(Object.values(traced))
  const optimised = Object.fromEntries(names.map((name, i) => [name, after[i]!]))
  const folder = storageFolder(options.name, after)
  const sequence = options.gradients?.length ? NO_RESULT : undefined // small outputs cost less than the error
  const { onnx, fed, parameters } = encode(options.name, optimised, folder, sequence)
  const session = await createSession(onnx, options, folder).catch((cause: unknown) => {
    throw device === 'cpu' ? cause : deviceError(device, options.name, cause)
  })
  return bind(session, onnx, options, inputs, fed, parameters, optimised)
}

/** `folder`: of the weights that stay in files. */
export const createSession = (
  onnx: Uint8Array,
  { device = 'cpu', threads = availableParallelism() }: Runtime,
  folder?: string,
): Promise<ort.InferenceSession> =>
  ort.InferenceSession.create(onnx, {
    executionProviders: [device],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    logSeverityLevel: 3,
    extra: {
      session: {
        // Waiting threads sleep: simulation, console and learner share the cores, and a spinning thread takes one away.
        // With other work on two cores a critic step takes 70 ms this way and 130 to 150 ms with spinning.
        intra_op: { allow_spinning: '0' },
        ...(folder && { model_external_initializers_file_folder_path: folder }),
      },
    },
  })

/** The model of some outputs as ONNX bytes, with the leaves that it takes as inputs. */
export function encode(
  name: string,
  outputs: Record<string, Tensor>,
  folder?: string, // of the weights that stay in files
  sequence?: string, // name of an empty sequence before the outputs
  alone = false, // the parameters' values of now stand in the model, for whoever runs it without their store
): { onnx: Uint8Array; fed: Map<string, Tensor>; parameters: Map<string, Tensor> } {
  const fed = new Map<string, Tensor>()
  const parameters = new Map<string, Tensor>()
  const leafNames = new Map<Tensor, string>()
  for (const node of topologicalOrder(Object.values(outputs))) {
    if (node.operation !== leaves.input && node.operation !== leaves.parameter) continue
    const key = node.operation === leaves.input ? (node.attributes.name as string) : bindingOf(node).name
    const map = node.operation === leaves.input ? fed : parameters
    if (fed.has(key) || parameters.has(key))
      throw new InputError(`${name}: ${key}`, 'names two different leaves', 'Give each input and group its own name.')
    map.set(key, node)
    leafNames.set(node, key)
  }
  for (const key of Object.keys(outputs))
    if (fed.has(key) || parameters.has(key))
      throw new InputError(`${name}: output ${key}`, 'has the name of an input', 'Rename one of them.')
  const writer = new ModelWriter(leafNames, folder)
  if (alone) for (const [key, node] of parameters) writer.byDefault(key, node, bindingOf(node).view)
  const onnx = writer.write(name, [...fed, ...parameters], outputs, sequence)
  return { onnx, fed, parameters }
}

/** The deepest folder that all weights which stay in files lie below: a model can point into one folder only. */
function storageFolder(name: string, outputs: readonly Tensor[]): string | undefined {
  let folder: string | undefined
  for (const node of topologicalOrder(outputs)) {
    if (node.operation !== leaves.stored) continue
    const own = dirname(storageOf(node).path)
    folder ??= own
    if (parse(own).root !== parse(folder).root)
      throw new InputError(`${name}: weights`, `lie in ${folder} and in ${own}`, 'Put the files onto one disk.')
    while (isOutside(own, folder)) folder = dirname(folder)
  }
  return folder
}

const isOutside = (path: string, folder: string): boolean => relative(folder, path).split(sep)[0] === '..'

const gradientName = (group: string, name: string) => `gradient:${group}/${name}`

/** Outputs and gradients by name, the gradients taken of losses that share with each other what they have in common. */
function tracedOutputs({ name, outputs, gradients = [] }: CompileOptions): Record<string, Tensor> {
  for (const [key, tensor] of Object.entries(outputs))
    if (tensor.dtype !== 'f32')
      throw new InputError(`${name}: output ${key}`, `has dtype ${tensor.dtype}`, "cast() it to 'f32'.")
  const names = Object.keys(outputs)
  const prepared = prepare([...Object.values(outputs), ...gradients.map(({ loss }) => loss)])
  const traced = Object.fromEntries(names.map((key, i) => [key, prepared[i]!]))
  for (const [at, { store, group }] of gradients.entries()) {
    store.flat(group, 'gradient')
    const tensors = Object.entries(store.tensors(group))
    const results = differentiate(
      prepared[names.length + at]!,
      tensors.map(([, tensor]) => tensor),
    )
    for (const [i, [key]] of tensors.entries()) {
      if (gradientName(group, key) in traced)
        throw new InputError(`${name}: gradients of ${group}`, 'are asked for twice', 'Add the losses to one.')
      traced[gradientName(group, key)] = results[i]!
    }
  }
  return traced
}

/** What the inputs are collected from, as traced: no pass shall change their order, in which noise is drawn. */
const inputRoots = ({ outputs, gradients = [], inputs = [] }: CompileOptions): Tensor[] => [
  ...Object.values(outputs),
  ...gradients.map(({ loss }) => loss),
  ...inputs,
]

function collectInputs(name: string, outputs: readonly Tensor[]): Map<string, Tensor> {
  const inputs = new Map<string, Tensor>()
  for (const node of topologicalOrder(outputs)) {
    if (node.operation !== leaves.input) continue
    const key = node.attributes.name as string
    if (inputs.has(key)) throw new InputError(`${name}: input ${key}`, 'exists twice', 'Give each input its own name.')
    inputs.set(key, node)
  }
  return inputs
}

function bind(
  session: ort.InferenceSession,
  onnx: Uint8Array,
  { name, outputs, gradients = [] }: CompileOptions,
  inputs: ReadonlyMap<string, Tensor>,
  fed: ReadonlyMap<string, Tensor>,
  parameters: ReadonlyMap<string, Tensor>,
  optimised: Record<string, Tensor>,
): Program {
  const inputViews: Record<string, Float32Array | Int32Array> = {}
  const feeds: Record<string, ort.Tensor> = {}
  for (const [key, { dtype, size, shape }] of inputs) {
    const view = dtype === 'i32' ? new Int32Array(size) : new Float32Array(size)
    inputViews[key] = view
    // An input that the passes proved to be without influence is not part of the model.
    if (fed.has(key))
      feeds[key] =
        view instanceof Int32Array ? new ort.Tensor('int32', view, shape) : new ort.Tensor('float32', view, shape)
  }
  for (const [key, tensor] of parameters) feeds[key] = new ort.Tensor('float32', bindingOf(tensor).view, tensor.shape)

  const outputViews: Record<string, Float32Array> = {}
  const fetches: Record<string, ort.Tensor> = {}
  for (const key of Object.keys(outputs)) {
    outputViews[key] = new Float32Array(sizeOf(outputs[key]!.shape))
    fetches[key] = new ort.Tensor('float32', outputViews[key], outputs[key]!.shape)
  }
  for (const { store, group } of gradients)
    for (const [key, shape] of Object.entries(store.shapes(group)))
      fetches[gradientName(group, key)] = new ort.Tensor('float32', store.view(group, key, 'gradient'), shape)
  const missing = Object.keys(optimised).find((key) => !(key in fetches))
  if (missing) throw new Error(`${name}: nothing receives output ${missing}`)

  return {
    inputs: inputViews,
    outputs: outputViews,
    onnx,
    set(key, data) {
      const view = inputViews[key]
      if (!view) {
        const known = Object.keys(inputViews).join(', ') || 'no inputs'
        throw new InputError(name, `has no input ${key}`, `It has ${known}.`)
      }
      const { shape } = inputs.get(key)!
      if (data.length !== view.length)
        throw new ShapeError(`${name}: data for input ${key}`, [data.length], [`${view.length} values, for [${shape}]`])
      view.set(data)
    },
    async run() {
      await (gradients.length > 0 ? runUncopied(session, feeds, fetches) : session.run(feeds, fetches))
    },
    release: () => session.release(),
  }
}
