/** @file Rewrites the damaged segments of a log with the episodes that are whole. What was there before is kept aside. */
import fs from 'node:fs'
import { moveInPlace, syncFile } from '../durable.ts'
import { InputError } from '../errors.ts'
import type { RobotSpec } from '../robot/robot.ts'
import { checkLog, type FileCheck, type LogCheck } from './check.ts'
import { frame } from './frames.ts'
import { renumbered } from './records.ts'

const CHUNK = 1 << 20 // bytes

export type Repair = { check: FileCheck; original: string } // the damaged file, under another name

/**
 * Drops damaged episodes and keeps all others, byte for byte. A kill at any moment leaves each file damaged as it was or
 * repaired; a log that is whole stays as it is. For the log's owner only. @throws InputError as checking does, and if a
 * segment has no header to be read by
 */
export async function repairLog(
  folder: string,
  spec?: RobotSpec,
  onShare?: (share: number) => void,
): Promise<Repair[]> {
  const { files, next } = await checkLog(folder, spec, onShare)
  const unreadable = files.find(({ header }) => header === undefined)
  if (unreadable)
    throw new InputError(
      unreadable.file,
      'has lost its header, and there is none of the same robot to read it by',
      'Restore it from a copy, or move it out of the folder to go on without its episodes',
    )
  const damaged = files.filter(({ damage }) => damage.length > 0)
  return damaged.map((check) => ({ check, original: rewrite(check, check === files.at(-1) ? next : undefined) }))
}

/** `next`: of the last segment, whose header must know of the numbers that dropped episodes had. Returns the original's name. */
function rewrite({ file, header, episodes }: FileCheck, next: LogCheck['next'] | undefined): string {
  const { payload, content } = header!
  const numbers = next && {
    nextId: Math.max(next.id, content.nextId),
    nextEpisode: Math.max(next.episode, content.nextEpisode),
  }
  const draft = `${file}.draft`
  const [from, to] = [fs.openSync(file, 'r'), fs.openSync(draft, 'w')]
  try {
    fs.writeSync(to, frame(numbers ? renumbered(payload, numbers) : payload))
    for (const episode of episodes) copyBytes(from, to, episode.from, episode.to)
    syncFile(to, draft)
  } finally {
    fs.closeSync(from)
    fs.closeSync(to)
  }
  const original = keepAside(file)
  moveInPlace(draft, file)
  return original
}

function copyBytes(source: number, target: number, from: number, to: number): void {
  const buffer = Buffer.alloc(Math.min(CHUNK, to - from))
  for (let at = from; at < to; ) {
    const length = fs.readSync(source, buffer, 0, Math.min(buffer.length, to - at), at)
    for (let done = 0; done < length; ) done += fs.writeSync(target, buffer, done, length - done)
    at += length
  }
}

/** The file under a second name, by the time of its last change; the same one again where an earlier repair was killed. */
function keepAside(file: string): string {
  const time = fs.statSync(file).mtime.toISOString().replace(/[-:]/g, '').slice(0, 15)
  for (let n = 1; ; n++) {
    const name = `${file}.damaged-${time}${n === 1 ? '' : `-${n}`}`
    if (!fs.existsSync(name)) return copyOf(file, name)
    if (fs.readFileSync(name).equals(fs.readFileSync(file))) return name
  }
}

function copyOf(file: string, name: string): string {
  try {
    fs.linkSync(file, name)
  } catch {
    const draft = `${name}.draft` // not every disk knows links
    fs.copyFileSync(file, draft)
    fs.renameSync(draft, name)
  }
  return name
}
