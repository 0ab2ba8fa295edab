/** @file An encoder whose feature maps nobody looks at: where all networks see h, maps are not kept, told or stored. */
import type { EncoderDescription, EncoderInput, Encoding, VlaEncoder } from './encoder.ts'

const NONE = Float32Array.of(0) // a tensor has no empty axis

export class WithoutMaps implements VlaEncoder {
  readonly description: EncoderDescription

  constructor(private readonly encoder: VlaEncoder) {
    this.description = { ...encoder.description, featureShape: [1, 1, 1, NONE.length] }
  }

  async encode(inputs: readonly EncoderInput[]): Promise<Encoding[]> {
    const encodings = await this.encoder.encode(inputs)
    return encodings.map(({ h }) => ({ h, features: NONE }))
  }

  close(): Promise<void> {
    return this.encoder.close()
  }
}
