/** @file Frames of a video through an `ffmpeg` on the PATH: when each is shown, and its pixels, in the order in which they are shown. */
import { InputError } from '../../errors.ts'
import { startFfmpeg } from '../../ffmpeg.ts'
import type { Image } from '../../robot/robot.ts'

const QUIET = ['-hide_banner', '-loglevel', 'error', '-nostdin']
const NOT_SHOWN = 4 // flag of a packet that lies before a cut: it is decoded for those behind it alone

/** The times at which the frames are shown, s, sorted, by the packets alone: nothing is decoded. @throws InputError */
export async function frameTimes(path: string): Promise<Float64Array> {
  const running = start(path, [
    ...QUIET,
    '-i',
    path,
    '-map',
    '0:v:0',
    '-c',
    'copy',
    '-copyts',
    '-f',
    'framecrc',
    'pipe:1',
  ])
  let text = ''
  for await (const chunk of running.child.stdout) text += chunk
  await running.ended()
  const [, numerator, denominator] = /^#tb 0: (\d+)\/(\d+)/m.exec(text) ?? []
  const unit = Number(numerator) / Number(denominator)
  const times = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#') && isShown(line))
    .map((line) => unit * Number(line.split(',')[2]))
  if (times.length === 0 || times.some(Number.isNaN))
    throw new InputError(path, 'holds no frame of a video', 'Fetch the file again')
  return Float64Array.from(times).sort()
}

const isShown = (packet: string) => (Number(/F=(0x[0-9a-f]+)/i.exec(packet)?.[1] ?? 0) & NOT_SHOWN) === 0

/** Frames from `from` (s, as `frameTimes` tells them) on, to the end. @throws InputError if they cannot be decoded */
export async function* framesFrom(path: string, from: number): AsyncGenerator<Image> {
  // Without the option ffmpeg adds the time of the file's first frame, which need not be 0.
  const seek = from > 0 ? ['-seek_timestamp', '1', '-ss', from.toFixed(6)] : []
  const output = [
    '-map',
    '0:v:0',
    ...(await everyFrameOnce(path)),
    '-f',
    'image2pipe',
    '-c:v',
    'ppm',
    '-pix_fmt',
    'rgb24',
    'pipe:1',
  ]
  const running = start(path, [...QUIET, ...seek, '-i', path, ...output])
  try {
    yield* pixmaps(running.child.stdout, path)
    await running.ended()
  } finally {
    running.child.kill('SIGKILL')
  }
}

/** Portable pixmaps, one after the other: "P6\n640 480\n255\n" and the pixels. */
async function* pixmaps(stream: AsyncIterable<Buffer>, path: string): AsyncGenerator<Image> {
  let held: Buffer[] = []
  let length = 0
  let wanted = 0 // bytes of the picture that comes, its head among them; 0 while the head is not there
  let head = { width: 0, height: 0, length: 0 }
  for await (const chunk of stream) {
    held.push(chunk)
    length += chunk.length
    while (length > 0) {
      if (wanted === 0) {
        if (held.length > 1) held = [Buffer.concat(held)]
        const found = /^P6\s(\d+) (\d+)\s255\s/.exec(held[0]!.subarray(0, 64).toString('latin1'))
        if (!found && length > 64) throw new InputError(path, 'gives something else than pictures', REPORT)
        if (!found) break
        head = { width: Number(found[1]), height: Number(found[2]), length: found[0].length }
        wanted = head.length + 3 * head.width * head.height
      }
      if (length < wanted) break
      const all = held.length > 1 ? Buffer.concat(held) : held[0]!
      yield { width: head.width, height: head.height, data: Uint8Array.from(all.subarray(head.length, wanted)) }
      held = [all.subarray(wanted)]
      length -= wanted
      wanted = 0
    }
  }
}

const REPORT = 'Check that the ffmpeg on the PATH is a whole one: `ffmpeg -version`'

/** None doubled or dropped to keep a rate; the option has another name before ffmpeg 5.1. */
async function everyFrameOnce(path: string): Promise<string[]> {
  version ??= (async () => {
    const running = start(path, ['-hide_banner', '-version'])
    let text = ''
    for await (const chunk of running.child.stdout) text += chunk
    await running.ended()
    return text
  })().catch((error) => {
    version = undefined
    throw error
  })
  const [, major, minor] = /version n?(\d+)\.(\d+)/.exec(await version) ?? []
  const old = major !== undefined && Number(major) + Number(minor) / 10 < 5.1
  return old ? ['-vsync', 'passthrough'] : ['-fps_mode', 'passthrough']
}
let version: Promise<string> | undefined

/** `ended`: rejects where it did not end well. */
function start(path: string, args: readonly string[]) {
  const { child, ended, lastLine } = startFfmpeg(path, args)
  child.stdin.end()
  return {
    child,
    async ended(): Promise<void> {
      const code = await ended
      if (code !== 0) throw new InputError(path, `cannot be decoded: ${lastLine() || `ffmpeg ended (${code})`}`, FETCH)
    },
  }
}

const FETCH = 'Fetch the file again; if it is whole, take an ffmpeg that knows its codec'
