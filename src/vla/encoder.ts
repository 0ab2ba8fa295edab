/** @file The frozen vision-language-action encoder, whichever one is behind it (nano, SmolVLA, Octo). */
import type { Image } from '../robot/robot.ts'

export const ENCODERS = ['nano', 'smolvla', 'octo'] as const
export type EncoderName = (typeof ENCODERS)[number]

export type EncoderDescription = {
  name: string
  cameras: readonly string[] // image names it wants, in order
  imageSize: number // square, pixels
  embeddingWidth: number // width of h
  featureShape: readonly [cameras: number, height: number, width: number, channels: number]
  licence: string
  source: string
  hash: string // of the weights
  notes?: readonly string[] // what a person should know before a run: which camera stands in for which, how the files were read; a line each
}

/** What is kept of one observation: computed once, on arrival. */
export type Encoding = {
  h: Float32Array // [embeddingWidth] task embedding; depends on the instruction
  features: Float32Array // flat [cameras, height, width, channels] frozen visual features
}

export type EncoderInput = { images: Record<string, Image>; proprio: Float32Array; instruction: string }

export interface VlaEncoder {
  readonly description: EncoderDescription
  /** Encodes a batch; results are copies that the caller may keep. @throws InputError on a missing camera or wrong size */
  encode(inputs: readonly EncoderInput[]): Promise<Encoding[]>
  close(): Promise<void>
}
