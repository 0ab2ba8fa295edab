/**
 * @file Quantised weights on disk: one file of codes and scales, which the runtime maps, and beside it an index that says
 * whose they are, how each product is computed, and the sha256 of the first. The index is written last: without it there
 * is nothing.
 */
import { type FileHandle, mkdir, open, readFile, realpath, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { moveInPlace, syncHandle, writeWhole } from '../../durable.ts'
import { fileHash } from '../files.ts'
import { hubSettings } from '../hub/settings.ts'

const FORMAT = 'duet-int8'
const ALIGNMENT = 64

/**
 * How a product is computed: by codes with one scale for all of x; with one for each row of it; so, after its columns were
 * brought nearer to each other at the cost of the weights' (arXiv 2211.10438); or as it was.
 */
const WAYS = ['tensor', 'rows', 'smooth', 'f32'] as const
export type ProductWay = (typeof WAYS)[number]

const count = z.int().min(0)
const Index = z.strictObject({
  format: z.literal(FORMAT),
  key: z.string(), // of weights, graph and scheme
  weights: z.string().length(64), // sha256 of the other file
  cosine: z.number(), // the least of an output with that in f32, over the pictures that it was chosen on
  ofSpread: z.number(), // the error of the worst output as a share of what these pictures differ in
  products: z.array(
    z.strictObject({
      shape: z.tuple([count, count]),
      codes: count,
      scales: count,
      factors: count.optional(), // of the columns of x, where it is smoothed
      way: z.enum(WAYS),
      error: z.number(),
    }), // places are in bytes
  ),
})
export type Int8Index = z.infer<typeof Index>

/** Codes and scales, and where they lie. */
export type Int8Held = { path: string; index: Int8Index }

const folderOf = () => join(hubSettings().assets, 'duet', 'int8')
const indexOf = (key: string) => join(folderOf(), `${key.slice(0, 24)}.json`)
const weightsOf = (key: string) => join(folderOf(), `${key.slice(0, 24)}.bin`)

/** What the cache holds under a key: nothing, the weights, or why it cannot be used. */
export async function readInt8(key: string): Promise<Int8Held | { damaged: string } | undefined> {
  let text: string
  try {
    text = await readFile(indexOf(key), 'utf8')
  } catch {
    return undefined
  }
  const index = parseIndex(text)
  if (!index) return { damaged: `${indexOf(key)} is damaged` }
  if (index.key !== key) return { damaged: `${indexOf(key)} is of another encoder` }
  const found = await fileHash(weightsOf(key)).catch(() => 'missing')
  if (found === 'missing') return { damaged: `${weightsOf(key)} is missing` }
  if (found !== index.weights) return { damaged: `${weightsOf(key)} is damaged: its checksum is of other content` }
  return { path: await realpath(weightsOf(key)), index }
}

function parseIndex(text: string): Int8Index | undefined {
  try {
    return Index.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** Writes a file of weights piece by piece, under a name of its own until `keep`. @throws what the disk throws */
export class Int8Draft {
  static async begin(key: string): Promise<Int8Draft> {
    await mkdir(folderOf(), { recursive: true })
    const path = join(await realpath(folderOf()), `${key.slice(0, 24)}.${process.pid}.draft`)
    return new Int8Draft(key, path, await open(path, 'w'))
  }

  private at = 0

  private constructor(
    private readonly key: string,
    readonly path: string,
    private readonly file: FileHandle,
  ) {}

  /** Returns the place of its first byte. */
  async add(values: Int8Array | Float32Array): Promise<number> {
    const place = this.at
    const padding = (ALIGNMENT - (values.byteLength % ALIGNMENT)) % ALIGNMENT
    const bytes = new Uint8Array(values.byteLength + padding)
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    await this.file.writeFile(bytes)
    this.at += bytes.length
    return place
  }

  /** Gives the file its name, and writes its index. */
  async keep(index: Omit<Int8Index, 'format' | 'key' | 'weights'>): Promise<Int8Held> {
    await syncHandle(this.file, this.path)
    await this.file.close()
    const whole: Int8Index = { format: FORMAT, key: this.key, weights: await fileHash(this.path), ...index }
    await rm(indexOf(this.key), { force: true }) // until the new one is there it would be of other content
    moveInPlace(this.path, weightsOf(this.key))
    writeWhole(indexOf(this.key), JSON.stringify(whole))
    return { path: join(dirname(this.path), `${this.key.slice(0, 24)}.bin`), index: whole }
  }

  async discard(): Promise<void> {
    await this.file.close().catch(() => undefined)
    await rm(this.path, { force: true })
  }
}
