/** @file Bytes by position, of a file or of memory: formats are indexed without having the whole file in memory. */
import { readSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { InputError } from '../errors.ts'
import { LARGEST_POINTER, refusePage, refusePointer } from './lfs-pointer.ts'

export interface ByteSource {
  /** Names the source in errors. */
  readonly where: string
  readonly size: number
  /** Fills `target` from `position`, at once: for headers. @throws InputError if the source ends before */
  peek(position: number, target: Uint8Array): void
  /** Fills `target` from `position`, without blocking: for data. @throws InputError if the source ends before */
  fill(position: number, target: Uint8Array): Promise<void>
  close(): Promise<void>
}

/** @throws InputError if the file cannot be opened, or is a Git LFS pointer or a web page */
export async function fileSource(path: string): Promise<ByteSource> {
  let handle: FileHandle
  let size: number
  try {
    handle = await open(path, 'r')
  } catch (cause) {
    throw new InputError(path, `cannot be read (${(cause as Error).message})`, 'Check the path', { cause })
  }
  try {
    const stat = await handle.stat()
    if (!stat.isFile()) throw new Error('it is not a file')
    size = stat.size
  } catch (cause) {
    await handle.close()
    throw new InputError(path, `cannot be read (${(cause as Error).message})`, 'Give the path of a file', { cause })
  }
  const short = (position: number) =>
    new InputError(
      path,
      `has no byte ${position}, it had ${size} bytes when it was opened`,
      'Do not change it while in use',
    )
  const source: ByteSource = {
    where: path,
    size,
    peek(position, target) {
      for (let done = 0; done < target.length; ) {
        const count = readSync(handle.fd, target, done, target.length - done, position + done)
        if (count === 0) throw short(position + done)
        done += count
      }
    },
    async fill(position, target) {
      for (let done = 0; done < target.length; ) {
        const { bytesRead } = await handle.read(target, done, target.length - done, position + done)
        if (bytesRead === 0) throw short(position + done)
        done += bytesRead
      }
    },
    close: () => handle.close(),
  }
  try {
    const start = new Uint8Array(Math.min(size, LARGEST_POINTER))
    source.peek(0, start)
    refusePointer(path, start)
    refusePage(path, start)
    return source
  } catch (error) {
    await handle.close()
    throw error
  }
}

export function memorySource(bytes: Uint8Array, where: string): ByteSource {
  const peek = (position: number, target: Uint8Array) => {
    if (position + target.length > bytes.length)
      throw new InputError(where, `ends at byte ${bytes.length}`, 'The data are cut short: fetch them again')
    target.set(bytes.subarray(position, position + target.length))
  }
  return {
    where,
    size: bytes.length,
    peek,
    fill: async (position, target) => peek(position, target),
    close: async () => undefined,
  }
}

/** What `read` makes of the file at `path`, which owns the source; where that fails, the source is closed. */
export async function openIndexed<T>(path: string, read: (source: ByteSource) => T): Promise<T> {
  const source = await fileSource(path)
  try {
    return read(source)
  } catch (error) {
    await source.close()
    throw error
  }
}
