/** @file What Git LFS leaves in place of a large file that was not fetched: three lines of text with its checksum and size. */
import { InputError } from '../errors.ts'

/** Bytes; the specification of Git LFS allows no longer pointer. */
export const LARGEST_POINTER = 1024

/** Its version line, that of the format's first years included, and the checksum. */
const POINTER = /^version https?:\/\/\S+\s(?:.*\s)*?oid sha256:[0-9a-f]{64}\s/

const REMEDY = 'Run `git lfs install` and `git lfs pull` in its repository, or download the file itself'

/** `start` is the beginning of the file at `path`, or all of it. @throws InputError if Git LFS left a pointer there */
export function refusePointer(path: string, start: Uint8Array, remedy = REMEDY): void {
  const text = new TextDecoder().decode(start.subarray(0, LARGEST_POINTER))
  if (!POINTER.test(text)) return
  const bytes = /^size (\d+)\s*$/m.exec(text)?.[1]
  throw new InputError(path, `is a Git LFS pointer, not the file${bytes ? ` of ${bytes} bytes` : ''}`, remedy)
}
