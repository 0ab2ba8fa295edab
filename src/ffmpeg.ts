/** @file The `ffmpeg` on the PATH: started, listened to, and what to do where there is none. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { InputError } from './errors.ts'

const SAID = 2000 // characters of its last words that are kept
const LISTING = 20_000 // ms that a list of devices may take

/** `ended`: its exit code. It rejects with an InputError where there is none to start, and needs nobody who waits for it. */
export type Ffmpeg = {
  child: ChildProcessWithoutNullStreams
  ended: Promise<number | null>
  lastLine: () => string // of what it said; '' where it said nothing
  said: () => string
}

/** `where`: what it is needed for. `instead`: what else would do. */
export function startFfmpeg(where: string, args: readonly string[], instead?: string): Ffmpeg {
  const child = spawn('ffmpeg', args)
  child.stdin.on('error', () => {}) // it ended early, and says why
  let said = ''
  child.stderr.on('data', (text) => {
    said = (said + text).slice(-SAID)
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve)
    child.once('error', (cause) => reject(missing(where, cause, instead)))
  })
  ended.catch(() => {})
  return { child, ended, said: () => said, lastLine: () => said.trim().split('\n').at(-1) ?? '' }
}

/** What it says until it ends; it is waited for. @throws InputError where there is none, or it does not end */
export function askFfmpeg(where: string, args: readonly string[]): string {
  const { error, stderr } = spawnSync('ffmpeg', args, { encoding: 'utf8', timeout: LISTING })
  if (error) throw missing(where, error)
  return stderr
}

const missing = (where: string, cause: Error, instead?: string) =>
  new InputError(
    where,
    `needs ffmpeg, which cannot be started (${cause.message})`,
    `Install it and put it on the PATH (apt install ffmpeg, brew install ffmpeg)${instead ? `, or ${instead}` : ''}`,
    { cause },
  )
