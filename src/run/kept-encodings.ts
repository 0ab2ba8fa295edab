/** @file Where a run keeps what its encoder made of observations, and what it must agree in to be taken for the same. */
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { isLerobotSet } from '../formats/lerobot/dataset.ts'
import type { Copies } from '../loop/perception.ts'
import { Encodings, type Provenance } from '../replay/encodings.ts'
import type { RobotSpec } from '../robot/robot.ts'
import type { EncoderDescription } from '../vla/encoder.ts'
import type { RunConfig } from './config.ts'
import type { RunFolder } from './folder.ts'

/** How observations of a robot are encoded in a run. */
export type EncodedAs = {
  config: Pick<RunConfig, 'vlaLayer' | 'vlaCameras' | 'vlaStatistics'>
  encoder: EncoderDescription
  copies: Copies
}

/** Beside the log itself. */
export const encodingsBeside = (folder: string, spec: RobotSpec, as: EncodedAs, onNotice?: (line: string) => void) =>
  new Encodings(folder, provenanceOf(spec, as), onNotice)

/** Beside the demonstrations, where they are a log that may be written to; else in the run. */
export function encodingsOfDemonstrations(
  { name, spec, index }: { name: string; spec: RobotSpec; index: number },
  run: Pick<RunFolder, 'encodings'>,
  as: EncodedAs,
  onNotice?: (line: string) => void,
): Encodings {
  const beside = !isLerobotSet(name) && isWritable(name)
  return encodingsBeside(beside ? name : join(run.encodings, String(index)), spec, as, onNotice)
}

/** A device is not among it: a run that goes on with another one keeps what it saw. Of int8 it is the quantised weights, of f16 that it is. */
function provenanceOf({ cameras, channels }: RobotSpec, { config, encoder, copies }: EncodedAs): Provenance {
  const { name, hash, int8, half, embeddingWidth, featureShape } = encoder
  const { vlaLayer: layer, vlaCameras: pairing, vlaStatistics: statistics } = config
  const robot = {
    cameras: Object.entries(cameras).map(([camera, { width, height }]) => [camera, width, height]),
    channels: channels.map(({ name, unit, role }) => [name, unit, role ?? null]),
  }
  return {
    encoder: { name, hash, int8, half, layer, pairing, statistics, robot },
    widths: { h: embeddingWidth, proprio: channels.length, features: featureShape },
    copies,
  }
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}
