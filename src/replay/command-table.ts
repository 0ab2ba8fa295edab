/** @file The commands met so far and their embeddings, by index: a labelled step keeps two bytes instead of a vector. */
import type { CommandEncoder } from '../talk/embedding.ts'

export class CommandTable {
  readonly names: string[] = []
  private readonly indices = new Map<string, number>()
  private vectors: Float32Array

  constructor(private readonly encoder: CommandEncoder) {
    this.vectors = new Float32Array(32 * encoder.width)
  }

  /** The command's index; embeds it on the first call. */
  index(command: string): number {
    const known = this.indices.get(command)
    if (known !== undefined) return known
    const index = this.names.length
    if (index === 65535) return 0 // tags are 16 bits wide; a person does not say so many different phrases
    const { width } = this.encoder
    if ((index + 1) * width > this.vectors.length) {
      const grown = new Float32Array(this.vectors.length * 2)
      grown.set(this.vectors)
      this.vectors = grown
    }
    this.vectors.set(this.encoder.embed(command), index * width)
    this.names.push(command)
    this.indices.set(command, index)
    return index
  }

  /** Writes the embedding of command `index` to row `at` of [rows, width]. */
  write(index: number, out: Float32Array, at: number) {
    const { width } = this.encoder
    for (let i = 0; i < width; i++) out[at * width + i] = this.vectors[index * width + i]!
  }
}
