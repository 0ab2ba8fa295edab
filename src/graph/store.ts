/** @file Parameters, gradients, moments and targets of a model in one WebAssembly memory. */

import { InputError } from '../errors.ts'
import { parameter } from './leaves.ts'
import { type AdamOptions, type AdamRun, adamStep, type Optimiser } from './optimiser.ts'
import { kernelOptimiser } from './optimiser-kernel.ts'
import { type Shape, sizeOf, type Tensor } from './tensor.ts'

/** A run of a group. 'gradient' and the moments exist if it is trained, 'target' if it has a target. */
export type Kind = 'value' | 'gradient' | 'moment1' | 'moment2' | 'target'

/** Tensors that are trained, saved and published together. */
export interface GroupSpec {
  tensors: Record<string, Shape>
  trained?: boolean
  target?: boolean
}

interface Place {
  shape: Shape
  /** Elements from the start of the run. */
  offset: number
}

interface Group {
  places: Map<string, Place>
  size: number
  runs: Map<Kind, Float32Array<ArrayBuffer>>
  leaves: Map<Kind, Record<string, Tensor>>
}

const pageBytes = 65536
const alignmentBytes = 64
const largestMemoryBytes = 65536 * pageBytes

/**
 * All parameters of a model. For each group the memory holds contiguous runs, tensors in the order of their spec and
 * without gaps: value; gradient, moment1 and moment2 if trained; target if wanted. The memory never grows, so views
 * stay valid, onnxruntime works on them without a copy, and the fused optimiser runs over them in place.
 * All starts as 0.
 */
export class ParameterStore {
  readonly memory: WebAssembly.Memory
  /** Adam steps that the values of a group have taken; settable, for values that come from elsewhere. */
  readonly steps: Record<string, number> = {}
  private readonly groups = new Map<string, Group>()
  private readonly optimiser: Optimiser

  /** `optimiser` is for tests that compare the kernel with its plain twin. */
  constructor(groups: Record<string, GroupSpec>, optimiser?: Optimiser) {
    // Byte 0 stays free: to the kernel a pointer of 0 means that there is no target.
    let bytes = alignmentBytes
    const planned: { group: Group; kind: Kind; start: number }[] = []
    for (const [name, spec] of Object.entries(groups)) {
      const group = planGroup(name, spec)
      this.groups.set(name, group)
      for (const kind of kindsOf(spec)) {
        planned.push({ group, kind, start: bytes })
        bytes += Math.ceil((group.size * 4) / alignmentBytes) * alignmentBytes
      }
      this.steps[name] = 0
    }
    if (bytes > largestMemoryBytes)
      throw new InputError('ParameterStore', `needs ${bytes} bytes`, 'WebAssembly ends at 4 GiB; split the model.')
    const pages = Math.ceil(bytes / pageBytes)
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
    for (const { group, kind, start } of planned)
      group.runs.set(kind, new Float32Array(this.memory.buffer as ArrayBuffer, start, group.size))
    this.optimiser = optimiser ?? kernelOptimiser(this.memory)
  }

  /** Names of the groups, in order. */
  get names(): string[] {
    return [...this.groups.keys()]
  }

  /** The runs that a group has, in order. */
  kinds(group: string): Kind[] {
    return [...this.group(group).runs.keys()]
  }

  /** Shapes of a group's tensors, in the order of the run. */
  shapes(group: string): Record<string, Shape> {
    return Object.fromEntries(Array.from(this.group(group).places, ([name, { shape }]) => [name, shape]))
  }

  /** Symbolic leaves for a group's parameters; the same leaves at each call. */
  tensors(group: string, kind: 'value' | 'target' = 'value'): Record<string, Tensor> {
    const entry = this.group(group)
    const known = entry.leaves.get(kind)
    if (known) return known
    this.flat(group, kind)
    const made = Object.fromEntries(
      Array.from(entry.places, ([name, { shape }]) => {
        const qualified = kind === 'value' ? `${group}/${name}` : `${kind}:${group}/${name}`
        return [name, parameter({ store: this, group, name: qualified, view: this.view(group, name, kind) }, shape)]
      }),
    )
    entry.leaves.set(kind, made)
    return made
  }

  /** The memory of one tensor. */
  view(group: string, name: string, kind: Kind = 'value'): Float32Array<ArrayBuffer> {
    const place = this.group(group).places.get(name)
    if (!place)
      throw new InputError(
        `ParameterStore: group ${group}`,
        `has no tensor ${name}`,
        `It has ${[...this.group(group).places.keys()].join(', ')}.`,
      )
    return this.flat(group, kind).subarray(place.offset, place.offset + sizeOf(place.shape))
  }

  /** The memory of an entire run, for saving and publishing. */
  flat(group: string, kind: Kind = 'value'): Float32Array<ArrayBuffer> {
    const run = this.group(group).runs.get(kind)
    if (run) return run
    const flag = kind === 'target' ? 'target: true' : 'trained: true'
    throw new InputError(`ParameterStore: group ${group}`, `has no ${kind}`, `Declare it with ${flag}.`)
  }

  /**
   * One Adam step of a trained group from its gradients, and of its target if `targetRate` is given, in one pass.
   * Returns the global norm of the gradients before clipping.
   */
  adam(group: string, options: AdamOptions): { gradientNorm: number } {
    const run: AdamRun = {
      value: this.flat(group, 'value'),
      gradient: this.flat(group, 'gradient'),
      moment1: this.flat(group, 'moment1'),
      moment2: this.flat(group, 'moment2'),
      target: options.targetRate === undefined ? undefined : this.flat(group, 'target'),
    }
    return { gradientNorm: adamStep(this.optimiser, run, ++this.steps[group]!, options) }
  }

  /** target = (1 - rate) target + rate value; rate 1 copies. */
  polyak(group: string, rate: number) {
    const value = this.flat(group, 'value')
    const target = this.flat(group, 'target')
    if (rate === 1) target.set(value)
    else this.optimiser.polyak(value, target, rate)
  }

  private group(name: string): Group {
    const group = this.groups.get(name)
    if (!group)
      throw new InputError('ParameterStore', `has no group ${name}`, `It has ${this.names.join(', ') || 'no groups'}.`)
    return group
  }
}

function kindsOf({ trained, target }: GroupSpec): Kind[] {
  return [
    'value',
    ...(trained ? (['gradient', 'moment1', 'moment2'] as const) : []),
    ...(target ? (['target'] as const) : []),
  ]
}

function planGroup(name: string, spec: GroupSpec): Group {
  const places = new Map<string, Place>()
  let size = 0
  for (const [tensor, shape] of Object.entries(spec.tensors)) {
    const elements = sizeOf(shape)
    if (!Number.isInteger(elements) || elements < 1)
      throw new InputError(`ParameterStore: ${name}/${tensor}`, `has shape [${shape}]`, 'Give positive integers.')
    places.set(tensor, { shape: [...shape], offset: size })
    size += elements
  }
  return { places, size, runs: new Map(), leaves: new Map() }
}
