/** @file A run folder has one owner: whoever writes into it holds its lock. Readers ask for none. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readlinkSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import { InputError } from '../errors.ts'
import { duetVersion } from './version.ts'

export const LOCK_FILE = 'process.lock'
const BEING_WRITTEN = 2000 // ms that an unreadable lock may be one that a process is just writing

/** Who holds a lock. A process number is used again after a while, its start is not. */
const Owner = z.object({
  pid: z.int().min(1),
  host: z.string(),
  space: z.string().nullable(), // in which process numbers are unique: containers of one host have their own
  started: z.string().nullable(), // the process, in a form that only equality matters of; null where it cannot be asked
  since: z.string(), // ISO 8601
  duet: z.string(),
})
type Owner = z.infer<typeof Owner>

/**
 * Takes a folder, which is made where it is missing, for this process. A lock whose process is gone is taken over; this
 * process leaves none behind, however it ends, but for a kill.
 * @returns what gives the folder back; safe to call twice
 * @throws InputError naming process, host and since when, if another has it
 */
export function lock(folder: string): () => void {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, LOCK_FILE)
  const text = JSON.stringify(ourselves())
  if (!create(file, text)) {
    const stale = contentOf(file)
    refuseLiving(folder, file, stale)
    removeStale(file, stale)
    if (!create(file, text)) refuseLiving(folder, file, contentOf(file))
  }
  const release = () => {
    process.off('exit', release)
    if (contentOf(file) === text) rmSync(file, { force: true }) // not one that somebody put there in its place
  }
  process.on('exit', release)
  return release
}

/** The folder whose lock covers `path`: the run that it lies in, or itself. */
export function lockedFolder(path: string): string {
  const at = resolve(path)
  const above = [at, dirname(at), dirname(dirname(at))] // the run, its log, the log of another cell
  return above.find((folder) => existsSync(join(folder, 'config.yaml'))) ?? at
}

/** False if there is one already: that is one step of the file system, so that of two processes one only gets it. */
function create(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Of two processes that find one stale lock, the slower one may have hold of the other's new one: it is put back. */
function removeStale(file: string, stale: string): void {
  if (contentOf(file) !== stale) return
  const aside = `${file}.stale-${process.pid}`
  try {
    renameSync(file, aside)
  } catch {
    return // the other one was faster
  }
  const moved = contentOf(aside)
  if (moved !== stale) create(file, moved)
  rmSync(aside, { force: true })
}

/** @throws InputError unless nobody holds the lock any more */
function refuseLiving(folder: string, file: string, text: string): void {
  const owner = parse(text)
  if (!owner) {
    const age = Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0)
    if (age > BEING_WRITTEN) return // a power cut emptied it
    throw new InputError(folder, 'another process is about to write into it', 'Try again in a moment')
  }
  if (isGone(owner)) return
  const { pid, host, since, duet } = owner
  const elsewhere = host !== hostname() || (owner.space !== null && owner.space !== space())
  const remedy = elsewhere
    ? `It cannot be seen from ${hostname()} whether it still runs; if it does not, delete ${file}`
    : `Wait for it or stop it; one run is written by one process`
  throw new InputError(
    folder,
    `process ${pid} on ${host} has been writing into it since ${since} (Duet ${duet})`,
    remedy,
  )
}

function parse(text: string): Owner | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'number' && value > 0)
      return { ...ourselves(), pid: value, started: null, since: 'an unknown time' } // of a former version
    return Owner.safeParse(value).data
  } catch {
    return undefined
  }
}

/** Whether the owner is known to have ended. Of another host or container it is not, but for a host that began anew. */
function isGone({ pid, host, space: theirs, started }: Owner): boolean {
  if (host !== hostname()) return false
  if (theirs !== space()) return started !== null && bootOf(started) !== bootOf(startOf(process.pid))
  if (!isAlive(pid)) return true
  const now = startOf(pid)
  return started !== null && now !== null && started !== now
}

const ourselves = (): Owner => ({
  pid: process.pid,
  host: hostname(),
  space: space(),
  started: startOf(process.pid),
  since: new Date().toISOString(),
  duet: duetVersion(),
})

/** The name space of process numbers; null where the system has but one. */
function space(): string | null {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return null
  }
}

/** Start of a process, as this system tells it; null if it does not. On Linux the boot, a blank, ticks since then. */
function startOf(pid: number): string | null {
  try {
    if (process.platform === 'linux')
      return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${statOf(pid)[19]}` // proc(5): field 22
    const told = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', env: { LC_ALL: 'C' } })
    return told.trim() || null
  } catch {
    return null
  }
}

const bootOf = (started: string | null) => started?.split(' ')[0]

/** What Linux says of a process, from its state on; the name before that may hold anything. */
const statOf = (pid: number) =>
  readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')

/** A process that was killed and whose parent does not care stays in the table, as a zombie. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || statOf(pid)[0] !== 'Z'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

const contentOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
