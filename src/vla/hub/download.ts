/** @file One file from an address to the disk: continued where an earlier attempt stopped, checked before it gets its name. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { moveInPlace, syncHandle } from '../../durable.ts'
import { InputError } from '../../errors.ts'
import { LARGEST_POINTER, refusePage, refusePointer } from '../../formats/lfs-pointer.ts'
import { ask, Interruption, type Patience, persevere, reasonOf } from './line.ts'
import type { Proxies } from './proxies.ts'

/** sha256 in hex, or the hash that git gives a file's contents: sha1 in hex. */
export type Checksum = string

export type Expected = { checksum: Checksum; size?: number } // bytes; without it the server's word counts

export type Download = {
  url: string
  token?: string
  proxies?: Proxies
  where: string // names the file in errors
  patience: Patience
  onBytes?: (done: number, total: number) => void
}

export const PARTIAL = '.incomplete'

/**
 * Fetches into `<target>.incomplete`, then renames. Several processes may do so at the same time: each writes the same
 * bytes to the same places. @throws InputError if server, network, disk or checksum say no; what has come so far stays,
 * except for a file with a wrong checksum and a pointer in a file's place
 */
export async function download(target: string, expected: Expected, from: Download): Promise<void> {
  const partial = target + PARTIAL
  try {
    await mkdir(dirname(target), { recursive: true })
    const file = await open(partial, 'a').then((made) => made.close().then(() => open(partial, 'r+')))
    try {
      const progress = async () => (await file.stat()).size
      await persevere(() => goOn(file, expected.size, from), from.patience, from.where, progress)
      await syncHandle(file, partial)
    } finally {
      await file.close()
    }
    await check(partial, expected, from.where)
    moveInPlace(partial, target)
  } catch (error) {
    await dropPointer(partial, from.where)
    throw diskError(error, target)
  }
}

/** Fetches what is missing. @throws Interruption where the body ends early */
async function goOn(file: FileHandle, expectedSize: number | undefined, from: Download): Promise<void> {
  let have = (await file.stat()).size
  if (expectedSize !== undefined && have > expectedSize) {
    await file.truncate(0)
    have = 0
  }
  if (have === expectedSize) return
  const quiet = watch(from.patience.silence)
  try {
    const headers = have > 0 ? { range: `bytes=${have}-` } : undefined
    const { response } = await ask({ ...from, method: 'GET', headers, signal: quiet.signal })
    const answer = await placeOf(response, have, from.where)
    if (answer === 'complete') return
    if (answer === 'elsewhere') {
      await file.truncate(0) // what is there cannot be the beginning of this file
      throw new Interruption(`${new URL(response.url).host} does not go on from byte ${have}`)
    }
    const total = expectedSize ?? answer.total
    if (total === undefined)
      throw new InputError(from.where, 'comes without its size', 'Fetch it by hand, or try another HF_ENDPOINT')
    await write(file, response, answer.start, total, from, quiet)
  } finally {
    quiet.end()
  }
}

type Place = { start: number; total?: number }

/** Where the body of an answer belongs. */
async function placeOf(response: Response, have: number, where: string): Promise<Place | 'complete' | 'elsewhere'> {
  const range = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '')
  const total = range && range[2] !== '*' ? Number(range[2]) : undefined
  if (response.status === 206 && range && Number(range[1]) <= have) return { start: Number(range[1]), total }
  if (response.status === 200) {
    const length = response.headers.get('content-length')
    return { start: 0, total: length === null ? undefined : Number(length) }
  }
  await response.body?.cancel()
  if (response.status === 416 && total === have) return 'complete'
  if (response.status === 416 || response.status === 206) return 'elsewhere'
  throw new InputError(where, `${new URL(response.url).host} answered ${response.status}`, 'Check HF_ENDPOINT')
}

async function write(
  file: FileHandle,
  { body }: Response,
  start: number,
  total: number,
  { where, onBytes }: Download,
  quiet: Watch,
): Promise<void> {
  let at = start
  const chunks = body?.getReader()
  try {
    for (;;) {
      const piece = await chunks?.read().catch((cause: unknown) => {
        throw new Interruption(`the connection broke at ${at} of ${total} bytes (${reasonOf(cause)})`, 0, { cause })
      })
      if (!piece || piece.done) break
      quiet.heard()
      if (at === 0) refusePage(where, piece.value, 'Sign in to the network, or check HF_ENDPOINT and the proxy')
      if (at + piece.value.length > total)
        throw new InputError(where, `is longer than its ${total} bytes`, 'Check HF_ENDPOINT and the network')
      for (let put = 0; put < piece.value.length; )
        put += (await file.write(piece.value, put, piece.value.length - put, at + put)).bytesWritten
      at += piece.value.length
      onBytes?.(at, total)
    }
  } finally {
    await chunks?.cancel().catch(() => undefined) // what is left is not wanted
  }
  if (at < total) throw new Interruption(`the answer ended at ${at} of ${total} bytes`)
}

type Watch = ReturnType<typeof watch>

/** Ends a transfer in which nothing is heard for `silence` ms. */
function watch(silence: number) {
  const controller = new AbortController()
  const abort = () => controller.abort(new Error(`nothing came for ${silence / 1000} s`))
  let timer = setTimeout(abort, silence)
  return {
    signal: controller.signal,
    heard() {
      clearTimeout(timer)
      timer = setTimeout(abort, silence)
    },
    end: () => clearTimeout(timer),
  }
}

/** Mirrors made by git without Git LFS give pointers, with their own checksums. @throws InputError if it is one; it is deleted */
async function dropPointer(path: string, where: string): Promise<void> {
  try {
    refusePointer(where, await firstBytes(path), 'The server has no more than that: try another HF_ENDPOINT')
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
}

/** As much of a file as a pointer may have; nothing of one that cannot be read. */
export async function firstBytes(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r').catch(() => undefined)
  if (!file) return new Uint8Array()
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(LARGEST_POINTER), 0, LARGEST_POINTER, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

async function check(path: string, { checksum }: Expected, where: string): Promise<void> {
  await dropPointer(path, where)
  const found = await checksumOf(path, checksum)
  if (found === checksum) return
  await rm(path, { force: true })
  throw new InputError(
    where,
    `came with the checksum ${found} instead of ${checksum}; it was deleted`,
    'Run the command again; if it happens twice, check HF_ENDPOINT and the network',
  )
}

/** The checksum of a file, of the same kind as `like`. */
export async function checksumOf(path: string, like: Checksum): Promise<Checksum> {
  const hash = createHash(like.length === 64 ? 'sha256' : 'sha1')
  if (like.length === 40) hash.update(`blob ${(await stat(path)).size}\0`)
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Buffer)
  return hash.digest('hex')
}

/** Errors of the file system in words. */
export function diskError(error: unknown, path: string): unknown {
  const { code, message } = ((error as Error).cause ?? error) as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new InputError(path, 'the disk is full', 'Make room, or set HF_HOME to another disk', { cause: error })
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new InputError(path, `cannot be written (${message})`, 'Correct its rights, or set HF_HOME', {
      cause: error,
    })
  return error
}
