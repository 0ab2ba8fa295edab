/** @file Where the active bolt is, and the three fixtures that it can be in: what encoders are taught to read, and what a cell can be told to tell. */
import { type Channel, vector } from '../../robot/channels.ts'
import { BOLT } from './layout.ts'
import { upOf } from './spatial.ts'
import type { Truth, Vec3 } from './truth.ts'
import { add, scale, subtract } from './vector.ts'

const headTop = ({ position, rotation }: Truth['bolts'][number]): Vec3 =>
  add(position, scale(upOf(rotation), BOLT.headHeight))

export const PLACES: Readonly<Record<string, (truth: Truth) => Vec3>> = {
  tip: (truth) => truth.bolts[truth.bolt]!.tip,
  head: (truth) => headTop(truth.bolts[truth.bolt]!),
  stand: (truth) => truth.stand.position,
  slot: (truth) => truth.slots[truth.bolt]!.position,
  cradle: (truth) => truth.cradles[truth.bolt]!.position,
}

/** Of a cell that tells them (`tellsPlaces`): each from the tool, in metres, and which way the bolt points. */
export const PLACE_CHANNELS: readonly Channel[] = [
  ...Object.keys(PLACES).flatMap((name) => vector(`place.${name}`, 'm', { low: -3, high: 3 })),
  ...vector('bolt.up', '1', { low: -1, high: 1 }),
]

/** What those channels tell; [PLACE_CHANNELS.length]. */
export const tellPlaces = (truth: Truth): number[] => [
  ...Object.values(PLACES).flatMap((place) => subtract(place(truth), truth.tcp.position)),
  ...upOf(truth.bolts[truth.bolt]!.rotation),
]
