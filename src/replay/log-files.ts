/** @file The segments of a log folder, and what opens one: its header. */
import fs from 'node:fs'
import path from 'node:path'
import { InputError } from '../errors.ts'
import { nameOf } from '../robot/channels.ts'
import type { FrameReader } from './frames.ts'
import type { LoggedRobot, LogHeader } from './log-header.ts'
import { outlineOf } from './records.ts'

const NAME = /^segment-(\d{6})\.duetlog$/

export function segmentPath(folder: string, number: number): string {
  return path.join(folder, `segment-${String(number).padStart(6, '0')}.duetlog`)
}

export function segmentNumber(file: string): number {
  return Number(NAME.exec(path.basename(file))![1])
}

/** Paths of the segments, oldest first; none if there is no such folder. */
export function segmentsOf(folder: string): string[] {
  if (!fs.existsSync(folder)) return []
  return fs
    .readdirSync(folder)
    .filter((name) => NAME.test(name))
    .sort()
    .map((name) => path.join(folder, name))
}

/** Reads the header at the front of a segment. @throws InputError if this is no log, or one of another version */
export function readLogHeader(frames: FrameReader, file: string): LogHeader {
  const first = frames.next()
  const where = `${file} at byte 0`
  if (!first)
    throw new InputError(
      where,
      'is not a Duet log, or its header is damaged',
      `Choose another run folder. ${repairOf(file)}`,
    )
  const record = outlineOf(first.payload, where) // a header is read in every version
  if (record.kind !== 'header') {
    throw new InputError(where, `opens with a ${record.kind} instead of a header`, repairOf(file))
  }
  return record.header
}

/** @throws InputError naming the first entry in which the log's robot differs from the one at hand */
export function expectRobot(file: string, logged: LoggedRobot, robot: LoggedRobot) {
  const [past, present] = [identityOf(logged), identityOf(robot)]
  for (const key of Object.keys(past) as (keyof typeof past)[]) {
    const [theirs, ours] = [stable(past[key]), stable(present[key])]
    if (theirs !== ours) {
      throw new InputError(
        `${file} at byte 0`,
        `was written by a robot whose ${key} is ${theirs}, this one's is ${ours}`,
        'Start a new run folder, or choose the robot of this one',
      )
    }
  }
}

/** What makes records of two robots mean the same. Where a camera is mounted and what a channel can read may be told better. */
const identityOf = ({ name, rate, cameras, channels, actionFrame, actionScale }: LoggedRobot) => ({
  name,
  rate,
  cameras: Object.fromEntries(
    Object.entries(cameras).map(([camera, { width, height, crop, rotate }]) => [
      camera,
      { width, height, ...(crop && { crop }), ...(rotate && { rotate }) },
    ]),
  ),
  proprio: channels.map(nameOf),
  actionFrame,
  actionScale,
})

/** JSON with the keys of objects in order, so that the order in which cameras were named does not matter. */
function stable(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

/** @throws InputError if the torn place is damage, no write cut short */
export function expectTornTail(frames: FrameReader, file: string) {
  const intact = frames.findIntact()
  if (intact === null && frames.cutShort) return
  const bytes = (intact ?? frames.size) - frames.end
  const behind = intact === null ? '' : ', with intact records behind'
  throw new InputError(`${file} at byte ${frames.end}`, `is damaged for ${bytes} bytes${behind}`, repairOf(file))
}

/** What helps against a damaged segment. */
export const repairOf = (file: string) =>
  `Restore it from a copy, or keep all episodes that are whole: duet log repair ${path.dirname(file)}`
