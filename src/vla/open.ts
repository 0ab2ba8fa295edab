/** @file Opens the encoder that the settings of a run name. */
import { InputError } from '../errors.ts'
import { type Device, requireDevice } from '../graph/index.ts'
import type { EncoderKind, EncoderOptions, VlaEncoder } from './encoder.ts'
import { type EncoderName, KINDS } from './encoders.ts'
import { fileOrPulled, pulledPath } from './hub/find.ts'

/** Quick checks before anything is made for a run. @throws InputError if the device or the files are not here */
export async function requireEncoder(name: EncoderName, folder: string | undefined, device: Device): Promise<void> {
  requireDevice(device)
  await folderOf(kindOf(name), folder)
}

/** `folder`: with the published files, or the name of a pulled model. @throws InputError or ShapeError if the files are missing, damaged or of another network */
export async function openEncoder(name: EncoderName, options: EncoderOptions): Promise<VlaEncoder> {
  const kind = kindOf(name)
  expectRead(kind, options)
  return kind.open({ ...options, folder: await folderOf(kind, options.folder) })
}

const kindOf = (name: EncoderName): EncoderKind => KINDS.find((kind) => kind.name === name)!

/** The folder given, by its path or as the name of a pulled model; without one what the encoder is usually. @throws InputError */
async function folderOf({ model }: EncoderKind, given: string | undefined): Promise<string | undefined> {
  if (!model) return given
  return (await fileOrPulled(given)) ?? pulledPath(model, 'setting "vlaPath"')
}

const SETTINGS = {
  layer: 'vlaLayer',
  pairing: 'vlaCameras',
  statistics: 'vlaStatistics',
  precision: 'precision',
} as const

/** @throws InputError on a setting that the encoder would not read */
function expectRead(kind: EncoderKind, options: EncoderOptions): void {
  for (const [option, setting] of Object.entries(SETTINGS) as [keyof typeof SETTINGS, string][]) {
    const given = options[option]
    const empty =
      given === undefined || given === 'f32' || (typeof given === 'object' && Object.keys(given).length === 0)
    if (empty || kind.reads.includes(option)) continue
    const readers = KINDS.filter(({ reads }) => (reads as EncoderKind['reads']).includes(option)).map(
      ({ name }) => name,
    )
    throw new InputError(
      `setting "${setting}"`,
      `is of ${readers.join(' and ')}, ${kind.name} has none`,
      'Leave it out',
    )
  }
}
