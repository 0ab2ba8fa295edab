/** @file Who needs an ffmpeg says so where there is none, and what it said where it fails. One that fails stands in on the PATH. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { frameTimes } from '../src/formats/lerobot/ffmpeg.ts'
import { writeVideo } from '../src/formats/lerobot/write/video.ts'
import { listDevices } from '../src/robot/cameras/devices.ts'
import { openFfmpeg } from '../src/robot/cameras/sources/ffmpeg.ts'

const folder = mkdtempSync(join(tmpdir(), 'duet-ffmpeg-'))
beforeAll(() => {
  writeFileSync(join(folder, 'ffmpeg'), '#!/bin/sh\necho "reads" >&2\necho "no such codec" >&2\nexit 3\n')
  chmodSync(join(folder, 'ffmpeg'), 0o755)
})
afterEach(() => vi.unstubAllEnvs())
afterAll(() => rmSync(folder, { recursive: true }))

const picture = { width: 2, height: 2, data: new Uint8Array(12) }

/** What a camera tells when it is lost. */
const camera = () =>
  new Promise<never>((_, reject) => {
    const lost = (error: unknown) => {
      source.close()
      reject(error)
    }
    const source = openFfmpeg('camera front', [['-i', 'x']], { take() {}, lost })
  })

const USERS: [string, () => Promise<unknown>, RegExp][] = [
  ['a video of a dataset', () => frameTimes('episode.mp4'), /^episode\.mp4: cannot be decoded: no such codec\./],
  [
    'a video that is written',
    () => writeVideo('out.mp4', [picture], 10),
    /^out\.mp4: ffmpeg ended with code 3 \(no such codec\)/,
  ],
  ['a camera', camera, /^camera front: ffmpeg ended \(3\): no such codec\./],
]

it.each(USERS)('%s tells the last line of what it said', async (_, use, words) => {
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env.PATH}`)
  await expect(use()).rejects.toThrow(words)
})

it.each<[string, () => Promise<unknown>]>([
  ...USERS.map(([name, use]): [string, () => Promise<unknown>] => [name, use]),
  ['the list of cameras', async () => listDevices('darwin')],
])('%s says that there is none, and how to come by one', async (_, use) => {
  vi.stubEnv('PATH', join(folder, 'nowhere'))
  await expect(use()).rejects.toThrow(
    /needs ffmpeg, which cannot be started \(spawn\w* ffmpeg ENOENT\)\. Install it and put it on the PATH/,
  )
})
