/** @file Runs a golden case through the graph compiler: file tensors are inputs, results and gradients are outputs. */
import type { SafeTensor } from '../../../src/formats/safetensors.ts'
import { compile, gradients, input, reshape, stack, type Tensor, unsqueeze } from '../../../src/graph/index.ts'
import type { Parameters } from '../../../src/nets/index.ts'
import type { GoldenCase } from './set.ts'

/** Results by their name in the file. */
export type Results = Record<string, ArrayLike<number>>

export type CaseFile = { golden: GoldenCase; tensors: Record<string, SafeTensor>; normEpsilon: number }

/** Inputs of the graph by their name in the file. */
export class Leaves {
  readonly used = new Map<string, Tensor>()
  readonly names: string[]

  constructor(private readonly file: CaseFile) {
    this.names = Object.keys(file.tensors)
  }

  /** The input that holds this tensor of the file. */
  leaf(name: string): Tensor {
    const known = this.used.get(name)
    if (known) return known
    const tensor = this.file.tensors[name]
    if (!tensor) throw new Error(`case ${this.file.golden.id} has no tensor ${name}`)
    const made = input(name, [...tensor.shape], tensor.dtype === 'I32' ? 'i32' : 'f32')
    this.used.set(name, made)
    return made
  }

  /** 'param/<net>.<field>' of one network, by field. */
  network(net: string): Parameters {
    const prefix = `param/${net}.`
    const own = this.names.filter((name) => name.startsWith(prefix))
    if (own.length === 0) throw new Error(`case ${this.file.golden.id} has no network ${net}`)
    return Object.fromEntries(own.map((name) => [name.slice(prefix.length), this.leaf(name)]))
  }

  /** The members m0, m1, ... of each net in `nets` (one a task), stacked to [task, member, ...]. */
  ensemble(...nets: string[]): Parameters {
    const members = this.count(`param/${nets[0]}.m`)
    const ofTask = nets.map((net) => Array.from({ length: members }, (_, m) => this.network(`${net}.m${m}`)))
    const fields = Object.keys(ofTask[0]![0]!)
    const stacked = fields.map((field) => {
      const tasks = ofTask.map((networks) =>
        stack(
          networks.map((network) => network[field]!),
          0,
        ),
      )
      return [field, stack(tasks, 0)] as const
    })
    return Object.fromEntries(stacked)
  }

  /** How many of prefix0, prefix1, ... there are. */
  count(prefix: string): number {
    let n = 0
    while (this.names.some((name) => new RegExp(`^${escaped(prefix + n)}([./]|$)`).test(name))) n++
    return n
  }
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** [batch, ...] → [1, batch, ...]: one task. */
export const oneTask = (x: Tensor): Tensor => unsqueeze(x, 0)

type Outputs = Record<string, Tensor | ArrayLike<number>>

/** Builds the outputs, differentiates 'out/loss' to every tensor whose gradient the file holds, and runs once. */
export const traced =
  (build: (leaves: Leaves, config: GoldenCase['config'], file: CaseFile) => Outputs) =>
  async (file: CaseFile): Promise<Results> => {
    const leaves = new Leaves(file)
    const built = build(leaves, file.golden.config, file)
    const results: Results = {}
    const outputs: Record<string, Tensor> = {}
    for (const [name, value] of Object.entries(built)) {
      if ('operation' in value) outputs[name] = value as Tensor
      else results[name] = value
    }
    const wanted = leaves.names.filter((name) => name.startsWith('grad'))
    const sources = wanted.map((name) => leaves.leaf(name.replace(/^grad(_in|_noise)?\//, (_, kind) => kindOf(kind))))
    if (wanted.length) {
      const derived = gradients(reshape(outputs['out/loss']!, []), sources)
      for (const [i, name] of wanted.entries()) outputs[name] = derived[i]!
    }
    const program = await compile({ name: file.golden.id, outputs, threads: 1 })
    for (const name of leaves.used.keys()) program.inputs[name]?.set(file.tensors[name]!.data as Float32Array)
    await program.run()
    for (const name of Object.keys(outputs)) results[name] = Float32Array.from(program.outputs[name]!)
    await program.release()
    return results
  }

const kindOf = (kind: string | undefined) => (kind === '_in' ? 'in/' : kind === '_noise' ? 'noise/' : 'param/')
