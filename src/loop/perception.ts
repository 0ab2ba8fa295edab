/** @file From an observation to what the networks see of it: encoded once, on arrival, together with its shifted copies. */
import type { Normaliser } from '../learn/normaliser.ts'
import { RandomStream } from '../random/stream.ts'
import type { EncodedObservation } from '../replay/assembler.ts'
import type { Image, Observation } from '../robot/robot.ts'
import { shiftImage } from '../vla/augment.ts'
import type { VlaEncoder } from '../vla/encoder.ts'

export type Copies = { count: number; pixels: number; seed: number }
export const NO_COPIES: Copies = { count: 0, pixels: 0, seed: 0 }

/** What the networks see; `raw`: h before it was normalised. */
export type SeenObservation = EncodedObservation & { raw: Float32Array }

export class Perception {
  constructor(
    private readonly encoder: Pick<VlaEncoder, 'encode'>,
    private readonly instructions: Readonly<Record<string, string>>, // by task
    private readonly normalisers: Record<'h' | 'proprio', Pick<Normaliser, 'apply'>>,
  ) {}

  /** `id` fixes the shifts of the copies, so that a resumed run rebuilds the same ones from the log. */
  async see(observation: Observation, task: string, copies = NO_COPIES, id = 0): Promise<SeenObservation> {
    return this.normalise(await look(this.encoder, observation, this.instructions[task]!, copies, id))
  }

  /** The features of the copies of an observation that was seen without them. `id` as for `see`. */
  async copies(observation: Observation, task: string, copies: Copies, id: number): Promise<Float32Array[]> {
    return encodeCopies(this.encoder, observation, this.instructions[task]!, copies, id)
  }

  normalise(raw: EncodedObservation): SeenObservation {
    const { h, proprio } = this.normalisers
    return { h: h.apply(raw.h), features: raw.features, proprio: proprio.apply(raw.proprio), raw: raw.h }
  }
}

/** Encodes the observation and its shifted copies in one batch. Only visual features are augmented: h stays that of the true images. */
export async function look(
  encoder: Pick<VlaEncoder, 'encode'>,
  observation: Observation,
  instruction: string,
  copies: Copies,
  id: number,
): Promise<EncodedObservation> {
  const { proprio } = observation
  const views = [observation.images, ...shifted(observation, copies, id)]
  const encodings = await encoder.encode(views.map((images) => ({ images, proprio, instruction })))
  return { h: encodings[0]!.h, features: encodings.map(({ features }) => features), proprio }
}

async function encodeCopies(
  encoder: Pick<VlaEncoder, 'encode'>,
  observation: Observation,
  instruction: string,
  copies: Copies,
  id: number,
): Promise<Float32Array[]> {
  if (copies.count === 0) return []
  const { proprio } = observation
  const views = shifted(observation, copies, id)
  const encodings = await encoder.encode(views.map((images) => ({ images, proprio, instruction })))
  return encodings.map(({ features }) => features)
}

function shifted({ images }: Observation, { count, pixels, seed }: Copies, id: number): Observation['images'][] {
  const random = new RandomStream(seed, `shift/${id}`)
  return Array.from({ length: count }, () => shiftAll(images, pixels, random))
}

function shiftAll(images: Record<string, Image>, pixels: number, random: RandomStream): Record<string, Image> {
  const shift = () => random.integer(2 * pixels + 1) - pixels
  const byName = Object.entries(images).sort(([a], [b]) => (a < b ? -1 : 1)) // a log gives them in another order than the robot
  return Object.fromEntries(byName.map(([camera, image]) => [camera, shiftImage(image, shift(), shift())]))
}
