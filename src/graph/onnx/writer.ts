/** @file Writes a graph of symbolic tensors as an ONNX model. */

import { relative, sep } from 'node:path'
import { constantValues, leaves, storageOf } from '../leaves.ts'
import { type DType, type Operands, type Shape, sizeOf, type Tensor } from '../tensor.ts'
import { topologicalOrder } from '../topology.ts'
import {
  attributeType,
  contributed,
  dataType,
  externalLocation,
  irVersion,
  ModelProto,
  opset,
  storedBytes,
  storedType,
} from './schema.ts'

/** A float attribute; bare numbers and lists are integers. */
class FloatAttribute {
  constructor(readonly value: number) {}
}

type AttributeValue = number | readonly number[] | string | FloatAttribute
type NodeAttributes = Record<string, AttributeValue>

interface NodeMessage {
  input: string[]
  output: string[]
  name: string
  opType: string
  attribute: object[]
  domain?: string
}

/** Collects the ONNX nodes and initialisers of one model. Operations use `add` and the constants below. */
export class ModelWriter {
  private readonly nodes: NodeMessage[] = []
  private readonly initialisers = new Map<string, object>()
  private readonly names = new Map<Tensor, string>()
  private readonly consumers = new Map<Tensor, Set<string>>()
  private readonly companions = new Map<string, string>()
  private count = 0

  /** `leafNames` gives the graph inputs their names: those of input and parameter leaves. All stored weights lie below `storageFolder`. */
  constructor(
    private readonly leafNames: ReadonlyMap<Tensor, string>,
    private readonly storageFolder = '',
  ) {}

  /** Adds a node and returns the name of its first output. */
  add(opType: string, inputs: readonly string[], attributes: NodeAttributes = {}, outputs = 1): string {
    const name = `${opType}_${this.count++}`
    const output = [name, ...Array.from({ length: outputs - 1 }, (_, i) => `${name}:${i + 1}`)]
    const attribute = Object.entries(attributes).map(([key, value]) => attributeMessage(key, value))
    this.nodes.push({ input: [...inputs], output, name, opType, attribute })
    return name
  }

  /** `add` of an operator that the runtime has beside the standard; an input that is left out is ''. */
  addContributed(opType: string, inputs: readonly string[], attributes: NodeAttributes = {}): string {
    const name = this.add(opType, inputs, attributes)
    this.nodes.at(-1)!.domain = contributed.domain
    return name
  }

  /** An output of the node whose first output is `name`, or which `name` is made from. */
  sibling(name: string, index: number): string {
    const first = this.companions.get(name) ?? name
    const node = this.nodes.find(({ output }) => output[0] === first)
    if (!node?.output[index]) throw new Error(`onnx: ${name} has no output ${index}`)
    return node.output[index]
  }

  /** From now on the siblings of `name` are the outputs of the node whose first output is `first`. */
  accompany(name: string, first: string): void {
    this.companions.set(name, first)
  }

  float = (value: number) => new FloatAttribute(value)

  /** Name of a 1-D int64 constant: axes, shapes, bounds. */
  integers(values: readonly number[]): string {
    return this.initialiser(`i64[${values}]`, [values.length], dataType.i64, BigInt64Array.from(values, BigInt))
  }

  /** Name of a scalar int32 constant. */
  integer32(value: number): string {
    return this.initialiser(`i32(${value})`, [], dataType.i32, Int32Array.of(value))
  }

  /** Name of a 1-D float constant. */
  floats(values: readonly number[]): string {
    return this.initialiser(`f32[${values}]`, [values.length], dataType.f32, Float32Array.from(values))
  }

  /** Name of a double-precision constant, a scalar without `shape`. */
  doubles(values: readonly number[], shape: Shape = []): string {
    return this.initialiser(`f64[${values}][${shape}]`, shape, dataType.f64, Float64Array.from(values))
  }

  /** Name of a scalar float constant. */
  scalar(value: number): string {
    return this.initialiser(`f32(${value})`, [], dataType.f32, Float32Array.of(value))
  }

  /** Name of a float constant of equal values. */
  filled(shape: Shape, value: number): string {
    return this.initialiser(`f32(${value})[${shape}]`, shape, dataType.f32, new Float32Array(sizeOf(shape)).fill(value))
  }

  /** Name of a leaf: a graph input, a constant, or a value in a file. */
  leaf(node: Tensor): string {
    if (node.operation === leaves.stored) return this.stored(node)
    if (node.operation !== leaves.constant) return this.leafNames.get(node)!
    return this.initialiser(`constant_${this.count++}`, node.shape, dataType[node.dtype], constantValues(node))
  }

  /** Whether an operation of this name uses the node. */
  hasConsumer(node: Tensor, operation: string): boolean {
    return this.consumers.get(node)?.has(operation) ?? false
  }

  /** An input that a caller may leave out: these are its values then. Call before `write`. */
  byDefault(name: string, { shape, dtype }: Tensor, values: ArrayBufferView): void {
    this.initialiser(name, shape, dataType[dtype], values)
  }

  /** The model as bytes. `inputs` and `outputs` keep their order; an empty sequence comes before them, where it is named. */
  write(
    name: string,
    inputs: Iterable<[string, Tensor]>,
    outputs: Record<string, Tensor>,
    sequence?: string,
  ): Uint8Array {
    const order = topologicalOrder(Object.values(outputs))
    for (const node of order)
      for (const operand of node.inputs) {
        const users = this.consumers.get(operand) ?? new Set()
        this.consumers.set(operand, users.add(node.operation.name))
      }
    for (const node of order) {
      const operands = node.inputs.map((operand) => this.names.get(operand)!) as unknown as Operands<string>
      this.names.set(node, node.operation.emit(this, operands, node))
    }
    for (const [output, tensor] of Object.entries(outputs)) {
      const source = this.names.get(tensor)!
      this.nodes.push({
        input: [source],
        output: [output],
        name: `output_${output}`,
        opType: 'Identity',
        attribute: [],
      })
    }
    const declared = Object.entries(outputs).map(([key, { shape, dtype }]) => valueMessage(key, shape, dtype))
    if (sequence !== undefined) {
      this.nodes.push({ input: [], output: [sequence], name: sequence, opType: 'SequenceEmpty', attribute: [] })
      const elemType = { tensorType: { elemType: dataType.f32 } }
      declared.unshift({ name: sequence, type: { sequenceType: { elemType } } })
    }
    const graph = {
      name,
      node: this.nodes,
      initializer: [...this.initialisers.values()],
      input: Array.from(inputs, ([key, { shape, dtype }]) => valueMessage(key, shape, dtype)),
      output: declared,
    }
    const beside = this.nodes.some(({ domain }) => domain === contributed.domain) ? [contributed] : []
    const model = { irVersion, producerName: 'duet', graph, opsetImport: [{ domain: '', version: opset }, ...beside] }
    return ModelProto.encode(ModelProto.fromObject(model)).finish()
  }

  /** An initialiser that points into the file, widened where it is not single precision. */
  private stored(node: Tensor): string {
    const { path, offset, dtype } = storageOf(node)
    const name = `stored_${this.count++}`
    const bytes = node.size * storedBytes[dtype]
    const place = { location: relative(this.storageFolder, path).replaceAll(sep, '/'), offset, length: bytes }
    this.initialisers.set(name, {
      name,
      dims: [...node.shape],
      dataType: storedType[dtype],
      externalData: Object.entries(place).map(([key, value]) => ({ key, value: String(value) })),
      dataLocation: externalLocation,
    })
    return dtype === 'F32' || dtype === 'I8' ? name : this.add('Cast', [name], { to: dataType.f32 })
  }

  private initialiser(name: string, dims: Shape, type: number, values: ArrayBufferView): string {
    if (!this.initialisers.has(name)) {
      const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
      this.initialisers.set(name, { name, dims: [...dims], dataType: type, rawData })
    }
    return name
  }
}

function attributeMessage(name: string, value: AttributeValue): object {
  if (value instanceof FloatAttribute) return { name, f: value.value, type: attributeType.float }
  if (typeof value === 'string') return { name, s: Buffer.from(value), type: attributeType.string }
  if (typeof value === 'number') return { name, i: value, type: attributeType.int }
  return { name, ints: [...value], type: attributeType.ints }
}

const valueMessage = (name: string, shape: Shape, dtype: DType): object => ({
  name,
  type: { tensorType: { elemType: dataType[dtype], shape: { dim: shape.map((dimValue) => ({ dimValue })) } } },
})
