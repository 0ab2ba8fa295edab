/** @file Recorded pictures as a camera, over and over: a folder of JPEG files, a file of JPEG after JPEG, or a video. */
import { createReadStream, readdirSync, statSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { InputError, systemError } from '../../../errors.ts'
import { JpegSplitter } from '../jpeg-splitter.ts'
import { openFfmpeg } from './ffmpeg.ts'
import type { PictureSource, Sink } from './source.ts'

/** `fps`: of a folder or a file of JPEG; a video has its own. @throws InputError if there is no such file, or the folder has no JPEG */
export async function openFile(name: string, file: string, fps: number, sink: Sink): Promise<PictureSource> {
  const where = `cameras.${name}.path`
  if (isFolder(where, file)) {
    const files = readdirSync(file)
      .filter((entry) => /\.jpe?g$/i.test(entry))
      .sort()
    if (files.length === 0)
      throw new InputError(where, `${file} holds no .jpg file`, 'Give a folder of JPEG pictures, or a video')
    return play(() => picturesOf(files.map((entry) => path.join(file, entry))), fps, sink)
  }
  if (await beginsAsJpeg(file)) return play(() => picturesIn(file), fps, sink)
  const endless = ['-re', '-stream_loop', '-1', '-i', file, '-c:v', 'mjpeg', '-q:v', '2']
  return openFfmpeg(`camera ${name}`, [endless], sink)
}

function isFolder(where: string, file: string): boolean {
  try {
    return statSync(file).isDirectory()
  } catch (error) {
    if (!systemError(error)) throw error
    throw new InputError(where, `${file} is not there`, 'Give a video, or a folder of JPEG pictures', { cause: error })
  }
}

async function beginsAsJpeg(file: string): Promise<boolean> {
  const handle = await open(file)
  try {
    const { buffer } = await handle.read(Buffer.alloc(3), 0, 3, 0)
    return buffer.equals(Buffer.of(0xff, 0xd8, 0xff))
  } finally {
    await handle.close()
  }
}

async function* picturesOf(files: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const file of files) yield await readFile(file)
}

async function* picturesIn(file: string): AsyncGenerator<Uint8Array> {
  const splitter = new JpegSplitter()
  for await (const chunk of createReadStream(file)) {
    const found = splitter.push(chunk as Buffer)
    if (typeof found === 'string')
      throw new InputError(file, 'holds something else than JPEG pictures', 'Give another file')
    yield* found
  }
}

/** From the front again when it is over. The nth picture is due n periods after the first. */
function play(pictures: () => AsyncIterable<Uint8Array>, fps: number, { take, lost }: Sink): PictureSource {
  const stop = new AbortController()
  const going = async () => {
    let due = performance.now()
    while (!stop.signal.aborted)
      for await (const jpeg of pictures()) {
        take(jpeg)
        due = Math.max(due + 1000 / fps, performance.now())
        await pause(due - performance.now(), undefined, { signal: stop.signal })
      }
  }
  const played = going().catch((error) => {
    if (!stop.signal.aborted) lost(error)
  })
  return {
    async close() {
      stop.abort()
      await played
    },
  }
}
