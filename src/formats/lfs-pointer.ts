/** @file Git LFS pointers: the few lines that a clone or a mirror without Git LFS has in place of a large file. */
import { open } from 'node:fs/promises'

export const POINTER = 'is a Git LFS pointer, not the file that it stands for'
/** What to do where the pointer lies in a clone. */
export const FETCH_POINTED = 'Run `git lfs pull` in its folder, or fetch the file itself'

/** Bytes; the format asks for less. */
export const LARGEST_POINTER = 1024

/** Bytes from a file's beginning that tell. */
const TELLING = 64

/** The beginning of a file, enough for `isPointer`. */
export async function headOf(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(TELLING), 0, TELLING, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/** Whether a file that begins so is a pointer, of any version of the format. */
export const isPointer = (head: Uint8Array): boolean =>
  /^version https?:\/\/(?:git-lfs\.github\.com|hawser\.github\.com|git-media\.io)\//.test(
    Buffer.from(head.subarray(0, TELLING)).toString('latin1'),
  )
