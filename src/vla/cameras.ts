/** @file Which camera of the robot stands in for which camera of a published encoder. */
import { InputError } from '../errors.ts'
import type { Image } from '../robot/robot.ts'

/** A camera of the encoder, the robot's camera that it looks through, and by what rule. */
export type CameraPair = { wanted: string; robot: string; by: 'vlaCameras' | 'rename_map' | 'name' | 'order' }

/** The setting vlaCameras: the robot's camera for cameras of the encoder; null leaves one empty. */
export type GivenCameras = Readonly<Record<string, string | null>>

export type PairingRules = {
  given?: GivenCameras
  renamed?: Readonly<Record<string, string>> // the publisher's, from a robot's camera to the encoder's
}

const SETTING = 'setting "vlaCameras"'

/** What policies call a slot that no camera filled when they were trained. */
const isEmptySlot = (name: string): boolean => /^empty_camera_\d+$/.test(name)

/**
 * Who looks through what: as the setting says, then as the publisher's map says, then equal names, and the rest in the
 * order in which encoder and robot list them. Empty slots stay empty. A camera of the encoder for which the robot has
 * none left is absent, in the encoder's own way.
 * @throws InputError if nothing is seen, or the setting names what is not there, an empty slot, or a camera twice
 */
export function pairCameras(
  wanted: readonly string[],
  robot: readonly string[],
  encoder: string,
  { given = {}, renamed = {} }: PairingRules = {},
): CameraPair[] {
  requirePossible(wanted, robot, encoder, given)
  const pairs = new Map<string, CameraPair>()
  const open = () => wanted.filter((slot) => !pairs.has(slot) && !Object.hasOwn(given, slot) && !isEmptySlot(slot))
  const free = () => robot.filter((camera) => ![...pairs.values()].some((pair) => pair.robot === camera))
  const pair = (slot: string, camera: string | null | undefined, by: CameraPair['by']) => {
    if (typeof camera === 'string' && free().includes(camera)) pairs.set(slot, { wanted: slot, robot: camera, by })
  }
  for (const [slot, camera] of Object.entries(given)) pair(slot, camera, 'vlaCameras')
  for (const [camera, slot] of Object.entries(renamed)) if (open().includes(slot)) pair(slot, camera, 'rename_map')
  for (const slot of open()) pair(slot, slot, 'name')
  for (const slot of open()) pair(slot, free()[0], 'order')
  if (pairs.size === 0) throw blind(wanted, robot, encoder)
  return wanted.flatMap((slot) => pairs.get(slot) ?? [])
}

function requirePossible(
  wanted: readonly string[],
  robot: readonly string[],
  encoder: string,
  given: GivenCameras,
): void {
  const slots = wanted.filter((slot) => !isEmptySlot(slot))
  const users = new Map<string, string>()
  for (const [slot, camera] of Object.entries(given)) {
    if (camera !== null && isEmptySlot(slot) && wanted.includes(slot))
      throw new InputError(SETTING, `fills ${slot}, which was empty when ${encoder} was trained`, 'Leave it empty')
    if (!wanted.includes(slot))
      throw new InputError(SETTING, `names ${slot}, which is no camera of ${encoder}`, `It has: ${listed(slots)}`)
    if (camera === null) continue
    if (!robot.includes(camera))
      throw new InputError(
        SETTING,
        `gives ${slot} the camera ${camera}, which the robot has not`,
        `It has: ${listed(robot)}`,
      )
    const other = users.get(camera)
    if (other !== undefined)
      throw new InputError(
        SETTING,
        `gives the robot's ${camera} to ${other} and to ${slot}`,
        'Leave one of them empty: null',
      )
    users.set(camera, slot)
  }
}

function blind(wanted: readonly string[], robot: readonly string[], encoder: string): InputError {
  const where = `encoder ${encoder}`
  if (robot.length === 0)
    return new InputError(where, `sees through ${listed(wanted)}, the robot has no camera`, 'Add a camera to the robot')
  const what = `sees nothing: its cameras are ${listed(wanted)}, and none of them is filled`
  return new InputError(where, what, `Pair one with the robot's ${listed(robot)} by ${SETTING}`)
}

const listed = (names: readonly string[]): string => names.join(', ') || 'none'

/** The pairing as one line for whoever starts a run; `renamed` as in the rules. */
export function pairingLine(
  pairs: readonly CameraPair[],
  wanted: readonly string[],
  robot: readonly string[],
  renamed: PairingRules['renamed'] = {},
): string {
  const trained = (slot: string) => Object.keys(renamed).filter((camera) => renamed[camera] === slot)
  const why = ({ wanted: slot, by }: CameraPair) =>
    by === 'order' && trained(slot).length ? `by order, its rename_map has ${trained(slot).join(' and ')}` : `by ${by}`
  const paired = pairs.map((pair) => `${pair.wanted} sees ${pair.robot} (${why(pair)})`)
  const empty = wanted.filter((slot) => !pairs.some((pair) => pair.wanted === slot))
  const unused = robot.filter((camera) => !pairs.some((pair) => pair.robot === camera))
  return [
    `cameras: ${paired.join(', ')}`,
    ...(empty.length ? [`empty: ${empty.join(', ')}`] : []),
    ...(unused.length ? [`not used: the robot's ${unused.join(', ')}`] : []),
  ].join('; ')
}

/** @throws InputError if the image is missing or its data do not fit its size */
export function imageOf(images: Readonly<Record<string, Image>>, camera: string, encoder: string): Image {
  const image = images[camera]
  const where = `${encoder} encoder, images.${camera}`
  if (!image) {
    const present = Object.keys(images).join(', ') || 'none'
    throw new InputError(where, `is missing (there are: ${present})`, 'Send every camera with every observation')
  }
  if (image.data.length !== 3 * image.width * image.height)
    throw new InputError(
      where,
      `is ${image.width} x ${image.height} with ${image.data.length} bytes`,
      'Send RGB, 3 bytes a pixel',
    )
  return image
}
