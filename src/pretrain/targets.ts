/** @file What the auxiliary heads learn to read from the images: where bolt and fixtures are, in the room and from the tool. */
import { PLACES } from '../robots/workcell/places.ts'
import { upOf } from '../robots/workcell/spatial.ts'
import type { Truth, Vec3 } from '../robots/workcell/truth.ts'
import { axisOf, subtract } from '../robots/workcell/vector.ts'

/** Errors of this size count 1 in the loss: metres of a place, radians of a direction, share of a yes or no. */
const UNIT = { place: 0.005, direction: 0.05, flag: 0.25 }

type Reading = { name: string; kind: keyof typeof UNIT; read: (truth: Truth) => readonly number[]; width: number }

const directions: Record<string, (truth: Truth) => Vec3> = {
  boltAxis: (truth) => upOf(truth.bolts[truth.bolt]!.rotation),
  standAxis: (truth) => axisOf(truth.stand.rotation, 0),
  slotAxis: (truth) => axisOf(truth.slots[truth.bolt]!.rotation, 0),
  cradleAxis: (truth) => upOf(truth.cradles[truth.bolt]!.rotation),
}

export const READINGS: readonly Reading[] = [
  ...Object.entries(PLACES).flatMap(([name, read]): Reading[] => [
    { name, kind: 'place', width: 3, read },
    { name: `${name} from tool`, kind: 'place', width: 3, read: (truth) => subtract(read(truth), truth.tcp.position) },
  ]),
  ...['stand', 'slot'].map(
    (hole): Reading => ({
      name: `tip from ${hole}`,
      kind: 'place',
      width: 3,
      read: (truth) => subtract(PLACES.tip!(truth), PLACES[hole]!(truth)),
    }),
  ),
  ...Object.entries(directions).map(([name, read]): Reading => ({ name, kind: 'direction', width: 3, read })),
  { name: 'held', kind: 'flag', width: 1, read: (truth) => [truth.bolts[truth.bolt]!.held ? 1 : 0] },
]

export const TARGET_WIDTH = READINGS.reduce((sum, { width }) => sum + width, 0)

/** Size of an error that counts 1, per entry; [TARGET_WIDTH]. */
export const TARGET_UNITS = Float32Array.from(READINGS.flatMap(({ kind, width }) => new Array(width).fill(UNIT[kind])))

/** First entry of a reading. */
export function targetOffset(name: string): number {
  let offset = 0
  for (const reading of READINGS) {
    if (reading.name === name) return offset
    offset += reading.width
  }
  throw new RangeError(`there is no reading "${name}"; there are ${READINGS.map((reading) => reading.name).join(', ')}`)
}

/** All readings of one state, [TARGET_WIDTH]. */
export const targetsOf = (truth: Truth): Float32Array => Float32Array.from(READINGS.flatMap(({ read }) => read(truth)))
