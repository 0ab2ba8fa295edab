/** @file The encoders by name, as the setting `vla` gives them. */

import { InputError } from '../errors.ts'
import { type Device, requireDevice } from '../graph/index.ts'
import type { GivenCameras } from './cameras.ts'
import type { EncoderName, VlaEncoder } from './encoder.ts'
import { fileOrPulled, pulledPath } from './hub/find.ts'
import { NanoEncoder } from './nano/encoder.ts'
import { OctoEncoder } from './octo/encoder.ts'
import { SmolVlaEncoder } from './smolvla/encoder.ts'

export type OpenOptions = {
  folder?: string // with the published files, or the name of a pulled model; without it nano's own, or those in the Hub's cache
  layer?: number // of smolvla, see SmolVlaOptions
  pairing?: GivenCameras // of smolvla and octo
  statistics?: string // of smolvla
  cameras: readonly string[] // of the robot
  stateWidth?: number // of the robot's proprio
  device?: Device
}

/** Quick checks before anything is made for a run. @throws InputError if the device or the files are not here */
export async function requireEncoder(name: EncoderName, folder: string | undefined, device: Device): Promise<void> {
  requireDevice(device)
  if (name !== 'nano') await folderOf(name, folder)
}

/** The folder given, by its path or as the name of a pulled model; without one what the encoder is usually. @throws InputError */
async function folderOf(name: Exclude<EncoderName, 'nano'>, given: string | undefined): Promise<string> {
  return (await fileOrPulled(given)) ?? pulledPath(name === 'octo' ? 'octo-small' : name, 'setting "vlaPath"')
}

/** @throws InputError or ShapeError if the files are missing, damaged or of another network */
export async function openEncoder(name: EncoderName, options: OpenOptions): Promise<VlaEncoder> {
  const { layer, cameras, pairing, statistics, stateWidth, device } = options
  requireSettings(name, options)
  if (name === 'nano') return NanoEncoder.load(options.folder, { device })
  const folder = await folderOf(name, options.folder)
  if (name === 'octo') return OctoEncoder.load({ folder, cameras, pairing, stateWidth, device })
  return SmolVlaEncoder.load({ folder, layer, cameras, pairing, statistics, stateWidth, device })
}

/** @throws InputError on a setting that the encoder would not read */
function requireSettings(name: EncoderName, { pairing, statistics }: OpenOptions): void {
  const paired = pairing !== undefined && Object.keys(pairing).length > 0
  if (paired && name === 'nano')
    throw new InputError(
      'setting "vlaCameras"',
      'is of smolvla and octo, nano has the cameras of its robot',
      'Leave it out',
    )
  if (statistics !== undefined && name !== 'smolvla')
    throw new InputError('setting "vlaStatistics"', `is of smolvla, ${name} has none`, 'Leave it out')
}
