/**
 * @file Files that are whole under their names, also after a power cut: written beside, flushed, renamed, the folder
 * flushed. Some file systems cannot flush a folder, or nothing at all; that is their nature and stops nobody.
 */
import fs from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { InputError } from './errors.ts'

/** "I have no such call": Windows drives under WSL, SMB, sshfs and other FUSE mounts. */
const UNKNOWN_CALL = ['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']
/** What folders answer besides, to being opened or flushed as files are. A file that answers so is a real error. */
const NO_FILE = ['EPERM', 'EACCES', 'EISDIR', 'EBADF']

/** At a position, or where the file stands; one call may take less than it is given. */
export function writeAll(fd: number, bytes: Uint8Array, position?: number): void {
  for (let done = 0; done < bytes.length; ) {
    const at = position === undefined ? null : position + done
    done += fs.writeSync(fd, bytes, done, bytes.length - done, at)
  }
}

/** Waits until the disk has the file. Returns false if this file system cannot say. @throws InputError if it is not there */
export function syncFile(fd: number, path: string): boolean {
  try {
    fs.fsyncSync(fd)
    return true
  } catch (error) {
    return tolerate(error, UNKNOWN_CALL, path)
  }
}

/** As `syncFile`, without blocking. */
export async function syncHandle(file: FileHandle, path: string): Promise<boolean> {
  try {
    await file.sync()
    return true
  } catch (error) {
    return tolerate(error, UNKNOWN_CALL, path)
  }
}

/**
 * Waits until the disk has the names in a folder: what was renamed stays renamed. Windows keeps a journal of names and
 * has no such call. As `syncFile` else.
 */
export function syncFolder(folder: string): boolean {
  if (process.platform === 'win32') return true
  let fd: number | undefined
  try {
    fd = fs.openSync(folder, 'r')
    fs.fsyncSync(fd)
    return true
  } catch (error) {
    return tolerate(error, [...UNKNOWN_CALL, ...NO_FILE], folder)
  } finally {
    if (fd !== undefined) fs.closeSync(fd)
  }
}

function tolerate(error: unknown, refusals: readonly string[], path: string): false {
  const { code = '', message } = error as NodeJS.ErrnoException
  if (refusals.includes(code)) return false
  throw new InputError(path, `did not reach the disk (${message})`, 'Make room on the disk, or check its health', {
    cause: error,
  })
}

/** Gives a flushed file, or a folder of such, its final name. Returns as `syncFolder`. */
export function moveInPlace(draft: string, path: string): boolean {
  fs.renameSync(draft, path)
  return syncFolder(dirname(path))
}

/**
 * Writes a file so that a reader sees the old content or the new, never a half. `mode`: who may read it, as for chmod.
 * @throws InputError if the disk does not take it; the old content stays
 */
export function writeWhole(path: string, content: string | Uint8Array, mode = 0o666): void {
  const draft = `${path}.draft`
  try {
    const fd = fs.openSync(draft, 'w', mode)
    try {
      fs.writeFileSync(fd, content)
      syncFile(fd, draft)
    } finally {
      fs.closeSync(fd)
    }
    moveInPlace(draft, path)
  } catch (cause) {
    fs.rmSync(draft, { force: true })
    if (cause instanceof InputError) throw cause
    throw new InputError(path, `cannot be written (${(cause as Error).message})`, 'Check the folder and free space', {
      cause,
    })
  }
}
