/** @file The frozen vision-language-action encoder, whichever one is behind it (nano, SmolVLA, Octo). */
import type { Device } from '../graph/index.ts'
import type { Channel } from '../robot/channels.ts'
import type { Image } from '../robot/robot.ts'
import type { GivenCameras } from './cameras.ts'
import type { ModelName } from './hub/catalogue.ts'
import type { Precision } from './int8/precision.ts'

export type EncoderDescription = {
  name: string
  cameras: readonly string[] // image names it wants, in order
  imageSize: number // square, pixels
  embeddingWidth: number // width of h
  featureShape: readonly [cameras: number, height: number, width: number, channels: number]
  licence: string
  source: string
  hash: string // of the weights
  int8?: string // hash of those that are quantised in their place
  half?: boolean // whether products are in half precision
  notes?: readonly string[] // what a person should know before a run: which camera stands in for which, how the files were read; a line each
}

/** What is kept of one observation: computed once, on arrival. */
export type Encoding = {
  h: Float32Array // [embeddingWidth] task embedding; depends on the instruction
  features: Float32Array // flat [cameras, height, width, channels] frozen visual features
}

export type EncoderInput = { images: Record<string, Image>; proprio: Float32Array; instruction: string }

/** A few observations of different scenes. Asked for when they are needed. */
export type FrameSource = () => Promise<readonly EncoderInput[]>

export interface VlaEncoder {
  readonly description: EncoderDescription
  /** Encodes a batch; results are copies that the caller may keep. @throws InputError on a missing camera or wrong size */
  encode(inputs: readonly EncoderInput[]): Promise<Encoding[]>
  close(): Promise<void>
}

/** What an encoder may be opened with. */
export type EncoderOptions = {
  folder?: string // with the published files; without it those that come with it
  layer?: number // whose keys and values make the embedding
  pairing?: GivenCameras
  statistics?: string // which of several
  cameras: readonly string[] // of the robot
  stateWidth?: number // of the robot's proprio
  channels?: readonly Channel[] // of it
  device?: Device
  precision?: Precision // f32 without it
  frames?: FrameSource // of the robot, for int8 to be measured on where it has yet to be made; drawn ones without
}

/** A kind of encoder. Importing one costs nothing: what opens it is loaded when it is opened. */
export type EncoderKind = {
  name: string
  /** What its weights have seen, for whoever reads figures of a policy that stands on it: a part of a sentence. */
  pretrainedOn: string
  /** The options that it makes something of, beside those that every encoder gets. */
  reads: readonly ('layer' | 'pairing' | 'statistics' | 'precision')[]
  /** What it is of the models that `duet pull` fetches, unless another one is named; none that comes with the program. */
  model?: ModelName
  open(options: EncoderOptions): Promise<VlaEncoder>
}
