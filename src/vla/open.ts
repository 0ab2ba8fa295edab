/** @file The encoders by name, as the setting `vla` gives them. */
import { InputError } from '../errors.ts'
import type { EncoderName, VlaEncoder } from './encoder.ts'
import { NanoEncoder } from './nano/encoder.ts'
import { OctoEncoder } from './octo/encoder.ts'
import { SmolVlaEncoder } from './smolvla/encoder.ts'

export type OpenOptions = {
  folder?: string // with the published files; nano needs none
  layer?: number // of smolvla, see SmolVlaOptions
  cameras: readonly string[] // of the robot
}

/** @throws InputError or ShapeError if the files are missing, damaged or of another network */
export async function openEncoder(name: EncoderName, { folder, layer, cameras }: OpenOptions): Promise<VlaEncoder> {
  if (name === 'nano') return NanoEncoder.load(folder)
  if (folder === undefined)
    throw new InputError('setting "vlaPath"', 'is not given', `Name the folder with the published files of ${name}`)
  return name === 'octo' ? OctoEncoder.load({ folder, cameras }) : SmolVlaEncoder.load({ folder, layer, cameras })
}
