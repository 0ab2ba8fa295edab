/** @file Pictures of a device or a video by an `ffmpeg` on the PATH, which writes JPEG after JPEG to a pipe. */
import { InputError } from '../../../errors.ts'
import { type Ffmpeg, startFfmpeg } from '../../../ffmpeg.ts'
import { JpegSplitter, LARGEST_PICTURE } from '../jpeg-splitter.ts'
import { Retry } from './retry.ts'
import type { PictureSource, Sink } from './source.ts'

const SILENCE = 10_000 // ms without a picture; some cameras take seconds to start
const COMMON = ['-hide_banner', '-loglevel', 'error', '-nostdin', '-fflags', 'nobuffer', '-flags', 'low_delay']
const OUTPUT = ['-an', '-flush_packets', '1', '-f', 'mjpeg', 'pipe:1']

/** Arguments of ffmpeg from the input to the codec. */
export type FfmpegInput = readonly string[]

/**
 * `readings`: ways to read it, the best one first; the next is tried where one gives no picture. It is started again when it
 * ends: a device may have been unplugged.
 */
export function openFfmpeg(where: string, readings: readonly FfmpegInput[], { take, lost }: Sink): PictureSource {
  const retry = new Retry(start)
  let way = 0
  let child: Ffmpeg['child'] | undefined
  start()
  return {
    close() {
      retry.close()
      child?.kill('SIGKILL')
    },
  }

  function start(): void {
    const args = [...COMMON, ...readings[way % readings.length]!, ...OUTPUT]
    const { child: own, ended, said, lastLine } = startFfmpeg(where, args, INSTEAD)
    own.stdin.end()
    child = own
    const splitter = new JpegSplitter()
    let pictures = 0
    let over = false
    const end = (what: string, remedy: string, cause?: unknown) => {
      if (over) return
      over = true
      clearTimeout(silence)
      own.kill('SIGKILL')
      if (retry.closed) return
      if (pictures === 0) way++
      lost(new InputError(where, what, remedy, { cause }))
      retry.later()
    }
    const tooSilent = () => end(`has sent no picture for ${SILENCE / 1000} s`, 'Check its cable; plug it in again')
    let silence = setTimeout(tooSilent, SILENCE)
    own.stdout.on('data', (chunk: Buffer) => {
      const found = splitter.push(chunk)
      if (found === 'too large')
        return end(`sends pictures of more than ${LARGEST_PICTURE >> 20} MiB`, 'Choose a smaller capture')
      if (found === 'no pictures') return end('gives no pictures', 'Choose another camera or file')
      for (const jpeg of found) take(jpeg)
      if (found.length === 0) return
      pictures += found.length
      retry.works()
      clearTimeout(silence)
      silence = setTimeout(tooSilent, SILENCE)
    })
    ended.then(
      (code) => end(`ffmpeg ended (${code}): ${lastLine() || 'it said nothing'}`, remedyFor(said())),
      ({ what, remedy, cause }: InputError) => end(what, remedy, cause),
    )
  }
}

const INSTEAD = 'have the camera served as MJPEG over HTTP: kind mjpeg'

function remedyFor(said: string): string {
  if (/No such (file|device)|Cannot find/i.test(said)) return 'Plug it in; `duet cameras` lists what is there'
  if (/Permission denied/i.test(said))
    return 'Give yourself the right to read it: join the group "video", then log in again'
  if (/busy/i.test(said)) return 'Close the program that uses it'
  if (/Invalid argument|not support|Could not set/i.test(said))
    return 'Choose another capture size or rate, or leave capture out'
  return 'Check the camera and its settings'
}
