/**
 * @file How the programs of an encoder are compiled: in f32, with products in halves, or with products of eight bits, which
 * are made when they are first asked for and kept in the cache. Where a precision cannot be had, f32 takes its place and a
 * line says why.
 */
import { createHash } from 'node:crypto'
import { InputError } from '../../errors.ts'
import {
  compile,
  type Device,
  type FrozenProduct,
  fingerprint,
  frozenProducts,
  halfProducts,
  type Program,
} from '../../graph/index.ts'
import { percent } from '../../metrics/percent.ts'
import { buildInt8 } from './build.ts'
import { type Int8Held, type ProductWay, readInt8 } from './file.ts'
import { asMebibytes, memoryLeft, processorLacks } from './means.ts'
import type { Precision } from './precision.ts'
import { quantisedOutputs, type Sample, type Traced } from './product.ts'

/** To be raised where the same graph and weights come to be quantised or chosen otherwise. */
const SCHEME = 1

/** Smaller products gain nothing. */
const WORTH = { weights: 1 << 11, rows: 8 }
const MEBIBYTE = 2 ** 20
/** Bytes a weight: packed for f32; for building both, its codes for two ways, and the pages of the file. */
const BYTES = { f32: 4.4, building: 8.8 }
const ROOM = 256 * MEBIBYTE // for activations

type CompilerOptions = {
  device?: Device
  frames?: 'drawn' | 'the robot' // what samples are made of
  machine?: { processorLacks: () => string | undefined; memoryLeft: () => number }
}
const HALVES_ON_CPU =
  'f16 gains nothing on a CPU: most multiply in f32 all the same, with rounded weights. Leave it out, or take a GPU'
const THIS_MACHINE = { processorLacks: () => processorLacks(), memoryLeft }

export class Compiler {
  /** Why the precision cannot be had, or how it came out; a line each. */
  readonly notes: string[] = []
  private readonly hashes: string[] = []
  private readonly frames: string
  private readonly memoryLeft: () => number
  private lacks: string | undefined
  private anyHalves = false

  /** `weights`: hash of all that they are made of. */
  constructor(
    private readonly precision: Precision,
    private readonly weights: string,
    { device = 'cpu', frames = 'drawn', machine = THIS_MACHINE }: CompilerOptions = {},
  ) {
    this.frames = frames
    this.memoryLeft = machine.memoryLeft
    if (precision === 'f32') return
    if (precision === 'f16') {
      if (device === 'cpu') this.notes.push(`precision: ${HALVES_ON_CPU}`)
      return
    }
    this.lacks = device === 'cpu' ? machine.processorLacks() : `it is made for the CPU, not for ${device}`
    if (this.lacks) this.notes.push(`precision: int8 cannot be used, f32 is: ${this.lacks}`)
  }

  /** Of the weights that are used in place of those in f32; undefined if there are none. */
  get int8(): string | undefined {
    return this.hashes.length > 0 ? this.hashes.join('+') : undefined
  }

  /** Whether products are in half precision. */
  get half(): true | undefined {
    return this.anyHalves || undefined
  }

  /** `samples` are asked for to see that halves do, or if products have yet to be quantised: a few runs whose inputs are as they will be. */
  async compile(traced: Traced, samples: () => Promise<readonly Sample[]>): Promise<Program> {
    const products = frozenProducts(Object.values(traced.outputs), WORTH)
    this.noteMemory(traced, products)
    if (this.precision === 'f16') return this.inHalves(traced, samples)
    const held = this.precision === 'int8' && !this.lacks ? await this.held(traced, products, samples) : undefined
    if (!held?.index.products.some(({ way }) => way !== 'f32')) return compile(traced)
    this.hashes.push(digest([held.index.weights, held.index.products.map(({ way }) => way)]))
    return compile({ ...traced, outputs: quantisedOutputs(traced.outputs, products, held) })
  }

  /** f32 where halves do not reach: weights of others may make larger numbers than ours, which were drawn. */
  private async inHalves(traced: Traced, samples: () => Promise<readonly Sample[]>): Promise<Program> {
    const names = Object.keys(traced.outputs)
    const halved = halfProducts(Object.values(traced.outputs))
    const program = await compile({
      ...traced,
      outputs: Object.fromEntries(names.map((name, i) => [name, halved[i]!])),
    })
    for (const sample of await samples()) {
      for (const [name, values] of Object.entries(sample)) program.set(name, values)
      await program.run()
      if (Object.values(program.outputs).every((values) => values.every(Number.isFinite))) continue
      this.notes.push(`precision: ${traced.name} has numbers beyond the range of f16: f32 is used`)
      await program.release()
      return compile(traced)
    }
    this.anyHalves = true
    return program
  }

  private async held(
    traced: Traced,
    products: readonly FrozenProduct[],
    samples: () => Promise<readonly Sample[]>,
  ): Promise<Int8Held | undefined> {
    const { name, outputs } = traced
    const shapes = products.map(({ weights }) => weights.shape)
    const key = digest([SCHEME, this.weights, this.frames, name, shapes, fingerprint(Object.values(outputs))])
    let found = await readInt8(key)
    if (found && 'damaged' in found) {
      this.notes.push(`precision: ${found.damaged}; it is made again`)
      found = undefined
    }
    if (!found) {
      const [needed, left] = [BYTES.building * weightsOf(products) + ROOM, this.memoryLeft()]
      if (needed > left) {
        this.notes.push(
          `precision: to quantise ${name} takes about ${asMebibytes(needed)} of memory, ${asMebibytes(left)} are left: f32 is used`,
        )
        return undefined
      }
      found = await this.build(key, traced, products, samples)
    }
    if (found) this.notes.push(lineOf(name, found))
    return found
  }

  private async build(
    key: string,
    traced: Traced,
    products: readonly FrozenProduct[],
    samples: () => Promise<readonly Sample[]>,
  ): Promise<Int8Held | undefined> {
    try {
      return await buildInt8(key, traced, products, samples)
    } catch (error) {
      const ofDisk = error instanceof InputError || (error as NodeJS.ErrnoException).code !== undefined
      if (!ofDisk) throw error
      this.notes.push(`precision: what is quantised cannot be kept (${(error as Error).message}): f32 is used`)
      return undefined
    }
  }

  private noteMemory({ name }: Traced, products: readonly FrozenProduct[]): void {
    if (this.precision === 'int8' && !this.lacks) return
    const [needed, left] = [BYTES.f32 * weightsOf(products) + ROOM, this.memoryLeft()]
    if (needed > left)
      this.notes.push(
        `memory: ${name} takes about ${asMebibytes(needed)}, ${asMebibytes(left)} are left: the system may slow down or end this program`,
      )
  }
}

const weightsOf = (products: readonly FrozenProduct[]) => products.reduce((sum, { weights }) => sum + weights.size, 0)

const digest = (parts: unknown) => createHash('sha256').update(JSON.stringify(parts)).digest('hex')

function lineOf(name: string, { index: { products, cosine, ofSpread } }: Int8Held): string {
  const count = (wanted: ProductWay) => products.filter(({ way }) => way === wanted).length
  const inBytes = products.length - count('f32')
  if (inBytes === 0) return `precision: ${name} loses too much in int8: f32 is used`
  const parts = [
    `${count('rows')} of them by rows`,
    `${count('smooth')} smoothed`,
    `least cosine with f32 ${cosine.toFixed(5)}, error ${percent(ofSpread)} of what pictures differ in`,
  ]
  return `precision: ${name} has ${inBytes} of ${products.length} products in int8, ${parts.join(', ')}`
}
