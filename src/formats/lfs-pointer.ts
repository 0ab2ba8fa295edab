/**
 * @file What stands in a file's place when the file itself did not come: Git LFS's three lines of text with its checksum
 * and size, or the page on which a server explained itself.
 */
import { InputError } from '../errors.ts'

/** Bytes; the specification of Git LFS allows no longer pointer. */
export const LARGEST_POINTER = 1024

const REMEDY = 'Run `git lfs install` and `git lfs pull` in its repository, or download the file itself'

/** `start` is the beginning of the file at `path`, or all of it. @throws InputError if Git LFS left a pointer there */
export function refusePointer(path: string, start: Uint8Array, remedy = REMEDY): void {
  const lines = textOf(start).split(/[\r\n]+/)
  if (!isVersion(lines[0]!) || !lines.some(isChecksum)) return
  const size = lines.map((line) => /^size (\d+)$/.exec(line.trim())?.[1]).find(Boolean)
  throw new InputError(path, `is a Git LFS pointer, not the file${size ? ` of ${size} bytes` : ''}`, remedy)
}

/** The first line, that of the format's first years included. */
const isVersion = (line: string): boolean => /^version https?:\/\/\S+\s*$/.test(line)
const isChecksum = (line: string): boolean => /^\s*oid sha256:[0-9a-f]{64}\s*$/i.test(line)

const FETCH = 'Download the file itself, signed in where the server asks for it'

/** Login and viewer pages, and the errors of a store (XML), saved under the file's name. @throws InputError if it is one */
export function refusePage(path: string, start: Uint8Array, remedy = FETCH): void {
  if (/^<(?:!doctype html|html|head|\?xml|error)\b/i.test(textOf(start)))
    throw new InputError(path, 'is a web page (HTML or XML), not the file', remedy)
}

/** Its beginning without white space and a byte-order mark. */
const textOf = (start: Uint8Array): string => new TextDecoder().decode(start.subarray(0, LARGEST_POINTER)).trimStart()
